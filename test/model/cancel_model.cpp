// Cancelling a tree under the model checker, while others add to it, take from it and cancel parts of it: when a
// cancellation returns all below is cancelled, nobody is cancelled twice, and nobody touches what has gone away.
//
// The steps are those of src/context/cancel.cpp and context.cpp, one taken off a list at a time.
#include <cstddef>
#include <new>

#include "src/base/list.hpp"
#include "test/model/mutations.hpp"
#include "test/model/threads.hpp"

namespace model = rove::model;

namespace {

using namespace model::short_names;
using model::hold;

// What is done wrong.
enum class flaw {
  none,
  returns_early,       // does not wait for what another cancellation has claimed
  counts_the_dead,     // takes a reference to what is going away
  adds_to_the_dead,    // a child joins a list without a look at the state
  stays_in_the_list,   // goes away without leaving it
  leaves_first,        // leaves it before all below is canceled
};

enum class state : std::uint8_t { live, canceled, complete };

struct node {
  explicit node(node* parent) : above(parent) {
    if (above)
      above->refs.fetch_add(1, rlx);
  }
  node* next = nullptr;
  node* prev = nullptr;
  node* const above;
  node* next_work = nullptr;
  model::lock lock;
  A::atomic<state> where{state::live};
  A::atomic<std::uint32_t> refs{1};
  model::plain<bool> attached{false};
  model::plain<int> claims{0};
  rove::base::list<node> below;
};

// The memory of an execution's nodes: it stays, so that who touches one that has gone away is found, and does no harm.
struct ground {
  alignas(node) std::byte room[8][sizeof(node)];
  std::size_t used = 0;
  ground() { current = this; }
  static inline ground* current = nullptr;
};

node* make(node* above) {
  ground& g = *ground::current;
  return ::new (static_cast<void*>(g.room[g.used++])) node(above);
}

template <flaw F>
struct tree {
  static bool try_retain(node* n) {
    std::uint32_t refs = n->refs.load(rlx);
    while (refs != 0 || F == flaw::counts_the_dead)
      if (n->refs.compare_exchange_strong(refs, refs + 1, rlx))
        return true;
    return false;
  }

  static void leave_list(node* n) {
    if (n->above == nullptr)
      return;
    hold h(n->above->lock);
    if (n->attached) {
      n->attached = false;
      n->above->below.remove(n);
    }
  }

  static void release(node* n) {
    while (n != nullptr && n->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      node* const up = n->above;
      if (F != flaw::stays_in_the_list)
        leave_list(n);
      n->~node();
      n = up;
    }
  }

  static node* derive(node* parent) {
    node* const n = make(parent);
    {
      hold h(parent->lock);
      if (parent->where.load(rlx) == state::live || F == flaw::adds_to_the_dead) {
        parent->below.push_back(n);
        n->attached = true;
        return n;
      }
    }
    cancel(n);
    return n;
  }

  static bool claim(node* n) {
    hold h(n->lock);
    if (n->where.load(rlx) != state::live)
      return false;
    n->claims = n->claims + 1;
    n->where.store(state::canceled, rel);
    return true;
  }

  static void wait_until_complete(node* n) {
    while (F != flaw::returns_early && n->where.load(acq) != state::complete)
      A::pause();
  }

  static node* take_one(node* n) {
    hold h(n->lock);
    while (node* const child = n->below.pop_front()) {
      child->attached = false;
      if (try_retain(child))
        return child;
    }
    return nullptr;
  }

  static void cancel(node* root) {
    if (!claim(root))
      return wait_until_complete(root);
    root->refs.fetch_add(1, rlx);
    if (F == flaw::leaves_first)
      leave_list(root);
    node *stack = root, *finished = nullptr;
    while (stack != nullptr) {
      node* const n = stack;
      node* const child = take_one(n);
      if (child == nullptr) {
        stack = n->next_work;
        n->where.store(state::complete, rel);
        n->next_work = finished;
        finished = n;
      } else if (claim(child)) {
        child->next_work = stack;
        stack = child;
      } else {
        wait_until_complete(child);
        release(child);
      }
    }
    leave_list(root);
    while (finished != nullptr) {
      node* const n = finished;
      finished = n->next_work;
      release(n);
    }
  }
};

bool is_canceled(const node* n) { return n->where.load(acq) != state::live; }

// A chain of three that is cancelled from the top and from the middle; meanwhile another comes to the top and goes.
template <flaw F>
void program() {
  using t = tree<F>;
  ground all;
  node* const top = make(nullptr);
  node* const middle = t::derive(top);
  node* const last = t::derive(middle);
  {
    model::thread a([&] {
      t::cancel(top);
      model::check(is_canceled(middle) && is_canceled(last), "all below the top is canceled");
    });
    model::thread b([&] {
      t::cancel(middle);
      model::check(is_canceled(last), "what is below the middle is canceled");
    });
    node* const late = t::derive(top);
    if (model::choose(2) == 1) {
      t::cancel(top);
      model::check(is_canceled(late), "what came late is canceled");
    }
    t::release(late);
  }
  for (node* n : {top, middle, last})
    model::check(n->claims == 1 && n->where.load(acq) == state::complete, "canceled once");
  t::release(last);
  t::release(middle);
  t::release(top);
}

constexpr model::options some{.executions = 20000, .max_idle_pauses = 2000};

}  // namespace

TEST_CASE("model: cancel: all below is cancelled, once") { model::holds(some, program<flaw::none>); }

TEST_CASE("model: cancel: each step of it is needed") {
  model::is_found(some, program<flaw::returns_early>);
  model::is_found(some, program<flaw::counts_the_dead>);
  model::is_found(some, program<flaw::adds_to_the_dead>);
  model::is_found(some, program<flaw::stays_in_the_list>);
  model::is_found(some, program<flaw::leaves_first>);
}
