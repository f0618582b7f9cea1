// The simulation, in pieces that parallel_for hands out.
#include "particles.hpp"

#include <cmath>
#include <cstdint>

#include <rove/rove.hpp>

namespace frame {
namespace {

constexpr float step_time = 1.0f / 60;
constexpr std::size_t grain = 4096;  // some 20 microseconds

}  // namespace

particles::particles(std::size_t count, float width, float height)
    : width_(width), height_(height), at_(count), speed_(count) {
  std::uint32_t state = 1;
  const auto random = [&state](float below) {
    state = state * 1664525 + 1013904223;
    return static_cast<float>(state >> 8) / static_cast<float>(1 << 24) * below;
  };
  for (std::size_t i = 0; i < count; ++i) {
    at_[i] = {random(width), random(height)};
    speed_[i] = {random(80) - 40, random(80) - 40};
  }
}

point particles::attractor() const {
  return {width_ * (0.5f + 0.3f * std::sin(time_ * 1.3f)), height_ * (0.5f + 0.3f * std::sin(time_ * 1.7f + 1))};
}

void particles::step() {
  time_ += step_time;
  const point to = attractor();
  rove::parallel_for(std::size_t{0}, at_.size(), grain,
                     [&](std::size_t first, std::size_t last) { move(first, last, to); });
}

void particles::move(std::size_t first, std::size_t last, point to) {
  for (std::size_t i = first; i < last; ++i) {
    point p = at_[i], v = speed_[i];
    const float dx = to.x - p.x, dy = to.y - p.y;
    const float pull = 60000 / (dx * dx + dy * dy + 2000) * step_time;
    v = {v.x * 0.998f + dx * pull, v.y * 0.998f + dy * pull};
    p = {p.x + v.x * step_time, p.y + v.y * step_time};
    if (p.x < 0 || p.x >= width_) {
      v.x = -v.x;
      p.x = p.x < 0 ? -p.x : 2 * width_ - p.x;
    }
    if (p.y < 0 || p.y >= height_) {
      v.y = -v.y;
      p.y = p.y < 0 ? -p.y : 2 * height_ - p.y;
    }
    at_[i] = p;
    speed_[i] = v;
  }
}

}  // namespace frame
