// The window: particles as points, in as many colours as the palette has.
#include "screen.hpp"

#include <algorithm>
#include <cstring>

namespace frame {
namespace {

[[noreturn]] void fail(const char* what) { throw std::runtime_error(std::string(what) + ": " + SDL_GetError()); }

std::uint8_t part(std::uint32_t colour, int shift) { return static_cast<std::uint8_t>(colour >> shift & 0xff); }

}  // namespace

screen::screen() {
  if (SDL_Init(SDL_INIT_VIDEO) != 0) fail("SDL_Init");
  window_ = SDL_CreateWindow("rove: frame", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, width, height, 0);
  if (!window_) fail("SDL_CreateWindow");
  renderer_ = SDL_CreateRenderer(window_, -1, 0);
  if (!renderer_) renderer_ = SDL_CreateRenderer(window_, -1, SDL_RENDERER_SOFTWARE);
  if (!renderer_) fail("SDL_CreateRenderer");
}

screen::~screen() {
  if (sprite_) SDL_DestroyTexture(sprite_);
  SDL_DestroyRenderer(renderer_);
  SDL_DestroyWindow(window_);
  SDL_Quit();
}

void screen::use_palette(const image& colours) {
  if (!colours.pixels.empty()) palette_ = colours.pixels;
}

void screen::use_sprite(const image& picture) {
  sprite_ = SDL_CreateTexture(renderer_, SDL_PIXELFORMAT_ARGB8888, SDL_TEXTUREACCESS_STATIC, picture.width,
                              picture.height);
  if (!sprite_) return;
  SDL_UpdateTexture(sprite_, nullptr, picture.pixels.data(), picture.width * 4);
  SDL_SetTextureBlendMode(sprite_, SDL_BLENDMODE_BLEND);
  sprite_width_ = picture.width;
  sprite_height_ = picture.height;
}

void screen::draw(const std::vector<point>& particles, point attractor) {
  SDL_SetRenderDrawColor(renderer_, 8, 10, 24, 255);
  SDL_RenderClear(renderer_);
  points_.resize(particles.size());
  for (std::size_t i = 0; i < particles.size(); ++i) points_[i] = {particles[i].x, particles[i].y};
  const std::size_t colours = palette_.size();
  for (std::size_t i = 0; i < colours; ++i) {
    const std::size_t first = points_.size() * i / colours, last = points_.size() * (i + 1) / colours;
    SDL_SetRenderDrawColor(renderer_, part(palette_[i], 16), part(palette_[i], 8), part(palette_[i], 0), 255);
    SDL_RenderDrawPointsF(renderer_, points_.data() + first, static_cast<int>(last - first));
  }
  if (sprite_) {
    const auto w = static_cast<float>(sprite_width_), h = static_cast<float>(sprite_height_);
    const SDL_FRect to{attractor.x - w, attractor.y - h, 2 * w, 2 * h};
    SDL_RenderCopyF(renderer_, sprite_, nullptr, &to);
  }
  SDL_RenderPresent(renderer_);
}

bool screen::save(const std::string& path) {
  SDL_Surface* const picture = SDL_CreateRGBSurfaceWithFormat(0, width, height, 32, SDL_PIXELFORMAT_ARGB8888);
  if (!picture) return false;
  const bool saved = SDL_RenderReadPixels(renderer_, nullptr, picture->format->format, picture->pixels,
                                          picture->pitch) == 0 &&
                     SDL_SaveBMP(picture, path.c_str()) == 0;
  SDL_FreeSurface(picture);
  return saved;
}

}  // namespace frame
