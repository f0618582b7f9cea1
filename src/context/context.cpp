// Contexts: counting, asking, making.
#include <rove/context.hpp>

#include "src/chan/core.hpp"
#include "src/context/node.hpp"

namespace rove::detail {

// ---- counting -------------------------------------------------------------------------------------------------------

void retain_context(context_node* n) noexcept {
  if (n) n->refs.fetch_add(1, std::memory_order_relaxed);  // CTX-HANDLES: relaxed, since the giver holds one
}

// The last one takes those above along that nobody else refers to: one after the other, however deep they are.
void release_context(context_node* n) noexcept {
  while (n && n->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {  // CTX-HANDLES
    context_node* const parent = n->parent;
    n->destroy(n);
    n = parent;
  }
}

void adopt_parent(context_node* n, context_node* parent) noexcept {
  if (!parent) return;
  retain_context(parent);
  n->parent = parent;
  n->cancels = parent->cancels;
  n->values = parent->values;
}

void retain_canceler(canceler* c) noexcept {
  c->chances.fetch_add(1, std::memory_order_relaxed);  // relaxed: the giver has one
  retain_context(c);
}

void release_canceler(canceler* c) noexcept {
  lose_chance(c);
  release_context(c);
}

context_node* node_of(canceler* c) noexcept {
  retain_context(c);
  return c;
}

// ---- asking ---------------------------------------------------------------------------------------------------------

const void* find_value(const context_node* n, const void* key) noexcept {
  for (const value_node* v = n ? n->values : nullptr; v; v = v->parent ? v->parent->values : nullptr)
    if (v->key == key) return v->value;
  return nullptr;
}

std::error_code context_error(const context_node* n) noexcept {
  const canceler* const c = n ? n->cancels : nullptr;
  if (!c) return {};
  switch (c->state.load(std::memory_order_acquire)) {  // CTX-STATE
    case cancel_state::live: return {};
    case cancel_state::canceling:  // it is when its channel is closed
      if (const chan_core* const done = c->done.load(std::memory_order_acquire);  // CTX-DONE
          !done->closed.load(std::memory_order_acquire))                          // CHAN-LOOK
        return {};
      [[fallthrough]];
    default: return c->why;
  }
}

std::error_code context_cause(const context_node* n) noexcept {
  const std::error_code why = context_error(n);
  return why && n->cancels->cause ? n->cancels->cause : why;
}

std::int64_t context_deadline(const context_node* n) noexcept {
  return n && n->cancels ? n->cancels->deadline : never_ns;
}

chan_core* context_done(const context_node* n) {
  canceler* const c = n ? n->cancels : nullptr;
  if (!c) return nullptr;
  if (chan_core* const known = c->done.load(std::memory_order_acquire)) {  // CTX-DONE
    retain_chan(known);
    return known;
  }
  chan_core* const fresh = make_chan_core(element_type_of<std::monostate>, 0);
  fresh->users.add_unseen();  // who cancels
  const auto publish = [&](bool only_live) -> chan_core* {
    os::hold h(c->lock);
    chan_core* known = c->done.load(std::memory_order_relaxed);  // relaxed: lock
    if (!known && (!only_live || c->is_live())) c->done.store(known = fresh, std::memory_order_release);  // CTX-DONE
    return known;
  };
  chan_core* done = publish(true);
  if (!done) {  // canceled meanwhile: its channel is closed from the beginning
    chan_close(fresh);
    done = publish(false);
  }
  retain_chan(done);
  if (done != fresh) release_chan(fresh);
  return done;
}

std::stop_token context_stop_token(const context_node* n) {
  canceler* const c = n ? n->cancels : nullptr;
  if (!c) return {};
  std::stop_source source;
  bool live;
  {
    os::hold h(c->lock);
    if (c->source.stop_possible())
      source = c->source;
    else
      c->source = source;
    live = c->is_live();
  }
  if (!live) source.request_stop();
  return source.get_token();
}

// ---- making ---------------------------------------------------------------------------------------------------------

canceler::canceler(context_node* parent_node) : dependent(true) {
  adopt_parent(this, parent_node);
  above = cancels;
  cancels = this;
  if (above) deadline = above->deadline;
  destroy = [](context_node* n) noexcept {
    auto* const c = static_cast<canceler*>(n);
    leave_tree(c);
    delete c;
  };
}

void leave_tree(canceler* c) noexcept {
  leave_list(c);
  if (c->alarm) time::silence(c->lock, *c->alarm);
  if (chan_core* const done = c->done.load(std::memory_order_relaxed)) release_chan(done);  // relaxed: the last one's
}

canceler* make_canceler(context_node* parent) {
  auto* const c = new canceler(parent);
  attach(c);
  return c;
}

context_node* make_uncanceled(context_node* parent) {
  if (!parent || !parent->values) return nullptr;
  auto* const n = new context_node;
  n->destroy = [](context_node* node) noexcept { delete node; };
  adopt_parent(n, const_cast<value_node*>(parent->values));  // what lies between has nothing that is of use
  n->cancels = nullptr;
  return n;
}

void cancel(canceler* c, std::error_code cause) { cancel_for(c, errc::canceled, cause); }

}  // namespace rove::detail
