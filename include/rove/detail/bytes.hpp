// Spans of bytes and of characters: what is read into and written from.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

namespace rove::detail {

template <class T>
concept byte_like = std::same_as<std::remove_const_t<T>, std::byte> || std::same_as<std::remove_const_t<T>, char> ||
                    std::same_as<std::remove_const_t<T>, unsigned char>;
template <class T>
concept writable_byte = byte_like<T> && !std::is_const_v<T>;

}  // namespace rove::detail
