// Probes for tools that look from outside (gdb, bpftrace, perf), by the format of SystemTap's sys/sdt.h, version 3.
//
// A probe is one `nop`, and a note in the program's file that is never loaded: where the nop is, the provider ("rove"),
// the probe's name, and for each argument its size and the place where it is found when the nop is reached: "8@%rax"
// is a register, "8@208(%rbx)" memory. A tool that wants to know puts a breakpoint over the nop. So an argument that
// lies in memory anyway costs nothing ("o"); others take a register ("nr").
//
// .stapsdt.base is what a tool knows the shift of a relinked file by; one is kept of all. The group ("?") makes the
// note go with its function where the linker drops one of several copies.
#pragma once

#include <atomic>

namespace rove::base {

#if defined(ROVE_USDT)
inline constexpr bool probes = true;
#else
inline constexpr bool probes = false;
#endif

// The plain word inside of an atomic one: an operand's place, not its value.
template <class T>
[[gnu::always_inline]] inline const T& word_of(const std::atomic<T>& a) {
  static_assert(sizeof a == sizeof(T));
  return reinterpret_cast<const T&>(a);
}

}  // namespace rove::base

// ROVE_PROBE("name", "8@%0 4@%1", operands of an asm): the arguments' sizes, with the operands put in. For use inside
// of functions that are always inlined; operands are by address ("o") or by value ("nr").
#if defined(ROVE_USDT)
#if __has_attribute(retain)
#define ROVE_RETAIN "R"  // else lld and gold drop it with --gc-sections: what is never loaded does not count as a user
#else
#define ROVE_RETAIN ""
#endif
#define ROVE_PROBE(name, arguments, ...)                                  \
  asm inline volatile(                                                        \
      "990:\tnop\n"                                                       \
      "\t.pushsection .note.stapsdt,\"?\",\"note\"\n"                     \
      "\t.balign 4\n"                                                     \
      "\t.4byte 992f-991f, 994f-993f, 3\n"  /* lengths of owner and content, version */ \
      "991:\t.asciz \"stapsdt\"\n"                                        \
      "992:\t.balign 4\n"                                                 \
      "993:\t.8byte 990b, _.stapsdt.base, 0\n"  /* no semaphore: nobody asks whether a tool is there */ \
      "\t.asciz \"rove\"\n"                                               \
      "\t.asciz \"" name "\"\n"                                           \
      "\t.asciz \"" arguments "\"\n"                                      \
      "994:\t.balign 4\n"                                                 \
      "\t.popsection\n"                                                   \
      "\t.ifndef _.stapsdt.base\n"                                        \
      "\t.pushsection .stapsdt.base,\"aG" ROVE_RETAIN "\",\"progbits\",.stapsdt.base,comdat\n" \
      "\t.weak _.stapsdt.base\n"                                          \
      "\t.hidden _.stapsdt.base\n"                                        \
      "_.stapsdt.base:\t.space 1\n"                                       \
      "\t.size _.stapsdt.base, 1\n"                                       \
      "\t.popsection\n"                                                   \
      "\t.endif" ::__VA_ARGS__)
#else
#define ROVE_PROBE(...) static_cast<void>(0)
#endif
