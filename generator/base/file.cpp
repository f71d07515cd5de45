// SPDX-License-Identifier: MIT
#include "generator/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace ptowsp {
namespace {

// Closes what it was given; close errors that matter are asked for by name.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  // False with errno set when the kernel could not keep what was written.
  bool close() {
    int fd = fd_;
    fd_ = -1;
    return ::close(fd) == 0;
  }

 private:
  int fd_;
};

std::string because(const char* what, const std::string& path, int error) {
  return std::string("cannot ") + what + " '" + path + "': " + std::strerror(error);
}

bool writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

std::optional<std::string> readFile(const std::string& path, std::string& error) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    error = because("read", path, errno);
    return std::nullopt;
  }
  if (S_ISDIR(status.st_mode)) {
    error = because("read", path, EISDIR);
    return std::nullopt;
  }
  std::string bytes;
  // A pipe or a file under /proc says size 0: read until the end, the size is only a hint.
  bytes.resize(static_cast<size_t>(status.st_size) + 1);
  size_t used = 0;
  while (true) {
    if (used == bytes.size()) bytes.resize(bytes.size() * 2);
    ssize_t got = ::read(file.get(), bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      error = because("read", path, errno);
      return std::nullopt;
    }
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  bytes.resize(used);
  return bytes;
}

WriteStatus writeFileIfChanged(const std::string& path, std::string_view bytes,
                               std::string& error) {
  std::string ignored;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && static_cast<uint64_t>(status.st_size) == bytes.size()) {
    std::optional<std::string> old = readFile(path, ignored);
    if (old && *old == bytes) return WriteStatus::unchanged;
  }
  std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) {
    std::error_code failed;
    std::filesystem::create_directories(parent, failed);
    if (failed) {
      error = "cannot make folder '" + parent.string() + "': " + failed.message();
      return WriteStatus::failed;
    }
  }
  // A name of this process, so that two writers at once do not mix their bytes.
  static std::atomic<unsigned> count{0};
  std::string temporary =
      path + ".tmp" + std::to_string(::getpid()) + "." + std::to_string(count++);
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) {
    error = because("write", path, errno);
    return WriteStatus::failed;
  }
  if (!writeAll(file.get(), bytes) || !file.close() ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    error = because("write", path, errno);
    ::unlink(temporary.c_str());
    return WriteStatus::failed;
  }
  return WriteStatus::written;
}

}  // namespace ptowsp
