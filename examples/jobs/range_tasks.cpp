// Tasks over ranges: a counter hands them out.
#include "range_tasks.hpp"

#include <algorithm>

namespace jobs {

struct range_tasks::task {
  function* const f;
  void* const context;
  const int items;
  const int pieces;
  std::atomic<int> next{0};
  rove::wait_group working{};
};

range_tasks::range_tasks(rove::runtime& rt, std::uint32_t workers)
    : runtime_(rt), free_(rove::make_chan<std::uint32_t>(workers)) {
  for (std::uint32_t i = 0; i < workers; ++i) free_.send(i);
}

void* range_tasks::enqueue(function* f, int items, int min_range, void* context, void* user) {
  if (items <= 0) return nullptr;
  auto& self = *static_cast<range_tasks*>(user);
  const int workers = static_cast<int>(self.workers());
  // More pieces than workers, so that uneven work evens itself out.
  const int pieces = std::clamp(items / std::max(1, min_range), 1, 4 * workers);
  task* const t = new task{f, context, items, pieces};
  const int helpers = std::min(pieces, workers);
  t->working.add(helpers);
  for (int i = 0; i < helpers; ++i) self.runtime_.go([&self, t] { self.work(*t); });
  return t;
}

void range_tasks::work(task& t) {
  const std::uint32_t worker = *free_.recv();
  for (;;) {
    const std::int64_t piece = t.next.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number to work on
    if (piece >= t.pieces) break;
    t.f(static_cast<int>(t.items * piece / t.pieces), static_cast<int>(t.items * (piece + 1) / t.pieces), worker,
        t.context);
  }
  free_.send(worker);
  t.working.done();
}

void range_tasks::finish(void* enqueued, void*) {
  auto* const t = static_cast<task*>(enqueued);
  if (!t) return;
  t->working.wait();
  delete t;
}

}  // namespace jobs
