// selector: a select over a set of cases that is known at run time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <rove/select.hpp>

namespace rove {
namespace detail {

// A case in a selector.
class selector_entry {
 public:
  virtual ~selector_entry() = default;
  virtual void fill(select_waiter& w, void* room) = 0;       // before a select; may throw what a copy throws
  virtual void run(void* room, bool closed) = 0;             // the case was taken
  virtual std::int64_t deadline() const { return never_ns; }
};

template <class C>
class receive_entry final : public selector_entry {
 public:
  receive_entry(C c, chan_handle h) : case_(std::move(c)), channel_(std::move(h)) {}
  void fill(select_waiter& w, void* room) override { select_access::fill(w, case_, room); }
  void run(void* room, bool closed) override { select_access::run(case_, room, closed); }

 private:
  C case_;
  chan_handle channel_;
};

template <class C>
class send_entry final : public selector_entry {
  using T = typename C::value_type;

 public:
  send_entry(C c, chan_handle h) : case_(std::move(c)), channel_(std::move(h)) {}

  void fill(select_waiter& w, void* room) override {
    select_access::fill(w, case_, room);
    if constexpr (std::is_trivially_copyable_v<T>) {
      // What moves is a copy of the bytes.
    } else if constexpr (std::is_copy_constructible_v<T>) {
      if (!copy_) copy_.emplace(std::as_const(case_).value());
      w.value = std::addressof(*copy_);
    } else if (sent_) {
      w.object = nullptr;
    }
  }
  void run(void* room, bool closed) override {
    sent_ = true;
    copy_.reset();
    select_access::run(case_, room, closed);
  }

 private:
  C case_;
  chan_handle channel_;
  std::optional<T> copy_;
  bool sent_ = false;
};

template <class C>
class plain_entry final : public selector_entry {  // otherwise, on_timeout
 public:
  explicit plain_entry(C c) : case_(std::move(c)) {}
  void fill(select_waiter& w, void*) override { w.object = nullptr; }
  void run(void* room, bool closed) override { select_access::run(case_, room, closed); }
  std::int64_t deadline() const override {
    if constexpr (is_timeout<C>)
      return select_access::deadline(case_);
    else
      return never_ns;
  }

 private:
  C case_;
};

}  // namespace detail

// Waits for the first of several cases, again and again. Not to be used by two goroutines at the same time. It keeps
// the channels of its cases alive. Handlers may change it.
class selector {
 public:
  selector() = default;
  selector(const selector&) = delete;
  selector& operator=(const selector&) = delete;

  // As many as can be added; as in Go.
  static constexpr std::size_t max_cases = 65'536;

  // Adds a case, as for select; returns its index. A sending case sends a copy of its value each time if that can be
  // copied; else it sends it once and is never ready again. Panics "rove: selector has a default case", "rove: selector
  // has a timeout", "rove: selector has too many cases (max 65536)". Throws std::bad_alloc.
  template <detail::case_of_select C>
  std::size_t add(C&& c) {
    using type = std::remove_cvref_t<C>;
    if constexpr (detail::is_channel_case<type>) {
      detail::chan_handle channel = detail::select_access::handle(c);
      if constexpr (detail::is_receive_case<type>) {
        using received = typename type::value_type;
        return insert(std::make_shared<detail::receive_entry<type>>(std::forward<C>(c), std::move(channel)),
                      kind::channel, sizeof(received), alignof(received));
      } else {
        return insert(std::make_shared<detail::send_entry<type>>(std::forward<C>(c), std::move(channel)),
                      kind::channel);
      }
    } else {
      const kind k = detail::is_timeout<type> ? kind::timeout : kind::otherwise;
      check_none_yet(k);
      return insert(std::make_shared<detail::plain_entry<type>>(std::forward<C>(c)), k);
    }
  }

  // As rove::select of the cases, in the order in which they were added. Allocates nothing. (Copies of values for
  // sending are made here.)
  std::size_t select();

  // Takes all cases out.
  void clear();

  // How many cases there are.
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  enum class kind { channel, timeout, otherwise };
  struct room_deleter {
    std::size_t align;
    void operator()(void* room) const;
  };
  static constexpr std::size_t none = detail::no_case;

  void check_none_yet(kind k) const;
  std::size_t insert(std::shared_ptr<detail::selector_entry> e, kind k, std::size_t size = 0, std::size_t align = 1);
  void fill();
  std::size_t wait(detail::select_state& s);

  std::vector<std::shared_ptr<detail::selector_entry>> entries_;
  std::unique_ptr<detail::select_waiter[]> waiters_;
  std::size_t capacity_ = 0;                     // of waiters_
  std::unique_ptr<void, room_deleter> room_{nullptr, room_deleter{1}};
  std::size_t room_size_ = 0;
  std::size_t filled_ = 0;                       // the first waiters know what they need
  std::size_t stale_ = none;                     // but this one
  std::size_t otherwise_ = none, timeout_ = none;
};

}  // namespace rove
