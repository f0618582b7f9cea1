// The window, by SDL. All of it belongs to the main thread.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include <SDL.h>

#include "image.hpp"
#include "particles.hpp"

namespace frame {

class screen {
 public:
  static constexpr int width = 960, height = 540;

  screen();              // throws std::runtime_error if there is no display
  ~screen();
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;

  // What is loaded while frames are drawn already.
  void use_palette(const image& colours);
  void use_sprite(const image& picture);

  void draw(const std::vector<point>& particles, point attractor);
  // A bitmap file of what was drawn last.
  bool save(const std::string& path);

 private:
  SDL_Window* window_ = nullptr;
  SDL_Renderer* renderer_ = nullptr;
  SDL_Texture* sprite_ = nullptr;
  int sprite_width_ = 0, sprite_height_ = 0;
  std::vector<std::uint32_t> palette_{0xff808080};
  std::vector<SDL_FPoint> points_;
};

}  // namespace frame
