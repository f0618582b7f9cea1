// A function of any type, kept to be called later in a goroutine of its own.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace rove::detail {

class action {
 public:
  virtual ~action() = default;
  virtual void call() = 0;     // what it returns is ignored; may be called again, and by two at once
};

template <class F>
class action_of final : public action {
 public:
  template <class G>
  explicit action_of(G&& f) : function_(std::forward<G>(f)) {}
  void call() override { static_cast<void>(function_()); }

 private:
  F function_;
};

template <class F>
std::unique_ptr<action> make_action(F&& f) {
  return std::make_unique<action_of<std::decay_t<F>>>(std::forward<F>(f));
}

}  // namespace rove::detail
