// frame: a program with a window, which owns its main thread, and goroutines beside it.
//
//   main thread    SDL's events, and whatever goroutines have to do there: it polls a rove::host
//   the game       a goroutine: steps 100,000 particles by parallel_for on all processors, then goes to the main thread
//                  to draw them (on_host), and sleeps until the next sixtieth of a second
//   loaders        goroutines: each reads a picture by rove::io and takes it to the main thread
//
//   frame [--frames N] [--assets FOLDER] [--screenshot FILE.bmp] [--plot FILE.svg]
//
// Ends after N frames (600), with the window, or with the escape key. SDL_VIDEODRIVER=dummy does without a display.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include <rove/rove.hpp>
#include <rove/host.hpp>

#include "image.hpp"
#include "particles.hpp"
#include "screen.hpp"
#include "times.hpp"

namespace {

using namespace std::chrono_literals;
using rove::time_point;

struct settings {
  int frames = 600;
  std::string assets = "examples/frame/assets";
  std::string screenshot, plot;
};

bool read_settings(int count, char** words, settings& s) {
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = words[i];
    const char* const value = words[i + 1];
    if (name == "--frames")
      s.frames = std::atoi(value);
    else if (name == "--assets")
      s.assets = value;
    else if (name == "--screenshot")
      s.screenshot = value;
    else if (name == "--plot")
      s.plot = value;
    else
      return false;
  }
  return count % 2 == 1 && s.frames > 0;
}

double ms_between(time_point a, time_point b) { return std::chrono::duration<double, std::milli>(b - a).count(); }

// Shared by the main thread and the goroutines. `host` is where the screen may be touched.
struct program {
  const settings& options;
  frame::screen& screen;
  rove::host& host;
  frame::particles particles{100'000, frame::screen::width, frame::screen::height};
  std::vector<frame::frame_time> times{};
  int loaded = 0;      // on the host's thread alone
  bool over = false;   // likewise
};

// Reads a picture, on any thread, and takes it to the screen.
void load(program& p, const char* name, void (frame::screen::*use)(const frame::image&)) {
  std::error_code ec;
  const std::string path = p.options.assets + "/" + name;
  const frame::image picture = frame::load_image(path, ec);
  const rove::on_host here(p.host);
  if (ec) {
    std::fprintf(stderr, "frame: %s: %s\n", path.c_str(), ec.message().c_str());
    return;
  }
  (p.screen.*use)(picture);
  ++p.loaded;
}

void play(program& p) {
  rove::wait_group loaders;
  loaders.go([&p] { load(p, "palette.ppm", &frame::screen::use_palette); });
  loaders.go([&p] { load(p, "sprite.ppm", &frame::screen::use_sprite); });

  constexpr std::chrono::nanoseconds each = 1'000'000'000ns / 60;
  const auto now = [] { return std::chrono::steady_clock::now(); };
  time_point next = now(), before = next;
  for (int i = 0; i < p.options.frames; ++i) {
    // The last frame shows all, however long it took to load.
    if (i == p.options.frames - 1) loaders.wait();
    const time_point start = now();
    p.particles.step();
    const time_point stepped = now();
    bool over = false;
    {
      const rove::on_host here(p.host);
      p.screen.draw(p.particles.positions(), p.particles.attractor());
      over = p.over;
    }
    const time_point drawn = now();
    if (i > 0) p.times.push_back({ms_between(start, stepped), ms_between(stepped, drawn), ms_between(before, drawn)});
    before = drawn;
    if (over) break;
    next = std::max(next + each, start);  // who is late does not hurry afterwards
    rove::sleep_until(next);
  }
  loaders.wait();
}

void report(const program& p) {
  std::printf("%zu frames, %d of 2 pictures loaded\n", p.times.size() + 1, p.loaded);
  const struct {
    const char* what;
    double frame::frame_time::*which;
  } rows[] = {{"interval", &frame::frame_time::interval},
              {"drawn", &frame::frame_time::drawn},
              {"simulated", &frame::frame_time::simulated}};
  for (const auto& row : rows)
    std::printf("%-10s p50 %6.2f ms, p99 %6.2f ms\n", row.what, frame::percentile(p.times, row.which, 50),
                frame::percentile(p.times, row.which, 99));
}

// Runs until the game is over. The main thread sleeps in SDL, which is woken when a goroutine wants to come here.
int run(const settings& s) {
  frame::screen screen;
  const Uint32 work = SDL_RegisterEvents(1);
  rove::runtime rt;
  rove::host host(rt, [work] {
    SDL_Event e{};
    e.type = work;
    SDL_PushEvent(&e);
  });
  program p{s, screen, host};
  bool ended = false;
  rt.go([&] {
    play(p);
    const rove::on_host here(host);
    ended = true;
  });
  while (!ended) {
    SDL_Event e;
    for (int is = SDL_WaitEventTimeout(&e, 100); is; is = SDL_PollEvent(&e))
      if (e.type == SDL_QUIT || (e.type == SDL_KEYDOWN && e.key.keysym.sym == SDLK_ESCAPE)) p.over = true;
    host.poll(8ms);
  }
  rt.stop();
  report(p);
  if (!s.screenshot.empty() && !screen.save(s.screenshot)) {
    std::fprintf(stderr, "frame: %s: %s\n", s.screenshot.c_str(), SDL_GetError());
    return 1;
  }
  if (!s.plot.empty() && !(std::ofstream(s.plot) << frame::plot(p.times)).flush()) {
    std::fprintf(stderr, "frame: %s could not be written\n", s.plot.c_str());
    return 1;
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  settings s;
  if (!read_settings(count, words, s)) {
    std::fprintf(stderr, "usage: frame [--frames N] [--assets FOLDER] [--screenshot FILE.bmp] [--plot FILE.svg]\n");
    return 2;
  }
  try {
    return run(s);
  } catch (const std::runtime_error& e) {  // no display
    std::fprintf(stderr, "frame: %s\n", e.what());
    return 1;
  }
}
