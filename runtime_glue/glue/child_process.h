// SPDX-License-Identifier: MIT
// ChildProcess: one process with a time limit, which cannot outlive this one. It finds open: 0 a
// request, 1 and 2 what it prints, 3 its reports, line by line, 4 memory shared with this process.
//
// File 1 is a pipe that holds one write. Who prints there a line with a certain text is held up:
// the pipe is not read for a while, twice as long for each such line in a row. So a thread of it
// that counts its polls sleeps now and then, and other threads get the processor: the longer it has
// waited in vain, the more of it.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>
#include <vector>

namespace ptowsp::glue {

class ChildProcess {
 public:
  enum class Event { line, end, timeout };
  struct Pace {
    std::string text;  // empty: nobody is held up
    double seconds = 0;  // for the first line
    double most = 0;     // for any
  };

  ChildProcess() = default;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    kill();
    finish();
  }

  // Starts a program; the error's text, empty when it runs. The one before has to be finished.
  std::string start(const std::vector<std::string>& command, const std::string& request, int memory,
                    double timeout_seconds, Pace pace);
  // Waits for the next report, for the end, or until the time is up.
  Event next(std::string* line);
  // Waits for the end, killing the process and all that it started when its time is up; its status
  // as waitpid() gives it.
  int finish();
  // From any thread: ends it.
  void kill();

  pid_t id() const { return id_; }
  // The end of what it printed, after finish().
  const std::string& output() const { return output_; }
  const std::string& errors() const { return errors_; }

 private:
  double remaining() const;
  void takeOutput();
  void closeAll();

  std::mutex mutex_;  // id_ is the number of a process that exists: not yet waited for
  pid_t id_ = 0;
  bool running_ = false;  // guarded by mutex_
  double deadline_ = 0;   // on the monotonic clock; 0: none
  Pace pace_;
  double pause_ = 0;      // seconds, for the line that is printed next, if it is such a line
  double next_read_ = 0;  // of what it prints, on the monotonic clock
  int request_ = -1, printed_ = -1, failed_ = -1, reports_ = -1;
  int status_ = 0;
  std::string pending_, output_, errors_;
};

}  // namespace ptowsp::glue
