// The simulation: particles that fall around an attractor which wanders over the screen.
#pragma once

#include <cstddef>
#include <vector>

namespace frame {

struct point {
  float x, y;
};

class particles {
 public:
  particles(std::size_t count, float width, float height);

  // One sixtieth of a second for all, by as many goroutines as there are processors. In a goroutine.
  void step();
  const std::vector<point>& positions() const { return at_; }
  point attractor() const;

 private:
  void move(std::size_t first, std::size_t last, point to);

  const float width_, height_;
  float time_ = 0;
  std::vector<point> at_, speed_;
};

}  // namespace frame
