// A small solver of the kind that lives on a job system: a cloth of particles and distance constraints that falls on a
// ball. It uses both shapes: ranges for what goes over all particles, jobs with dependencies for the constraints.
//
// Constraints of one colour share no particle, so they may be solved in any order and at the same time; the colours
// come one after the other. So the result is the same to the last bit, whoever does what when.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "job_system.hpp"
#include "range_tasks.hpp"

namespace jobs {

class cloth {
 public:
  explicit cloth(int side);

  // A sixtieth of a second, by jobs. In a goroutine or on a plain thread.
  void step(job_system& s, range_tasks& tasks);
  // The same without any.
  void step_alone();

  // Of all positions.
  std::uint64_t hash() const;
  // How often a particle was pushed out of the ball.
  std::uint64_t contacts() const { return contacts_; }

 private:
  struct vector {
    float x, y, z;
  };
  struct particle {
    vector at, before;
    float mobility;    // 0: it hangs on a nail
  };
  struct constraint {
    std::uint32_t a, b;
  };
  static constexpr int colours = 4;
  static constexpr int iterations = 4;

  void integrate(int first, int last);
  void satisfy(int colour, int first, int last);
  std::uint64_t collide(int first, int last);
  void solve_by_jobs(job_system& s);

  std::vector<particle> particles_;
  std::array<std::vector<constraint>, colours> constraints_;
  std::uint64_t contacts_ = 0;
};

}  // namespace jobs
