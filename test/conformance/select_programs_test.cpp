// Go's programs of select, as programs of ours: a sieve that feeds itself, power series made on demand.
#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <numeric>
#include <queue>
#include <vector>

#include "test/conformance/support.hpp"

using namespace rove_test;

namespace {

using ints = rove::chan<int>;

// ---- Eratosthenes, with a queue for each prime --------------------------------------------------------------------

// Counts from `first` in steps.
ints counter(int first, int step, int room) {
  auto out = rove::make_chan<int>(room);
  rove::go([=] {
    for (int i = first;; i += step) out.send(i);
  });
  return out;
}

// Takes whatever is sent at once, and hands it on when `out` has room: an endless buffer.
ints never_full(const ints& out) {
  auto in = rove::make_chan<int>(10);
  rove::go([=] {
    std::deque<int> kept;
    for (;;)
      rove::select(in.on_recv([&](std::optional<int> v) { kept.push_back(*v); }),
                   (kept.empty() ? ints() : out).on_send(kept.empty() ? 0 : kept.front(), [&] { kept.pop_front(); }));
  });
  return in;
}

// Merges the odd multiples of each prime that comes, in increasing order.
void merge_multiples(const ints& primes, const ints& composites) {
  struct source {
    int head;
    ints rest;
    bool operator>(const source& other) const { return head > other.head; }
  };
  std::priority_queue<source, std::vector<source>, std::greater<>> heap;
  const auto advance = [&] {
    source s = heap.top();
    heap.pop();
    s.head = *s.rest.recv();
    heap.push(s);
  };
  const auto add = [&] {
    const int p = *primes.recv();
    auto multiples = counter(p * p, 2 * p, 10);
    const int head = *multiples.recv();
    heap.push({head, multiples});
    return head;
  };
  for (int newest = add();; newest = add())
    while (heap.top().head <= newest) {
      const int c = heap.top().head;
      composites.send(c);
      while (heap.top().head == c) advance();
    }
}

ints primes_by_queues() {
  auto out = rove::make_chan<int>(10), found = rove::make_chan<int>(10), composites = rove::make_chan<int>(50);
  rove::go([=] { merge_multiples(found, composites); });
  rove::go([=] {
    out.send(2);
    out.send(3);
    found.send(3);
    const auto later = never_full(found);
    const auto candidates = counter(5, 2, 50);
    int candidate = *candidates.recv();
    for (;;) {
      const int composite = *composites.recv();
      for (; candidate < composite; candidate = *candidates.recv()) {
        later.send(candidate);
        out.send(candidate);
      }
      if (candidate == composite) candidate = *candidates.recv();
    }
  });
  return out;
}

// ---- power series -------------------------------------------------------------------------------------------------

struct ratio {
  long num = 0, den = 1;
  ratio(long n = 0, long d = 1) : num(n), den(d) {
    const long g = std::gcd(n, d) * (d < 0 ? -1 : 1);
    if (g != 0) num /= g, den /= g;
  }
  friend ratio operator+(ratio a, ratio b) {
    const long g = std::gcd(a.den, b.den);
    return {a.num * (b.den / g) + b.num * (a.den / g), a.den / g * b.den};
  }
  friend ratio operator*(ratio a, ratio b) {
    const ratio x(a.num, b.den), y(b.num, a.den);
    return {x.num * y.num, x.den * y.den};
  }
  bool operator==(const ratio&) const = default;
};

// Coefficients, endlessly many, each made when it is asked for.
struct series {
  rove::chan<int> ask = rove::make_chan<int>();
  rove::chan<ratio> give = rove::make_chan<ratio>();

  ratio next() const {
    ask.send(1);
    return *give.recv();
  }
  std::vector<ratio> first(int n) const {
    std::vector<ratio> v;
    for (int i = 0; i < n; ++i) v.push_back(next());
    return v;
  }
};

// `coefficient(i)` is called when the i-th is asked for.
template <class F>
void serve(const series& out, F coefficient) {
  rove::go([out, coefficient = std::move(coefficient)]() mutable {
    for (int i = 0;; ++i) {
      out.ask.recv();
      out.give.send(coefficient(i));
    }
  });
}
template <class F>
series make(F coefficient) {
  series out;
  serve(out, std::move(coefficient));
  return out;
}

series constant(long c) {
  return make([c](int) { return ratio(c); });
}
series operator+(const series& a, const series& b) {
  return make([a, b](int) {
    const ratio x = a.next();
    return x + b.next();
  });
}
series operator*(ratio c, const series& a) {
  return make([c, a](int) { return c * a.next(); });
}
series operator*(const series& a, const series& b) {
  return make([a, b, as = std::vector<ratio>(), bs = std::vector<ratio>()](int n) mutable {
    as.push_back(a.next());
    bs.push_back(b.next());
    ratio sum;
    for (std::size_t i = 0; i < as.size(); ++i) sum = sum + as[i] * bs[static_cast<std::size_t>(n) - i];
    return sum;
  });
}
series derivative(const series& a) {
  return make([a](int i) {
    if (i == 0) a.next();
    return ratio(i + 1) * a.next();
  });
}
series integral(ratio c, const series& a) {
  return make([c, a](int i) { return i == 0 ? c : ratio(1, i) * a.next(); });
}
// a(c * x^n)
series substituted(const series& a, ratio c, int n) {
  return make([a, c, n, power = ratio(1)](int i) mutable {
    if (i % n != 0) return ratio(0);
    const ratio x = power * a.next();
    power = power * c;
    return x;
  });
}

// Both outputs give all of `in`; neither waits for the other, and either may be what `in` itself waits for.
void split(const series& in, const std::array<series, 2>& out) {
  rove::go([=] {
    std::vector<ratio> known;
    std::array<std::size_t, 2> given{};
    std::array<bool, 2> wanted{};
    bool asked = false;
    for (;;) {
      for (std::size_t s = 0; s < 2; ++s)
        if (wanted[s] && given[s] < known.size()) {
          out[s].give.send(known[given[s]++]);
          wanted[s] = false;
        }
      const bool must_ask = (wanted[0] || wanted[1]) && !asked;
      rove::select((must_ask ? in.ask : rove::chan<int>()).on_send(1, [&] { asked = true; }),
                   (asked ? in.give : rove::chan<ratio>()).on_recv([&](std::optional<ratio> r) {
                     known.push_back(*r);
                     asked = false;
                   }),
                   (wanted[0] ? rove::chan<int>() : out[0].ask).on_recv([&] { wanted[0] = true; }),
                   (wanted[1] ? rove::chan<int>() : out[1].ask).on_recv([&] { wanted[1] = true; }));
    }
  });
}

// e = exp(a) with a(0) = 0 solves e' = a' e: the result is fed back into itself.
series exponential(const series& a) {
  const std::array<series, 2> e;
  split(integral(1, derivative(a) * e[1]), e);
  return e[0];
}

std::vector<ratio> listed(int n, std::function<ratio(int)> f) {
  std::vector<ratio> v;
  for (int i = 0; i < n; ++i) v.push_back(f(i));
  return v;
}

}  // namespace

TEST_CASE("program: a sieve of queues, fed back through a buffer without end") {
  on_ending_runtimes([](rove::runtime&) {
    const auto primes = primes_by_queues();
    for (const int p : {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97})
      CHECK(primes.recv() == p);
  });
}

TEST_CASE("program: power series, each operation a goroutine") {
  constexpr int n = 10;
  on_ending_runtimes([](rove::runtime&) {
    CHECK(constant(1).first(n) == listed(n, [](int) { return ratio(1); }));
    CHECK((constant(1) + constant(2)).first(n) == listed(n, [](int) { return ratio(3); }));
    CHECK((constant(1) + ratio(-1) * constant(2)).first(n) == listed(n, [](int) { return ratio(-1); }));
    CHECK(derivative(constant(1)).first(n) == listed(n, [](int i) { return ratio(i + 1); }));
    CHECK(integral(0, constant(1)).first(n) == listed(n, [](int i) { return i == 0 ? ratio(0) : ratio(1, i); }));
    CHECK((constant(1) * constant(1)).first(n) == listed(n, [](int i) { return ratio(i + 1); }));
    const auto arc_tangent = integral(0, substituted(constant(1), -1, 2));
    CHECK(arc_tangent.first(n) ==
          listed(n, [](int i) { return i % 2 == 0 ? ratio(0) : ratio(i % 4 == 1 ? 1 : -1, i); }));
  });
}

TEST_CASE("program: power series fed back into themselves") {
  on_ending_runtimes([](rove::runtime&) {
    long factorial = 1;
    CHECK(exponential(make([](int i) { return ratio(i == 1); })).first(12) ==
          listed(12, [&](int i) { return ratio(1, factorial *= std::max(i, 1)); }));
    // exp(x / (1 - x)): the number of ordered partitions of a set, over i factorial.
    const std::vector<ratio> expected{1, 1, {3, 2}, {13, 6}, {73, 24}, {501, 120}, {4051, 720}, {37633, 5040}};
    CHECK(exponential(make([](int i) { return ratio(i > 0); })).first(8) == expected);
  });
}
