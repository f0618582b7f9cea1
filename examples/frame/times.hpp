// How long frames took, as numbers and as a picture.
#pragma once

#include <string>
#include <vector>

namespace frame {

// In milliseconds.
struct frame_time {
  double simulated;  // the particles' step
  double drawn;      // from wishing to draw until it was done, with the way to the main thread
  double interval;   // since the frame before
};

// The p-th percentile (0 to 100) of one of the numbers; 0 of none.
double percentile(const std::vector<frame_time>& times, double frame_time::*which, double p);

// A plot of all frames.
std::string plot(const std::vector<frame_time>& times);

}  // namespace frame
