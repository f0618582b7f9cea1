// What AddressSanitizer and ThreadSanitizer have to be told about stacks; nothing at all in other builds.
//
// A context is announced once, when its stack is made (or, for a thread's own stack, on that thread), and stays
// announced while goroutine after goroutine uses it: a fiber of ThreadSanitizer is dear, so it is renewed only now and
// then. The switch announces itself.
#pragma once

#include <rove/detail/switch.hpp>

namespace rove::arch {

#if ROVE_SANITIZED

// A goroutine's context, whose stack is [low, top). Before the first switch to each goroutine. Any thread.
void sanitizer_attach(detail::context& c, const char* low, const char* top);
// The context that stands for the calling thread's own stack. Again when it is another thread's.
void sanitizer_attach_thread(detail::context& c);
// The stack of a goroutine's context goes away for good. Not on that stack. Any thread.
void sanitizer_detach(detail::context& c);
// The goroutine of `c` is about to switch away for the last time; the frames it leaves are dead. Right before that
// switch, on that stack.
void sanitizer_leaving_for_good(detail::context& c);
// Another goroutine is to start on a stack that was used: the marks of the dead frames are wiped off.
void sanitizer_stack_reused(const char* low, const char* top);

#else

inline void sanitizer_attach(detail::context&, const char*, const char*) {}
inline void sanitizer_attach_thread(detail::context&) {}
inline void sanitizer_detach(detail::context&) {}
inline void sanitizer_leaving_for_good(detail::context&) {}
inline void sanitizer_stack_reused(const char*, const char*) {}

#endif

}  // namespace rove::arch
