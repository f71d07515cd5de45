// SPDX-License-Identifier: MIT
// What programs show on a terminal and leave out of logs: colours, and the line that says how far a
// long step has come.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace ptowsp::terminal {

// A terminal on which a line can be written anew.
inline bool isLive(int descriptor) {
  const char* const kind = std::getenv("TERM");
  return isatty(descriptor) && kind && std::strcmp(kind, "dumb") != 0;
}

// `choice` is the value of --color: always, never, or auto, for which the environment's NO_COLOR
// counts.
inline bool wantsColour(const std::string& choice, int descriptor) {
  if (choice != "auto") return choice == "always";
  const char* const no_colour = std::getenv("NO_COLOR");
  return isLive(descriptor) && !(no_colour && *no_colour);
}

// Progress: one line on stderr, where that is a terminal. It comes up only in steps that take
// longer than a second, and is gone when they are over.
class Progress {
 public:
  Progress()
      : live_(terminal::isLive(STDERR_FILENO)), next_(Clock::now() + std::chrono::seconds(1)) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  bool isLive() const { return live_; }
  // Whether it is time for show(), so that texts are made for nothing seldom.
  bool isDue() const { return live_ && Clock::now() >= next_; }
  void show(const std::string& text) {
    if (!isDue()) return;
    next_ = Clock::now() + std::chrono::milliseconds(100);
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    std::fflush(stderr);
    shown_ = true;
  }
  void clear() {
    if (!shown_) return;
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
    shown_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool live_, shown_ = false;
  Clock::time_point next_;
};

}  // namespace ptowsp::terminal
