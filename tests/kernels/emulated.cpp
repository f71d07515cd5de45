// SPDX-License-Identifier: MIT
#include "tests/kernels/emulated.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

extern char** environ;

namespace ptowsp::test {
namespace {

bool sendAll(int file, const void* data, size_t bytes) {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t sent = write(file, at, bytes);
    if (sent <= 0) return false;
    at += sent;
    bytes -= static_cast<size_t>(sent);
  }
  return true;
}

bool receiveAll(int file, void* data, size_t bytes) {
  char* at = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t received = read(file, at, bytes);
    if (received <= 0) return false;
    at += received;
    bytes -= static_cast<size_t>(received);
  }
  return true;
}

// A page that cannot be accessed follows each region, as in this process.
constexpr const char* kProgram = R"(
int main() {
  uint64_t call[3];
  while (take(call, sizeof call)) {
    static uint64_t regions[64][2];
    for (uint64_t i = 0; i < call[2]; ++i) {
      if (!take(regions[i], sizeof regions[i])) return 2;
      void* const address = reinterpret_cast<void*>(regions[i][0]);
      if (mmap(address, regions[i][1], PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != address) return 3;
      if (!take(address, regions[i][1])) return 2;
    }
    kernels[call[0]](reinterpret_cast<int64_t*>(call[1]));
    for (uint64_t i = 0; i < call[2]; ++i) {
      if (!give(reinterpret_cast<void*>(regions[i][0]), regions[i][1])) return 2;
      munmap(reinterpret_cast<void*>(regions[i][0]), regions[i][1]);
    }
  }
}
)";

}  // namespace

std::string emulatedProgram(const std::vector<std::string>& functions) {
  std::string declarations, table;
  for (const std::string& function : functions) {
    declarations += "extern \"C\" void " + function + "(int64_t*);\n";
    table += function + ", ";
  }
  return "#include <stdint.h>\n#include <sys/mman.h>\n#include <unistd.h>\n" + declarations +
         "static void (*const kernels[])(int64_t*) = {" + table + "};\n" +
         R"(static bool take(void* data, uint64_t bytes) {
  for (char* at = static_cast<char*>(data); bytes > 0;) {
    const ssize_t n = read(0, at, bytes);
    if (n <= 0) return false;
    at += n, bytes -= static_cast<uint64_t>(n);
  }
  return true;
}
static bool give(const void* data, uint64_t bytes) {
  for (const char* at = static_cast<const char*>(data); bytes > 0;) {
    const ssize_t n = write(1, at, bytes);
    if (n <= 0) return false;
    at += n, bytes -= static_cast<uint64_t>(n);
  }
  return true;
}
)" + kProgram;
}

Emulated::~Emulated() {
  if (child_ < 0) return;
  close(to_);
  close(from_);
  waitpid(child_, nullptr, 0);
}

bool Emulated::start(const std::vector<std::string>& command) {
  std::signal(SIGPIPE, SIG_IGN);  // a program that died is told by call()
  int to[2], from[2];
  if (pipe(to) != 0 || pipe(from) != 0) return false;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to[0], 0);
  posix_spawn_file_actions_adddup2(&actions, from[1], 1);
  for (const int file : {to[0], to[1], from[0], from[1]})
    posix_spawn_file_actions_addclose(&actions, file);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const bool started =
      posix_spawnp(&child_, arguments[0], &actions, nullptr, arguments.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  close(to[0]);
  close(from[1]);
  to_ = to[1];
  from_ = from[0];
  if (!started) child_ = -1;
  return started;
}

bool Emulated::call(uint64_t kernel, const int64_t* args, const std::vector<Region>& regions) {
  const uint64_t call[3] = {kernel, reinterpret_cast<uint64_t>(args), regions.size()};
  if (!sendAll(to_, call, sizeof call)) return false;
  for (const Region& region : regions) {
    const uint64_t place[2] = {reinterpret_cast<uint64_t>(region.address), region.bytes};
    if (!sendAll(to_, place, sizeof place) || !sendAll(to_, region.address, region.bytes))
      return false;
  }
  for (const Region& region : regions)
    if (!receiveAll(from_, region.address, region.bytes)) return false;
  return true;
}

}  // namespace ptowsp::test
