// A small fast random generator for choices that need no secrecy: victims, select's order, seeded delays.
#pragma once

#include <cstdint>

namespace rove::base {

// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled").
class random {
 public:
  explicit constexpr random(std::uint64_t seed) : state_(seed ? seed : 0x9e3779b97f4a7c15u) {}

  std::uint32_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<std::uint32_t>((state_ * 0x2545f4914f6cdd1du) >> 32);
  }
  // Uniform below n (n > 0), without division: Lemire's multiplication, its small bias accepted.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>((std::uint64_t{next()} * n) >> 32); }

 private:
  std::uint64_t state_;
};

}  // namespace rove::base
