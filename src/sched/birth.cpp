// A goroutine's birth and death: a descriptor at `go`, a stack at the first dispatch, both back to the hot end when it
// is over.
#include <algorithm>
#include <cstring>
#include <new>

#include <rove/go.hpp>
#include <rove/host.hpp>

#include "src/arch/sanitizer.hpp"
#include "src/arch/switch.hpp"
#include "src/base/check.hpp"
#include "src/sched/dispatch.hpp"
#include "src/sched/ending.hpp"
#include "src/sched/host.hpp"
#include "src/sched/park.hpp"
#include "src/sched/registry.hpp"
#include "src/sched/simulation.hpp"
#include "src/sched/trace.hpp"

namespace rove {
namespace sched {
namespace {

constexpr std::size_t stock = 64;           // moved between a processor and the common pools at a time
constexpr std::uint64_t id_block = 64;

std::atomic<std::uint64_t> next_id{1};

std::uint64_t take_ids(std::uint64_t n) { return next_id.fetch_add(n, std::memory_order_relaxed); }  // relaxed: a number

arch::stack* construct_stack(void* memory) { return new (memory) arch::stack; }

void commit_death(detail::context* c) {
  goroutine* const g = as_goroutine(c);
  g->home()->note_death(this_machine(), g);
}

void run_body(goroutine* g) {
  const bool run = !g->home()->is_ending();
#if ROVE_EXCEPTIONS
  // No `catch (...)` and no noexcept here: an exception that nobody wants must find the stack's end, so that
  // std::terminate is called at the throw, with all frames in place for the report.
  try {
    g->body(g->closure, run);
  } catch (goroutine_end& end) {
    end.reached_entry();
  }
#else
  g->body(g->closure, run);
#endif
}

// Its goroutine_locals, the last made first. One that is destroyed may make another.
[[gnu::noinline, gnu::cold]] void destroy_locals(goroutine* g) {
  while (detail::local_node* const n = g->locals) {
    g->locals = n->next;
    n->destroy(n);
  }
}

void goroutine_main(void* self, detail::context* left) {
  left->commit(left);
  goroutine* const g = static_cast<goroutine*>(self);
  probe_start(g);
  run_body(g);
  if (g->locals) [[unlikely]] destroy_locals(g);
  leave_for_good(g);
}

ROVE_ALWAYS_INLINE void bind(goroutine* g, arch::stack* s) {
  g->stack = s;
  s->next_free = nullptr;
  arch::sanitizer_attach(*g, s->low, s->top);
  arch::sanitizer_stack_reused(s->low, s->top);
}

// Keeps the first `stock` of a processor's free stacks, the hottest.
void give_coldest(processor* p) {
  arch::stack* kept = p->stacks;
  for (std::size_t i = 1; i < stock; ++i) kept = kept->next_free;
  arch::stack* const first = std::exchange(kept->next_free, nullptr);
  arch::stack* last = first;
  while (last->next_free) last = last->next_free;
  arch::give_stacks(first, last, p->stack_count - stock);
  p->stack_count = stock;
}

ROVE_ALWAYS_INLINE void unbind(goroutine* g, processor* p) {
  arch::stack* const s = std::exchange(g->stack, nullptr);
  if (s->size_class != g->promised_class) [[unlikely]] arch::return_promises(s->size_class, 1);
  if (p && s->size_class == p->stack_class) [[likely]] {
    s->next_free = p->stacks;
    p->stacks = s;
    if (++p->stack_count > processor::most_stacks) [[unlikely]] {
      give_coldest(p);
    }
  } else {
    arch::give_stacks(s, s, 1);
  }
}

ROVE_ALWAYS_INLINE arch::stack* take_stack(processor* p, std::uint8_t size_class) {
  if (p && size_class == p->stack_class) {
    if (!p->stacks) [[unlikely]] p->stack_count = arch::take_stacks(size_class, &p->stacks, stock);
    arch::stack* const s = p->stacks;
    if (!s) return nullptr;
    p->stacks = s->next_free;
    --p->stack_count;
    return s;
  }
  arch::stack* one = nullptr;
  return arch::take_stacks(size_class, &one, 1) == 1 ? one : nullptr;
}

ROVE_ALWAYS_INLINE processor* own_processor(const scheduler* home) {
  machine* const m = this_machine();
  return m && m->home == home ? m->p : nullptr;
}


// A descriptor outside the registry comes with the promise of a stack of its runtime's size.
[[gnu::cold]] base::chain<goroutine> take_promised(std::uint8_t size_class, std::size_t count) {
  if (!arch::promise_stacks(size_class, count)) {
    if (count == 1 || !arch::promise_stacks(size_class, 1)) return {};
    count = 1;
  }
  const base::chain<goroutine> taken = take_descriptors(count);
  if (taken.count < count) arch::return_promises(size_class, count - taken.count);
  return taken;
}

void give_promised(std::uint8_t size_class, base::chain<goroutine> chain) {
  arch::return_promises(size_class, chain.count);
  give_descriptors(chain);
}

ROVE_ALWAYS_INLINE void give_descriptor(goroutine* g, processor* p) {
  g->flags = 0;
  if (p && p->stack_class == g->promised_class) [[likely]] {
    p->descriptors.push_front(g);
    if (p->descriptors.count <= 8 * stock) [[likely]] return;
    give_promised(p->stack_class, p->descriptors.split_after(4 * stock));
  } else {
    base::chain<goroutine> one;
    one.push_back(g);
    give_promised(g->promised_class, one);
  }
}

}  // namespace

void init_goroutines() {
  static const bool done = [] {
    arch::init_stacks({sizeof(arch::stack), construct_stack});
    return true;
  }();
  (void)done;
}

// ---- birth -----------------------------------------------------------------------------------------------------------

goroutine* scheduler::new_goroutine() {
  processor* const p = own_processor(this);
  goroutine* g;
  if (p) [[likely]] {
    if (p->descriptors.empty()) [[unlikely]] p->descriptors = take_promised(default_class_, stock);
    g = p->descriptors.pop_front();
  } else {
    g = take_promised(default_class_, 1).pop_front();
  }
  if (!g) return nullptr;
  g->set_home(this);
  g->promised_class = default_class_;
  g->near = number_;
  g->flags = goroutine::flag_unborn;
  return g;
}

bool scheduler::bind_stack(goroutine* g, std::size_t stack_size) {
  const std::uint8_t size_class = stack_size == 0 ? default_class_ : arch::size_class_for(stack_size);
  const bool other_size = size_class != g->promised_class;
  if (other_size && !arch::promise_stacks(size_class, 1)) return false;
  arch::stack* const s = take_stack(own_processor(this), size_class);
  if (s) bind(g, s);
  if (!s && other_size) arch::return_promises(size_class, 1);
  return s != nullptr;
}

void give_first_frame(processor* p, goroutine* g) {
  if (!g->stack) {
    arch::stack* const s = take_stack(p, p->stack_class);
    if (!s) base::fatal("rove: no memory for a goroutine's stack");
    bind(g, s);
  }
  void* const closure_end = g->closure == g->small_closure ? g->stack->top - name_room : g->closure;
  arch::make_first_frame(*g, closure_end, goroutine_main, g);
  g->flags &= ~goroutine::flag_unborn;
}

// On the machine that holds p.
ROVE_ALWAYS_INLINE void scheduler::start_on(processor* p, goroutine* g, machine* traced) {
  if (p->next_id == p->last_id) [[unlikely]] {
    p->next_id = take_ids(id_block);
    p->last_id = p->next_id + id_block;
  }
  g->id.store(p->next_id++, std::memory_order_relaxed);  // relaxed: for reports
  if (traced) trace_wake(traced, g, trace_kind::start);
  probe_create(g);
  p->spawned.add();
  auto& section = p->queue.section();
  if (!section.enter()) [[unlikely]] return inject(g);
  const auto spilled = p->queue.put_fresh(g);
  section.leave();
  if (!spilled.empty()) [[unlikely]] inject_new(spilled);
  wake_softly_if_wanted();
}

void scheduler::start(goroutine* g) {
  arch::set_fp_mode(*g, arch::current_fp_mode());
  g->caught = nullptr;
  g->uncaught = 0;
  g->saved_errno = 0;
  g->state.store(goroutine_state::runnable, std::memory_order_release);  // STACK-LEFT
  machine* const m = this_machine();
  processor* const p = m && m->quick_number() == g->near ? m->p : nullptr;
  if (!p) [[unlikely]] return start_slow(m, g);
  start_on(p, g, nullptr);
}

// From elsewhere, or seen by a trace or a deterministic run.
[[gnu::noinline, gnu::cold]] void scheduler::start_slow(machine* m, goroutine* g) {
  if (processor* const p = own_processor(this); p && g->near != goroutine::far)
    start_on(p, g, m);
  else if (!start_from_outside(g, arch::current_fp_mode()))
    stillborn(g);
  if (simulation* const s = simulation_on(m)) s->point();
}

[[gnu::cold]] bool scheduler::start_from_outside(goroutine* g, arch::fp_mode mode) {
  arch::set_fp_mode(*g, mode);
  g->caught = nullptr;
  g->uncaught = 0;
  g->saved_errno = 0;
  {
    os::hold h(lock_);
    if (is_ending()) return false;  // else starts from outside could go on for ever
    foreign_spawned_.add();
  }
  g->id.store(take_ids(1), std::memory_order_relaxed);                   // relaxed: for reports
  g->state.store(goroutine_state::runnable, std::memory_order_release);  // STACK-LEFT
  trace_wake(this_machine(), g, trace_kind::start);
  probe_create(g);
  queue_up(g);
  return true;
}

// The runtime has ended: only the closure is destroyed, here.
[[gnu::cold]] void scheduler::stillborn(goroutine* g) {
  g->state.store(goroutine_state::dead, std::memory_order_relaxed);  // relaxed: for reports
  g->id.store(0, std::memory_order_relaxed);                         // relaxed: for reports
  g->body(g->closure, false);
  if (g->flags & goroutine::flag_hosted) host_queue::release(g);
  if (g->task)
    finish_task(g->task);
  else
    recycle(g);
}

bool dies(const goroutine* g) { return g->commit == commit_death; }

// ---- death -----------------------------------------------------------------------------------------------------------

void leave_for_good(goroutine* g) {
  machine* const m = this_machine();
  if (g->wire_depth > 0) {
    g->wire_depth = 0;
    g->flags &= ~goroutine::flag_wired;
    m->wired = nullptr;
  }
  if (g->blocking_depth > 0) {  // abandoned inside `blocking`, or on a host
    g->blocking_depth = 0;
    if (g->flags & goroutine::flag_hosted) host_queue::release(g);
  }
  probe_end(g);
  goroutine* const to = next_to_run(m, g);
  g->commit = commit_death;
  arch::sanitizer_leaving_for_good(*g);
  const detail::departure d = m->leave(g, to);
  detail::switch_stacks(d.from, d.to);
  __builtin_unreachable();
}

void scheduler::note_death(machine* m, goroutine* g) {
  processor* const p = m->p;
  const bool was_main = g->flags & goroutine::flag_main;
  detail::task_state* const task = g->task;
  g->state.store(goroutine_state::dead, std::memory_order_relaxed);  // relaxed: for reports and the sweep
  g->id.store(0, std::memory_order_relaxed);                         // relaxed: for reports
  if (!task || g->closure == g->small_closure) [[likely]]
    unbind(g, p);
  if (p) [[likely]] {
    p->died.add();
  } else {
    os::hold h(lock_);
    foreign_died_.add();
  }
  if (task)
    finish_task(task);  // who joins recycles the rest
  else
    give_descriptor(g, p);
  if (was_main || main_gone_by_goexit_.load(std::memory_order_relaxed)) [[unlikely]]  // relaxed: a word for a report
    check_main_gone();
}

void scheduler::check_main_gone() {
  if (!main_gone_by_goexit_.load(std::memory_order_relaxed) || is_ending()) return;  // relaxed: a word for a report
  bool none;
  {
    os::hold h(lock_);
    none = alive() == 0;
  }
  if (none) base::fatal("no goroutines (main called rove::goexit) - deadlock!");
}

void scheduler::recycle(goroutine* g) {
  machine* const m = this_machine();
  processor* const p = m ? m->p : nullptr;
  if (g->stack) unbind(g, p);
  give_descriptor(g, p);
}

// What a processor keeps for its goroutines to come goes back. Its holder, or nobody holds it.
void return_stock(processor& p) {
  give_promised(p.stack_class, std::exchange(p.descriptors, {}));
  while (arch::stack* const s = p.stacks) {
    p.stacks = s->next_free;
    arch::give_stacks(s, s, 1);
  }
  p.stack_count = 0;
}

std::uint64_t scheduler::alive() const {
  // Deaths first: see counter.hpp.
  std::uint64_t died = foreign_died_.get_first();
  for_each_processor([&](processor& p) { died += p.died.get_first(); });
  std::uint64_t spawned = foreign_spawned_.get();
  for_each_processor([&](processor& p) { spawned += p.spawned.get(); });
  return spawned - died;
}

}  // namespace sched

namespace detail {

// A goroutine that is not as all others gets its stack at once: for its name or its closure, or in another size, or since
// the host's machine has none to give.
[[gnu::noinline, gnu::cold]] birth equip(sched::goroutine* g, const options& o, std::size_t closure_size, std::size_t closure_align) {
  using namespace sched;
  const bool small = closure_size <= sizeof g->small_closure && closure_align <= 16;
  if (o.priority.what() && !o.on) o.priority.what()->mark(g);
  if (small && o.stack_size == 0 && o.name.empty() && !o.on) return {g, g->closure};
  if (!g->home()->bind_stack(g, o.stack_size)) {
    scheduler::recycle(g);
    throw_no_memory();
  }
  if (!o.name.empty()) name_goroutine(g, o.name);
  if (o.on) o.on->queue()->adopt(g);
  if (small) return {g, g->closure};
  char* top = g->stack->top - name_room;
  if (closure_size + closure_align > static_cast<std::size_t>(top - g->stack->low) / 2)
    base::fatal("rove: the closure does not fit on the goroutine's stack");
  const auto end = reinterpret_cast<std::uintptr_t>(top - closure_size);
  g->closure = reinterpret_cast<void*>(end & ~(std::max<std::uintptr_t>(closure_align, 16) - 1));
  return {g, g->closure};
}

birth begin_birth(const options* o, std::size_t closure_size, std::size_t closure_align, sched::scheduler* home) {
  using namespace sched;
  if (o && o->on) [[unlikely]] {
    home = o->on->queue()->home();
    if (!home) throw_panic("rove: the host's runtime is gone");
  }
  if (!home) {
    machine* const m = this_machine();
    if (!m) throw_panic("rove: no runtime on this thread");
    home = m->home;
  }
  if (ending.load(std::memory_order_relaxed)) [[unlikely]] check_not_forked();  // relaxed: a hint
  goroutine* const g = home->new_goroutine();
  if (!g) throw_no_memory();
  g->name.store(nullptr, std::memory_order_relaxed);                                 // relaxed: for reports
  g->started_at.store(__builtin_return_address(0), std::memory_order_relaxed);       // relaxed: for reports; in whoever inlined `go`
  g->closure = g->small_closure;
  const bool small = closure_size <= sizeof g->small_closure && closure_align <= 16;
  if (small && !o) [[likely]]
    return {g, g->closure};
  return equip(g, o ? *o : options{}, closure_size, closure_align);
}

void end_birth(birth b, void (*body)(void*, bool), task_state* task) {
  b.g->body = body;
  b.g->task = task;
  if (task) task->g = b.g;
  b.g->home()->start(b.g);
}

void cancel_birth(birth b) {
  if (b.g->flags & sched::goroutine::flag_hosted) sched::host_queue::release(b.g);
  sched::scheduler::recycle(b.g);
}

}  // namespace detail
}  // namespace rove
