// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <string_view>

namespace ptowsp::glue {
namespace {

constexpr size_t kMostPrinted = 1 << 16;  // bytes that are kept of what it printed
constexpr double kDrainSeconds = 0.001;

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// A file in memory; -1 on failure.
int memoryFile(const char* name, const std::string& content) {
  const int file = memfd_create(name, MFD_CLOEXEC);
  size_t at = 0;
  while (file >= 0 && at < content.size()) {
    const ssize_t written = write(file, content.data() + at, content.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      close(file);
      return -1;
    }
    at += static_cast<size_t>(written);
  }
  if (file >= 0) lseek(file, 0, SEEK_SET);
  return file;
}

// The end of what was written to a memory file.
std::string contentOf(int file) {
  const off_t size = file < 0 ? 0 : lseek(file, 0, SEEK_END);
  if (size <= 0) return {};
  std::string text(std::min<size_t>(static_cast<size_t>(size), kMostPrinted), '\0');
  const ssize_t got = pread(file, text.data(), text.size(), size - static_cast<off_t>(text.size()));
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

// Between fork and exec: async-signal-safe calls only. Does not return.
[[noreturn]] void become(char* const* arguments, const int (&files)[5], int error_pipe,
                         pid_t parent) {
  // Out of the way of numbers 0 to 4 first, so that none is overwritten before it is copied.
  int copies[5];
  const int moved = fcntl(error_pipe, F_DUPFD_CLOEXEC, 16);
  bool in_place = moved >= 0;
  if (in_place) error_pipe = moved;
  for (int i = 0; i < 5 && in_place; ++i)
    in_place = (copies[i] = fcntl(files[i], F_DUPFD_CLOEXEC, 16)) >= 0;
  for (int i = 0; i < 5 && in_place; ++i) in_place = dup2(copies[i], i) == i;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGALRM}) ::signal(signal, SIG_DFL);
  if (in_place && getppid() == parent) execv(arguments[0], arguments);
  const int error = errno;
  const ssize_t written = write(error_pipe, &error, sizeof error);
  _exit(written == sizeof error ? 127 : 126);
}

}  // namespace

std::string ChildProcess::start(const std::vector<std::string>& command, const std::string& request,
                                int memory, double timeout_seconds, Pace pace) {
  finish();
  output_.clear();
  errors_.clear();
  pending_.clear();
  deadline_ = timeout_seconds > 0 ? now() + timeout_seconds : 0;
  request_ = memoryFile("request", request);
  pace_ = std::move(pace);
  pause_ = pace_.seconds;
  next_read_ = 0;
  int printed[2] = {-1, -1};
  // O_DIRECT: each write is a packet, and takes a page; the pipe is made one page large.
  if (pipe2(printed, O_CLOEXEC | O_DIRECT | O_NONBLOCK) == 0) {
    fcntl(printed[1], F_SETPIPE_SZ, 1);
    fcntl(printed[1], F_SETFL, O_DIRECT);
  }
  printed_ = printed[0];
  failed_ = memoryFile("errors", "");
  int reports[2] = {-1, -1}, starting[2] = {-1, -1};
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t id = -1;
  if (request_ >= 0 && printed_ >= 0 && failed_ >= 0 && pipe2(reports, O_CLOEXEC) == 0 &&
      pipe2(starting, O_CLOEXEC) == 0) {
    const pid_t parent = getpid();
    const int files[5] = {request_, printed[1], failed_, reports[1], memory};
    id = fork();
    if (id == 0) become(arguments.data(), files, starting[1], parent);
  }
  int error = id >= 0 ? 0 : errno != 0 ? errno : EIO;
  if (printed[1] >= 0) close(printed[1]);
  if (reports[1] >= 0) close(reports[1]);
  if (starting[1] >= 0) close(starting[1]);
  reports_ = reports[0];
  if (id > 0) {
    setpgid(id, id);  // whoever of the two is first
    while (read(starting[0], &error, sizeof error) < 0 && errno == EINTR) {
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    id_ = id;
    running_ = true;
  }
  if (starting[0] >= 0) close(starting[0]);
  if (!error) return {};
  finish();
  return std::strerror(error);
}

double ChildProcess::remaining() const {
  return deadline_ == 0 ? HUGE_VAL : std::max(0.0, deadline_ - now());
}

ChildProcess::Event ChildProcess::next(std::string* line) {
  for (;;) {
    const size_t end = pending_.find('\n');
    if (end != std::string::npos) {
      *line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return Event::line;
    }
    const double seconds = remaining();
    if (seconds == 0) return Event::timeout;
    const double pause = next_read_ - now();
    pollfd wanted[2] = {{reports_, POLLIN, 0}, {pause > 0 ? -1 : printed_, POLLIN, 0}};
    const double most = pause > 0 ? std::min(seconds, pause) : std::min(seconds, 1000.0);
    const timespec limit = {static_cast<time_t>(most),
                            static_cast<long>((most - std::floor(most)) * 1e9)};
    if (ppoll(wanted, 2, &limit, nullptr) <= 0) continue;
    if (wanted[1].revents) takeOutput();
    if (!wanted[0].revents) continue;
    char buffer[4096];
    const ssize_t got = read(reports_, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Event::end;
    pending_.append(buffer, static_cast<size_t>(got));
  }
}

void ChildProcess::takeOutput() {
  char buffer[4096];
  const ssize_t got = read(printed_, buffer, sizeof buffer);
  if (got == 0) {
    close(printed_);  // nobody prints any more
    printed_ = -1;
  }
  if (got <= 0) return;
  const std::string_view text(buffer, static_cast<size_t>(got));
  if (!pace_.text.empty() && text.find(pace_.text) != std::string_view::npos) {
    next_read_ = now() + pause_;
    pause_ = std::min(2 * pause_, pace_.most);
  } else {
    pause_ = pace_.seconds;
  }
  output_ += text;
  if (output_.size() > 2 * kMostPrinted) output_.erase(0, output_.size() - kMostPrinted);
}

int ChildProcess::finish() {
  while (running_) {
    const bool late = remaining() == 0;
    if (late) kill();
    siginfo_t ended = {};
    if (waitid(P_PID, static_cast<id_t>(id_), &ended, WEXITED | WNOWAIT | (late ? 0 : WNOHANG)) ==
            0 &&
        ended.si_pid == 0) {
      pollfd printed = {printed_, POLLIN, 0};
      const timespec limit = {0, static_cast<long>(kDrainSeconds * 1e9)};
      if (ppoll(&printed, 1, &limit, nullptr) > 0) takeOutput();
      continue;
    }
    // Its number is free from here on, so kill() must not use it any more.
    const std::lock_guard<std::mutex> lock(mutex_);
    ::kill(-id_, SIGKILL);  // what it started, if anything
    while (waitpid(id_, &status_, 0) < 0 && errno == EINTR) {
    }
    running_ = false;
  }
  closeAll();
  return status_;
}

void ChildProcess::kill() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (running_) ::kill(-id_, SIGKILL);
}

void ChildProcess::closeAll() {
  for (size_t before = 0; printed_ >= 0; before = output_.size()) {
    takeOutput();
    if (output_.size() == before) break;
  }
  if (failed_ >= 0) errors_ = contentOf(failed_);
  for (int* file : {&request_, &printed_, &failed_, &reports_}) {
    if (*file >= 0) close(*file);
    *file = -1;
  }
}

}  // namespace ptowsp::glue
