// Stack overflow and other memory faults: who gets to handle them. Each in a child of its own, since a handler is
// installed once in a process.
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <rove/detail/config.hpp>

#include "src/arch/fault.hpp"
#include "test/arch/stack_fixture.hpp"

using namespace rove;

namespace {

// A child's end: its exit status, or 1000 and the signal that ended it.
template <class F>
int in_child(F body) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (int s : {SIGSEGV, SIGBUS}) signal(s, SIG_DFL);  // the test framework's own
    stack_t off = {};
    off.ss_flags = SS_DISABLE;
    sigaltstack(&off, nullptr);
    body();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

constexpr int killed = 1000;
constexpr int reported = 50;

arch::stack* one_stack() {
  arch::stack* s = nullptr;
  return arch::take_stacks(arch::size_class_for(512 * 1024), &s, 1) == 1 ? s : nullptr;
}

arch::stack* expected = nullptr;

void report(arch::stack* s, const void* address) {
  char here = 0;
  bool on_the_stack = arch::find_stack(&here) != nullptr;
  _exit(s == expected && arch::in_guard(s, address) && !on_the_stack ? reported : 60);
}

void prepare() {
  stack_test::init();
  expected = one_stack();
  arch::on_stack_overflow = report;
  arch::install_fault_handler();
  arch::install_fault_handler();
}

[[gnu::noinline]] void touch(volatile char* address) { *address = 1; }

[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[200];
  frame[0] = static_cast<char>(depth);
  return depth == 100'000'000 ? 0 : recurse(depth + 1) + frame[0];
}

char* nowhere() {
  return static_cast<char*>(mmap(nullptr, os::page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

void handle(int signal, void (*handler)(int), int flags = 0) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signal, &action, nullptr);
}

sigjmp_buf landing;

}  // namespace

TEST_CASE("a touch of a guard is reported as the overflow of its stack", "[fault]") {
  CHECK(in_child([] {
          prepare();
          arch::thread_alternate_stack alternate;
          touch(expected->low - 1);
        }) == reported);
}

TEST_CASE("a function that runs off its stack is reported, on another stack", "[fault]") {
  CHECK(in_child([] {
          prepare();
          pthread_attr_t attributes;
          pthread_attr_init(&attributes);
          auto size = static_cast<std::size_t>(expected->top - expected->low);
          if (pthread_attr_setstack(&attributes, expected->low, size) != 0) _exit(63);
          pthread_t thread;
          auto body = [](void*) -> void* {
            arch::thread_alternate_stack alternate;
            recurse(0);
            return nullptr;
          };
          if (pthread_create(&thread, &attributes, body, nullptr) != 0) _exit(61);
          pthread_join(thread, nullptr);
        }) == reported);
}

TEST_CASE("the handler runs on the machine's thread that started with blocked signals", "[fault]") {
  CHECK(in_child([] {
          prepare();
          os::thread_handle thread;
          auto body = [](void*) {
            arch::thread_alternate_stack alternate;
            touch(expected->low - os::page_size());
          };
          if (os::start_thread(thread, "fault", body, nullptr) != 0) _exit(61);
          os::join_thread(thread);
        }) == reported);
}

TEST_CASE("another fault ends the process as if we were not there", "[fault]") {
  int status = in_child([] {
    prepare();
    arch::thread_alternate_stack alternate;
    touch(nowhere());
  });
  CHECK(status == killed + SIGSEGV);
}

TEST_CASE("an overflow that nobody wants to report is an ordinary fault", "[fault]") {
  int status = in_child([] {
    prepare();
    arch::on_stack_overflow = nullptr;
    touch(expected->low - 1);
  });
  CHECK(status == killed + SIGSEGV);
}

TEST_CASE("a fault goes to the handler that was there before", "[fault]") {
  CHECK(in_child([] {
          handle(SIGSEGV, [](int) { _exit(51); });
          prepare();
          touch(nowhere());
        }) == 51);
  CHECK(in_child([] {
          static char* address;
          struct sigaction action = {};
          action.sa_flags = SA_SIGINFO;
          action.sa_sigaction = [](int signal, siginfo_t* info, void* context) {
            _exit(signal == SIGSEGV && info->si_addr == address && context != nullptr ? 52 : 62);
          };
          sigaction(SIGSEGV, &action, nullptr);
          prepare();
          address = nowhere();
          touch(address);
        }) == 52);
}

TEST_CASE("the former handler may jump away, again and again", "[fault]") {
  for (int flags : {0, SA_NODEFER}) {
    int status = in_child([flags] {
      handle(SIGSEGV, [](int) { siglongjmp(landing, 1); }, flags);
      prepare();
      volatile int faults = 0;
      char* volatile address = nowhere();
      if (sigsetjmp(landing, 1) != 0) faults = faults + 1;
      if (faults < 3) touch(address);
      _exit(53);
    });
    CHECK(status == 53);
  }
}

TEST_CASE("the former handler may mend the fault", "[fault]") {
  CHECK(in_child([] {
          static char* page;
          page = nowhere();
          handle(SIGSEGV, [](int) { mprotect(page, os::page_size(), PROT_READ | PROT_WRITE); });
          prepare();
          errno = EDOM;
          touch(page);
          _exit(*page == 1 && errno == EDOM ? 54 : 64);
        }) == 54);
}

TEST_CASE("the former handler runs under the mask it asked for", "[fault]") {
  CHECK(in_child([] {
          struct sigaction action = {};
          sigaddset(&action.sa_mask, SIGUSR1);
          action.sa_handler = [](int) {
            sigset_t mask;
            pthread_sigmask(SIG_SETMASK, nullptr, &mask);
            _exit(sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGSEGV) == 1 ? 55 : 65);
          };
          sigaction(SIGSEGV, &action, nullptr);
          prepare();
          touch(nowhere());
        }) == 55);
}

TEST_CASE("a signal that somebody sent is no overflow", "[fault]") {
  CHECK(in_child([] {
          prepare();
          raise(SIGSEGV);
          _exit(66);
        }) == killed + SIGSEGV);
  CHECK(in_child([] {
          handle(SIGSEGV, SIG_IGN);
          prepare();
          raise(SIGSEGV);
          _exit(56);
        }) == 56);
  CHECK(in_child([] {
          handle(SIGBUS, [](int) { _exit(57); });
          prepare();
          kill(getpid(), SIGBUS);
          _exit(67);
        }) == 57);
}

TEST_CASE("a fault cannot be ignored", "[fault]") {
  int status = in_child([] {
    handle(SIGSEGV, SIG_IGN);
    prepare();
    touch(nowhere());
  });
  CHECK(status == killed + SIGSEGV);
}

TEST_CASE("a host's own alternate stack stays, ours goes when its owner does", "[fault]") {
  CHECK(in_child([] {
          stack_t now;
          {
            arch::thread_alternate_stack mine;
            sigaltstack(nullptr, &now);
            if ((now.ss_flags & SS_DISABLE) != 0 || now.ss_size < 64 * 1024) _exit(70);
            arch::thread_alternate_stack again;  // finds one
            stack_t second;
            sigaltstack(nullptr, &second);
            if (second.ss_sp != now.ss_sp) _exit(71);
          }
          sigaltstack(nullptr, &now);
          if ((now.ss_flags & SS_DISABLE) == 0) _exit(72);
          static char room[64 * 1024];
          stack_t host = {};
          host.ss_sp = room;
          host.ss_size = sizeof room;
          sigaltstack(&host, nullptr);
          { arch::thread_alternate_stack mine; }
          sigaltstack(nullptr, &now);
          _exit(now.ss_sp == room ? 58 : 73);
        }) == 58);
}
