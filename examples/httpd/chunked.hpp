// The chunked transfer coding: a body in pieces, each with its length in front, until an empty one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace httpd {

class chunked_decoder {
 public:
  struct step {
    std::size_t taken = 0;       // bytes of the input that are done with
    std::string_view data = {};  // what they held of the body: a view into the input, perhaps empty
  };

  // Goes on with the bytes that follow those taken before. Nothing taken: more has to come first, unless finished()
  // or failed(). One call gives at most one piece.
  step decode(std::string_view in);

  bool finished() const { return state_ == state::finished; }
  bool failed() const { return state_ == state::failed; }

 private:
  enum class state { size, extension, size_end, data, data_cr, data_lf, trailer_start, trailer, trailer_end, last_lf,
                     finished, failed };

  state take(char c);
  state take_size(char c);
  state take_framing(state next);  // counts what is neither length nor data, and refuses too much of it

  state state_ = state::size;
  int digits_ = 0;
  std::uint64_t left_ = 0;  // of the chunk
  std::size_t framing_ = 0;
};

}  // namespace httpd
