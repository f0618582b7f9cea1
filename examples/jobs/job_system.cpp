// The job system: from the last dependency to the end of a job.
#include "job_system.hpp"

#include <stdexcept>

namespace jobs {

// Not a barrier: what stands in a job's place for one when the job is done.
barrier* job::finished() {
  static barrier nobody;
  return &nobody;
}

void job::add_dependency(std::uint32_t n) {
  dependencies_.fetch_add(n, std::memory_order_relaxed);  // relaxed: it says nothing of what was done
}

void job::remove_dependency(std::uint32_t n) {
  const std::uint32_t before = dependencies_.fetch_sub(n, std::memory_order_acq_rel);  // JOB-READY
  if (before < n) throw std::logic_error("jobs: a job has fewer dependencies than are taken away");
  if (before == n) start();
}

bool job::done() const { return barrier_.load(std::memory_order_acquire) == finished(); }  // JOB-DONE

void job::start() {
  system_.runtime_.go([self = handle(this)] { self->run(); });
}

void job::run() {
  rove::this_goroutine::set_name(name_);
  function_();
  function_ = nullptr;  // what it captured, handles of other jobs perhaps, is not needed any more
  if (barrier* const b = barrier_.exchange(finished(), std::memory_order_acq_rel)) b->unfinished_.done();  // JOB-DONE
}

void barrier::add(const handle& h) {
  unfinished_.add(1);
  barrier* other = nullptr;
  if (h->barrier_.compare_exchange_strong(other, this, std::memory_order_acq_rel)) return;  // JOB-DONE
  unfinished_.done();
  if (other != job::finished()) throw std::logic_error("jobs: a job is in two barriers");
}

handle job_system::create_job(const char* name, std::uint32_t colour, std::function<void()> f,
                              std::uint32_t dependencies) {
  const handle h(new job(*this, name, colour, std::move(f), dependencies));
  if (dependencies == 0) h->start();
  return h;
}

}  // namespace jobs
