// Catch2, whichever version there is. Its assertions are not thread-safe: assert in one thread or goroutine only, or
// collect there and assert in the test's own.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>  // 3
#else
#include <catch2/catch.hpp>  // 2
#endif
