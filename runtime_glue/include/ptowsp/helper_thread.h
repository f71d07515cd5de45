// SPDX-License-Identifier: MIT
// How threads are started in somebody else's process: signals that are meant for the program go to its
// own threads. Those of crashes are for whoever crashes. C++17.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace ptowsp {

// A thread that takes none of those signals. Throws what std::thread throws; the calling thread's signals
// are as they were in any case.
template <typename Work>
std::thread helperThread(Work&& work) {
  struct Blocked {
    sigset_t before;
    Blocked() {
      sigset_t signals;
      sigemptyset(&signals);
      for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGCHLD, SIGPIPE, SIGUSR1,
                               SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT})
        sigaddset(&signals, signal);
      pthread_sigmask(SIG_BLOCK, &signals, &before);
    }
    ~Blocked() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  };
  const Blocked blocked;  // threads begin with the mask of who starts them
  return std::thread(std::forward<Work>(work));
}

}  // namespace ptowsp
