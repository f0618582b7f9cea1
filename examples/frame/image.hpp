// Pictures in files: what the program loads while it runs. Waits for the disk as goroutines do.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace frame {

struct image {
  int width = 0, height = 0;
  std::vector<std::uint32_t> pixels;  // 0xaarrggbb
};

// A portable pixmap in text (P3), at most 1024 pixels wide and high. Black is transparent.
image load_image(const std::string& path, std::error_code& ec);

}  // namespace frame
