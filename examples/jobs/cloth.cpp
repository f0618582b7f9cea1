// The solver's three passes, and how they are given to jobs.
#include "cloth.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace jobs {
namespace {

constexpr float step_time = 1.0f / 60, gravity = -9.81f, spacing = 0.05f;
constexpr float ball_y = -0.6f, ball_radius = 0.5f;

}  // namespace

cloth::cloth(int side) {
  const auto index = [side](int x, int z) { return static_cast<std::uint32_t>(z * side + x); };
  for (int z = 0; z < side; ++z)
    for (int x = 0; x < side; ++x) {
      const vector at{(static_cast<float>(x) - static_cast<float>(side) / 2) * spacing, 0,
                      (static_cast<float>(z) - static_cast<float>(side) / 2) * spacing};
      const bool nailed = z == 0 && (x == 0 || x == side - 1);
      particles_.push_back({at, at, nailed ? 0.0f : 1.0f});
      // A row's constraints alternate between two colours, and a column's between two others.
      if (x + 1 < side) constraints_[static_cast<std::size_t>(x % 2)].push_back({index(x, z), index(x + 1, z)});
      if (z + 1 < side) constraints_[static_cast<std::size_t>(2 + z % 2)].push_back({index(x, z), index(x, z + 1)});
    }
}

// Not inlined, here and below: so that both ways to step execute the same instructions.
[[gnu::noinline]] void cloth::integrate(int first, int last) {
  for (int i = first; i < last; ++i) {
    particle& p = particles_[static_cast<std::size_t>(i)];
    const vector at = p.at;
    p.at.x += p.mobility * 0.99f * (at.x - p.before.x);
    p.at.y += p.mobility * (0.99f * (at.y - p.before.y) + gravity * step_time * step_time);
    p.at.z += p.mobility * 0.99f * (at.z - p.before.z);
    p.before = at;
  }
}

[[gnu::noinline]] void cloth::satisfy(int colour, int first, int last) {
  const auto& all = constraints_[static_cast<std::size_t>(colour)];
  for (int i = first; i < last; ++i) {
    particle& a = particles_[all[static_cast<std::size_t>(i)].a];
    particle& b = particles_[all[static_cast<std::size_t>(i)].b];
    const vector d{b.at.x - a.at.x, b.at.y - a.at.y, b.at.z - a.at.z};
    const float length = std::sqrt(d.x * d.x + d.y * d.y + d.z * d.z), sum = a.mobility + b.mobility;
    if (length < 1e-6f || sum <= 0) continue;
    const float pull = (length - spacing) / (length * sum);
    const float pa = pull * a.mobility, pb = pull * b.mobility;
    a.at = {a.at.x + pa * d.x, a.at.y + pa * d.y, a.at.z + pa * d.z};
    b.at = {b.at.x - pb * d.x, b.at.y - pb * d.y, b.at.z - pb * d.z};
  }
}

[[gnu::noinline]] std::uint64_t cloth::collide(int first, int last) {
  std::uint64_t touched = 0;
  for (int i = first; i < last; ++i) {
    particle& p = particles_[static_cast<std::size_t>(i)];
    const vector d{p.at.x, p.at.y - ball_y, p.at.z};
    const float length = std::sqrt(d.x * d.x + d.y * d.y + d.z * d.z);
    if (length >= ball_radius || length < 1e-6f) continue;
    const float out = ball_radius / length;
    p.at = {d.x * out, ball_y + d.y * out, d.z * out};
    ++touched;
  }
  return touched;
}

void cloth::step_alone() {
  const int n = static_cast<int>(particles_.size());
  integrate(0, n);
  for (int i = 0; i < iterations; ++i)
    for (int c = 0; c < colours; ++c) satisfy(c, 0, static_cast<int>(constraints_[static_cast<std::size_t>(c)].size()));
  contacts_ += collide(0, n);
}

// A layer of jobs for each colour of each iteration. Each job of a layer waits for all of the layer before, so when it
// is done it takes one dependency from each of the next. The last layer is made first, since those before point to it.
void cloth::solve_by_jobs(job_system& s) {
  const unsigned pieces = 2 * s.max_concurrency();
  barrier* const all = s.create_barrier();
  std::vector<std::vector<handle>> layers(colours * iterations);
  for (std::size_t layer = layers.size(); layer-- > 0;) {
    const int colour = static_cast<int>(layer) % colours;
    const auto size = static_cast<unsigned>(constraints_[static_cast<std::size_t>(colour)].size());
    const std::vector<handle>* const next = layer + 1 < layers.size() ? &layers[layer + 1] : nullptr;
    for (unsigned i = 0; i < pieces; ++i) {
      const int first = static_cast<int>(size * i / pieces), last = static_cast<int>(size * (i + 1) / pieces);
      auto work = [this, colour, first, last, next] {
        satisfy(colour, first, last);
        if (next)
          for (const handle& h : *next) h->remove_dependency();
      };
      const handle made = s.create_job("constraints", 0xe0a030, work, layer == 0 ? 0 : pieces);
      all->add(made);
      layers[layer].push_back(made);
    }
  }
  s.wait(all);
  s.destroy_barrier(all);
}

void cloth::step(job_system& s, range_tasks& tasks) {
  const int n = static_cast<int>(particles_.size());
  const auto integrate_range = [](int first, int last, std::uint32_t, void* self) {
    static_cast<cloth*>(self)->integrate(first, last);
  };
  range_tasks::finish(range_tasks::enqueue(integrate_range, n, 64, this, &tasks), &tasks);
  solve_by_jobs(s);

  // Each worker counts for itself.
  struct alignas(64) count {
    std::uint64_t touched = 0;
  };
  struct collision {
    cloth* self;
    std::vector<count> workers;
  } c{this, std::vector<count>(tasks.workers())};
  const auto collide_range = [](int first, int last, std::uint32_t worker, void* context) {
    auto& to = *static_cast<collision*>(context);
    to.workers[worker].touched += to.self->collide(first, last);
  };
  range_tasks::finish(range_tasks::enqueue(collide_range, n, 64, &c, &tasks), &tasks);
  for (const count& w : c.workers) contacts_ += w.touched;
}

std::uint64_t cloth::hash() const {
  std::uint64_t h = 0xcbf29ce484222325u;  // FNV-1a
  for (const particle& p : particles_)
    for (const float x : {p.at.x, p.at.y, p.at.z}) h = (h ^ std::bit_cast<std::uint32_t>(x)) * 0x100000001b3u;
  return h;
}

}  // namespace jobs
