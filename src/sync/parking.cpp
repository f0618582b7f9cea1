// The parking table.
#include "src/sync/parking.hpp"

namespace rove {

constinit detail::parking_word detail::parking_words[detail::parking_buckets];
constinit sync::parking_bucket sync::parking_table[detail::parking_buckets];

}  // namespace rove
