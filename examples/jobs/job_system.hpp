// A job system of the shape that physics engines ask their host for, on goroutines: jobs that wait for other jobs, and
// barriers that wait for a set of jobs.
//
// A job has a name, a colour for the profiler, a function, and a number of dependencies. When the last dependency is
// taken away the job becomes runnable: a goroutine of its own. Most jobs are started so by the jobs before them. Nobody
// helps while he waits, as job systems without stacks of their own must: a goroutine that waits for a barrier parks, on
// a plain thread the thread sleeps; and a job may block as any goroutine may.
//
// The runtime must live, and not be ended, until all jobs are done. Any thread may call anything.
//
// Pairs. JOB-READY: each dependency that goes away, release, with the last one, acquire: the job sees what all did
// that it waited for. JOB-DONE: the end of a job, release, with those who ask for it: they see what it did.
// JOB-HANDLES: each handle that goes away, release, with the last one, acquire, which frees the job.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include <rove/rove.hpp>

namespace jobs {

class barrier;
class job_system;

class job {
 public:
  job(const job&) = delete;
  job& operator=(const job&) = delete;

  // Only while it has a dependency left: it could be running otherwise.
  void add_dependency(std::uint32_t n = 1);
  // With the last one it becomes runnable. Throws std::logic_error if there are not so many.
  void remove_dependency(std::uint32_t n = 1);
  bool done() const;
  const char* name() const { return name_; }
  std::uint32_t colour() const { return colour_; }

 private:
  friend class barrier;
  friend class job_system;
  friend class handle;
  job(job_system& s, const char* name, std::uint32_t colour, std::function<void()> f, std::uint32_t dependencies)
      : system_(s), name_(name), colour_(colour), function_(std::move(f)), dependencies_(dependencies) {}

  void start();
  void run();
  static barrier* finished();

  job_system& system_;
  const char* const name_;
  const std::uint32_t colour_;
  std::function<void()> function_;
  std::atomic<std::uint32_t> handles_{0};
  std::atomic<std::uint32_t> dependencies_;
  std::atomic<barrier*> barrier_{nullptr};  // that waits for it; finished() from its end on
};

// A counted reference to a job. The job that runs, or will, keeps itself alive.
class handle {
 public:
  handle() = default;
  explicit handle(job* j) : job_(j) {
    if (j) j->handles_.fetch_add(1, std::memory_order_relaxed);  // relaxed: the giver has one, or it is new
  }
  handle(const handle& other) : handle(other.job_) {}
  handle(handle&& other) noexcept : job_(std::exchange(other.job_, nullptr)) {}
  handle& operator=(handle other) noexcept {
    std::swap(job_, other.job_);
    return *this;
  }
  ~handle() {
    if (job_ && job_->handles_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete job_;  // JOB-HANDLES
  }
  job* operator->() const { return job_; }
  explicit operator bool() const { return job_ != nullptr; }

 private:
  job* job_ = nullptr;
};

// Waits for a set of jobs. A job may be in one barrier at most; a running job of the set may add others to it.
class barrier {
 public:
  // Before it runs, while it runs or afterwards. Throws std::logic_error if it is in another one.
  void add(const handle& h);

 private:
  friend class job;
  friend class job_system;
  rove::wait_group unfinished_;
};

class job_system {
 public:
  explicit job_system(rove::runtime& rt)
      : runtime_(rt), concurrency_(rt.run([] { return rove::max_procs(); })) {}

  // How many jobs run at the same time: for engines that cut their work into so many pieces.
  unsigned max_concurrency() const { return concurrency_; }

  // `name` must be valid for ever: a literal. Without dependencies it is runnable at once.
  handle create_job(const char* name, std::uint32_t colour, std::function<void()> f, std::uint32_t dependencies = 0);

  barrier* create_barrier() { return new barrier; }
  // Parks until all jobs of the barrier are done; it may be filled again afterwards.
  void wait(barrier* b) { b->unfinished_.wait(); }
  // Nobody waits for it any more, and its jobs are done.
  void destroy_barrier(barrier* b) { delete b; }

 private:
  friend class job;
  rove::runtime& runtime_;
  const unsigned concurrency_;
};

}  // namespace jobs
