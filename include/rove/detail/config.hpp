// What the compiler at hand offers: exceptions, sanitizers, the CPU.
#pragma once

#if defined(__cpp_exceptions)
#define ROVE_EXCEPTIONS 1
#else
#define ROVE_EXCEPTIONS 0
#endif

#if defined(__SANITIZE_THREAD__)
#define ROVE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ROVE_TSAN 1
#endif
#endif
#ifndef ROVE_TSAN
#define ROVE_TSAN 0
#endif

#if defined(__SANITIZE_ADDRESS__)
#define ROVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ROVE_ASAN 1
#endif
#endif
#ifndef ROVE_ASAN
#define ROVE_ASAN 0
#endif

// In a sanitizer's build every switch is announced, so it goes through one function of the library.
#define ROVE_SANITIZED (ROVE_TSAN || ROVE_ASAN)

// Built with -Dfp_env=true: a switch saves and loads the floating-point mode. It changes `context`, so the library and
// the programs must agree; the build system tells both.
#ifndef ROVE_FP_ENV
#define ROVE_FP_ENV 0
#endif

#define ROVE_ALWAYS_INLINE [[gnu::always_inline]] inline
