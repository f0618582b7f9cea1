// What came from a connection and was not used yet, in one piece of memory however it came.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>

#include <rove/rove.hpp>

namespace serving {

class input {
 public:
  std::string_view unread() const { return {memory_.get() + begin_, end_ - begin_}; }

  // The first so many bytes are done with. Views of them hold until the next fill().
  void consume(std::size_t n) {
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Waits for more. False: no more will come, since the client said so or (with an error) the connection is broken.
  bool fill(rove::net::conn& from, std::error_code& error) {
    make_room();
    const std::size_t n = from.read(std::span(memory_.get() + end_, size_ - end_), error);
    end_ += n;
    return n != 0;
  }

 private:
  // Thousands of clients may be idle, so it begins small, and doubles only for those who fill it.
  static constexpr std::size_t least = 512, most_kept = 64 * 1024;

  void make_room() {
    const std::size_t used = end_ - begin_;
    std::size_t wanted = size_ == 0 ? least : size_;
    if (used == 0 && size_ > most_kept) wanted = least;
    if (used == size_ && used != 0) wanted = 2 * size_;
    if (wanted == size_ && end_ < size_) return;
    if (wanted == size_) {
      std::memmove(memory_.get(), memory_.get() + begin_, used);
    } else {
      auto larger = std::make_unique_for_overwrite<char[]>(wanted);
      if (used != 0) std::memcpy(larger.get(), memory_.get() + begin_, used);
      memory_ = std::move(larger);
      size_ = wanted;
    }
    begin_ = 0;
    end_ = used;
  }

  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace serving
