// Mutation by site: weakens, one at a time, every order and every fence that a program executes, and expects that the
// checker finds what that breaks. It shows that the test can fail, and that no order is stronger than it has to be.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "test/catch.hpp"
#include "test/model/checker.hpp"

namespace rove::model {

// A slow machine (an emulator, a sanitizer) may be told to try a part: ROVE_MODEL_PERCENT=20.
inline options scaled(options o) {
  if (const char* const percent = std::getenv("ROVE_MODEL_PERCENT"); percent != nullptr && !o.exhaustive)
    o.executions = o.executions * std::strtoull(percent, nullptr, 10) / 100;
  return o;
}

inline void holds(const options& o, const std::function<void()>& body) {
  const result r = explore(scaled(o), body);
  INFO(r.report);
  CHECK(r);
}

inline void is_found(const options& o, const std::function<void()>& body, std::string_view what = "") {
  const result r = explore(o, body);
  INFO("found in execution " << r.executions << ": " << r.what);
  CHECK(r.failed);
  CHECK(r.what.find(what) != std::string::npos);
}

// What this program alone cannot show to be needed, by site::name.
using excuses = std::vector<std::string_view>;

inline bool excused(const site& s, const excuses& known) {
  return std::find(known.begin(), known.end(), s.name()) != known.end();
}

// Weakens each site in the files whose name ends with `file`. The program must be right as it is.
inline void every_site_counts(options o, const std::function<void()>& body, std::string_view file, const excuses& known = {}) {
  options few = o;
  few.executions = std::min<std::uint64_t>(o.executions, 500);
  const result sites = explore(few, body);
  int tried = 0;
  const auto try_all = [&](const std::vector<site>& all, bool halved) {
    for (const site& s : all) {
      if (!std::string_view(s.file).ends_with(file) || excused(s, known))
        continue;
      o.weaken = s;
      o.halved = halved;
      const result r = explore(o, body);
      INFO("weakened: " << s.text() << ", " << s.kind << (halved ? ", heavy fence to full" : "") << ", executions " << r.executions);
      CHECK(r.failed);
      ++tried;
    }
  };
  try_all(sites.strong, false);
  try_all(sites.heavy, false);
  try_all(sites.heavy, true);
  CHECK(tried > 0);
}

}  // namespace rove::model
