// Percentiles, and the plot as SVG.
#include "times.hpp"

#include <algorithm>
#include <cstdio>

namespace frame {
namespace {

constexpr double width = 960, height = 320, margin = 40, most_ms = 34;

double y_of(double ms) { return height - margin - std::min(ms, most_ms) / most_ms * (height - 2 * margin); }

template <class... Value>
std::string text(const char* format, Value... value) {
  char room[256];
  const int n = std::snprintf(room, sizeof room, format, value...);
  return {room, static_cast<std::size_t>(n)};
}

std::string line(const std::vector<frame_time>& times, double frame_time::*which, const char* colour) {
  std::string svg = text("<polyline fill=\"none\" stroke=\"%s\" points=\"", colour);
  const double step = (width - 2 * margin) / static_cast<double>(std::max<std::size_t>(times.size(), 2) - 1);
  for (std::size_t i = 0; i < times.size(); ++i)
    svg += text("%.1f,%.1f ", margin + static_cast<double>(i) * step, y_of(times[i].*which));
  return svg + "\"/>\n";
}

std::string legend(int row, const char* colour, const char* what, const std::vector<frame_time>& times,
                   double frame_time::*which) {
  return text("<text x=\"%.0f\" y=\"%d\" fill=\"%s\">%s: p50 %.2f ms, p99 %.2f ms</text>\n", margin, 14 + 14 * row,
              colour, what, percentile(times, which, 50), percentile(times, which, 99));
}

}  // namespace

double percentile(const std::vector<frame_time>& times, double frame_time::*which, double p) {
  if (times.empty()) return 0;
  std::vector<double> sorted;
  for (const frame_time& t : times) sorted.push_back(t.*which);
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<std::size_t>(p / 100 * static_cast<double>(sorted.size() - 1) + 0.5)];
}

std::string plot(const std::vector<frame_time>& times) {
  std::string svg = text(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" font-family=\"sans-serif\" "
      "font-size=\"11\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
      width, height);
  for (const double ms : {0.0, 1000.0 / 60, 1000.0 / 30}) {
    svg += text("<line x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ccc\"/>", margin, width - margin,
                y_of(ms), y_of(ms));
    svg += text("<text x=\"4\" y=\"%.1f\">%.1f</text>\n", y_of(ms) + 4, ms);
  }
  const struct {
    const char *what, *colour;
    double frame_time::*which;
  } rows[] = {{"interval", "#4060c0", &frame_time::interval},
              {"drawn", "#c06020", &frame_time::drawn},
              {"simulated", "#20a040", &frame_time::simulated}};
  int row = 0;
  for (const auto& r : rows) svg += line(times, r.which, r.colour) + legend(row++, r.colour, r.what, times, r.which);
  return svg + "</svg>\n";
}

}  // namespace frame
