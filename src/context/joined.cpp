// Contexts that are cancelled by something else than their function: a deadline, a stop token.
#include "src/context/node.hpp"

namespace rove::detail {
namespace {

// The alarm is armed where the context is made. What runs when it rings is started as a goroutine of that runtime if it
// might be long, or the program's: a machine's own stack is no place for it.
struct timed_canceler final : canceler {
  timed_canceler(context_node* parent_node, std::int64_t when, void* at)
      : canceler(parent_node), own_alarm(ring, this), home(sched::current_home()), made_at(at) {
    deadline = when;
    alarm = &own_alarm;
    chances.store(2, std::memory_order_relaxed);  // relaxed: nobody else knows it yet; a cancel function and the alarm
    destroy = [](context_node* n) noexcept {
      auto* const c = static_cast<timed_canceler*>(n);
      leave_tree(c);
      delete c;
    };
  }

  struct deadline_alarm : time::alarm {
    deadline_alarm(void (*ring)(sched::timer*), timed_canceler* c) : time::alarm(ring), owner(c) {}
    timed_canceler* const owner;
  };

  static void ring(sched::timer* t) { static_cast<deadline_alarm*>(t)->owner->ring(); }
  static void run(void* self, bool) {
    auto* const c = static_cast<timed_canceler*>(self);
    cancel_for(c, errc::deadline_exceeded, {});
    release_context(c);
  }

  void ring() {
    bool small;
    {
      os::hold h(lock);
      if (!own_alarm.arrived(sched::now())) return own_alarm.resume();
      if (!try_retain(this)) return;  // it goes away, and waited for this only
      small = dependents.empty() && !source.stop_possible();
    }
    if (small || !home.get() || !sched::start_in(home.get(), made_at, run, this)) run(this, true);
  }

  deadline_alarm own_alarm;
  const sched::home_handle home;
  void* const made_at;                 // for reports
};

struct token_canceler final : canceler {
  struct on_stop {
    token_canceler* self;
    void operator()() const {
      if (!try_retain(self)) return;
      cancel_for(self, errc::canceled, {});
      release_context(self);
    }
  };

  explicit token_canceler(context_node* parent_node) : canceler(parent_node) {
    destroy = [](context_node* n) noexcept {
      auto* const c = static_cast<token_canceler*>(n);
      c->callback.reset();  // waits for one that is under way on another thread
      leave_tree(c);
      delete c;
    };
  }

  std::optional<std::stop_callback<on_stop>> callback;
};

}  // namespace

canceler* make_timed_canceler(context_node* parent, std::int64_t when) {
  if (when <= 0) when = sched::now();
  if (when >= context_deadline(parent)) return make_canceler(parent);  // the one above comes first
  auto* const c = new timed_canceler(parent, when, __builtin_return_address(0));
  attach(c);
  if (when <= sched::now()) {
    cancel_for(c, errc::deadline_exceeded, {});
    return c;
  }
  os::hold h(c->lock);
  if (c->is_live()) c->own_alarm.set(when);
  return c;
}

canceler* make_token_canceler(context_node* parent, std::stop_token token) {
  auto* const c = new token_canceler(parent);
  attach(c);
  if (!token.stop_possible()) return c;
  c->chances.fetch_add(1, std::memory_order_relaxed);  // relaxed: the caller has one
  c->callback.emplace(std::move(token), token_canceler::on_stop{c});
  return c;
}

}  // namespace rove::detail
