// An intrusive FIFO whose members can leave from the middle. `T` has `next` and `prev`. No lock inside.
#pragma once

namespace rove::base {

template <class T>
class list {
 public:
  bool empty() const { return first_ == nullptr; }
  T* front() const { return first_; }

  void push_back(T* item) {
    item->next = nullptr;
    item->prev = last_;
    (last_ ? last_->next : first_) = item;
    last_ = item;
  }

  void push_front(T* item) {
    item->prev = nullptr;
    item->next = first_;
    (first_ ? first_->prev : last_) = item;
    first_ = item;
  }

  T* pop_front() {
    T* const item = first_;
    if (item) remove(item);
    return item;
  }

  void remove(T* item) {
    (item->prev ? item->prev->next : first_) = item->next;
    (item->next ? item->next->prev : last_) = item->prev;
    item->next = item->prev = nullptr;
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

}  // namespace rove::base
