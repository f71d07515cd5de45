// SPDX-License-Identifier: MIT
// npy: tensors in NumPy's .npy files. Reads format 1.0, 2.0 and 3.0, writes 1.0, little-endian and
// C order only. Errors are values: a message that names the file, what was found and what was
// expected.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "ptowsp/npy.h maps little-endian files as they are"
#endif

namespace ptowsp::npy {

// Type: what NumPy calls <f4, <f2, <u2 and <i4. NumPy has no bf16: its bit patterns are kept as
// <u2.
enum class Type { f32, f16, bf16, i32 };
using Shape = std::vector<int64_t>;

inline const char* descriptorOf(Type type) {
  return type == Type::f32 ? "<f4" : type == Type::f16 ? "<f2" : type == Type::bf16 ? "<u2" : "<i4";
}
inline size_t sizeOf(Type type) { return type == Type::f32 || type == Type::i32 ? 4 : 2; }

// Status: success when the message is empty. `fix` says what to change and may be empty.
struct Status {
  std::string message;
  std::string fix;
  bool ok() const { return message.empty(); }
};

// The shape as Python writes it: "(64, 256)", "(5,)", "()".
inline std::string shapeText(const Shape& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i ? ", " : "") + std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

namespace detail {

// Header: the Python dictionary at the head of a file.
struct Header {
  std::string descriptor;
  bool fortran_order = false;
  Shape shape;
};

// Parser: just enough of Python's literal syntax for that dictionary. Each function returns false
// where the text is not of the form.
class Parser {
 public:
  Parser(const char* begin, const char* end) : at_(begin), end_(end) {}

  bool parse(Header& header) {
    bool descriptor = false, order = false, shape = false;
    if (!take('{')) return false;
    while (!take('}')) {
      std::string key;
      if (!quoted(key) || !take(':')) return false;
      bool* seen = key == "descr"           ? &descriptor
                   : key == "fortran_order" ? &order
                   : key == "shape"         ? &shape
                                            : nullptr;
      if (!seen || *seen) return false;
      *seen = true;
      if (key == "descr" ? !descriptorValue(header.descriptor)
                         : (key == "shape" ? !tuple(header.shape) : !boolean(header.fortran_order)))
        return false;
      if (!take(',') && !peek('}')) return false;
    }
    skipSpace();
    return descriptor && order && shape && at_ == end_;
  }

 private:
  void skipSpace() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t')) ++at_;
  }
  bool peek(char c) {
    skipSpace();
    return at_ != end_ && *at_ == c;
  }
  bool take(char c) {
    if (!peek(c)) return false;
    ++at_;
    return true;
  }
  bool quoted(std::string& text) {
    skipSpace();
    if (at_ == end_ || (*at_ != '\'' && *at_ != '"')) return false;
    const char quote = *at_++;
    while (at_ != end_ && *at_ != quote) text += *at_++;
    if (at_ == end_) return false;
    ++at_;
    return true;
  }
  // A structured dtype is a list; no tensor has one, so its text only serves the message.
  bool descriptorValue(std::string& text) {
    if (!peek('[')) return quoted(text);
    int depth = 0;
    do {
      depth += *at_ == '[' ? 1 : *at_ == ']' ? -1 : 0;
      text += *at_++;
    } while (depth && at_ != end_);
    return depth == 0;
  }
  bool boolean(bool& value) {
    skipSpace();
    for (bool candidate : {true, false}) {
      const char* word = candidate ? "True" : "False";
      const size_t size = std::strlen(word);
      if (static_cast<size_t>(end_ - at_) >= size && std::memcmp(at_, word, size) == 0) {
        at_ += size;
        value = candidate;
        return true;
      }
    }
    return false;
  }
  bool tuple(Shape& shape) {
    if (!take('(')) return false;
    while (!take(')')) {
      int64_t number = 0;
      skipSpace();
      if (at_ == end_ || *at_ < '0' || *at_ > '9') return false;
      for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; ++at_) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *at_ - '0', &number))
          return false;
      }
      if (at_ != end_ && *at_ == 'L') ++at_;  // written by Python 2
      shape.push_back(number);
      if (!take(',') && !peek(')')) return false;
    }
    return true;
  }

  const char* at_;
  const char* end_;
};

inline Status systemError(const std::string& path, const char* what) {
  return {path + ": " + what + ": " + std::strerror(errno), {}};
}

// Everything before the data: magic, version, length and dictionary, padded to 64 bytes.
inline std::string encodeHeader(Type type, const Shape& shape) {
  std::string text = std::string("{'descr': '") + descriptorOf(type) +
                     "', 'fortran_order': False, 'shape': " + shapeText(shape) + ", }";
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  head += static_cast<char>(text.size() & 0xFF);
  head += static_cast<char>(text.size() >> 8);
  return head + text;
}

inline size_t byteCount(Type type, const Shape& shape) {
  size_t bytes = sizeOf(type);
  for (int64_t extent : shape) bytes *= static_cast<size_t>(extent);
  return bytes;
}

}  // namespace detail

// File: a .npy file mapped into memory, private: what is written to data() never reaches the file.
// Whoever replaces such a file does so by renaming (write() does), so a mapped one cannot shrink.
class File {
 public:
  File() = default;
  File(File&& other) noexcept { *this = std::move(other); }
  File& operator=(File&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(mapped_, other.mapped_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~File() {
    if (base_) munmap(base_, mapped_);
  }

  // Maps the file, which must hold exactly one array of that type and shape. data() is aligned to
  // at least 16 bytes and bytes() long.
  Status open(const std::string& path, Type type, const Shape& shape) {
    *this = File();
    if (Status status = map(path); !status.ok()) return status;
    const unsigned char* head = static_cast<unsigned char*>(base_);
    if (mapped_ < 10 || std::memcmp(head, "\x93NUMPY", 6) != 0)
      return {path + ": not a .npy file: found " + std::to_string(mapped_) +
                  " bytes that do not begin with \"\\x93NUMPY\"",
              "write it with numpy.save"};
    const int version = head[6];
    if (version < 1 || version > 3 || head[7] != 0)
      return {path + ": found .npy format " + std::to_string(version) + "." +
                  std::to_string(head[7]) + ", expected 1.0, 2.0 or 3.0",
              "write it with numpy.save"};
    size_t offset = version == 1 ? 10 : 12;
    size_t length = head[8] | size_t{head[9]} << 8;
    if (version > 1 && mapped_ >= 12) length |= size_t{head[10]} << 16 | size_t{head[11]} << 24;
    if (mapped_ < offset || mapped_ - offset < length)
      return {path + ": truncated: found " + std::to_string(mapped_) +
                  " bytes, expected a header of " + std::to_string(offset + length),
              "write the file again"};
    const char* text = static_cast<char*>(base_) + offset;
    detail::Header header;
    if (!detail::Parser(text, text + length).parse(header))
      return {path +
                  ": malformed .npy header, expected a dictionary of descr, fortran_order and "
                  "shape",
              "write it with numpy.save"};
    offset += length;
    return check(path, header, type, shape, offset);
  }

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  Status map(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return detail::systemError(path, "cannot open");
    Status status;
    struct stat info;
    if (fstat(fd, &info) != 0) {
      status = detail::systemError(path, "cannot read");
    } else if (!S_ISREG(info.st_mode)) {
      status = {path + ": not a regular file", {}};
    } else if (info.st_size > 0) {
      void* base = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_NORESERVE, fd, 0);
      if (base == MAP_FAILED) {
        status = detail::systemError(path, "cannot map");
      } else {
        base_ = base;
        mapped_ = static_cast<size_t>(info.st_size);
      }
    }
    ::close(fd);
    return status;
  }

  Status check(const std::string& path, const detail::Header& header, Type type, const Shape& shape,
               size_t offset) {
    const std::string expected = descriptorOf(type);
    const std::string save =
        "save it with numpy.save(file, numpy.ascontiguousarray(array, dtype=\"" + expected + "\"))";
    if (header.descriptor != expected) {
      std::string found = header.descriptor;
      if (!found.empty() && found[0] == '>') found += " (big-endian)";
      return {path + ": found dtype " + found + ", expected " + expected +
                  (type == Type::bf16 ? " (bf16 bit patterns)" : ""),
              type == Type::bf16 ? "save the bit patterns of the bf16 numbers as uint16" : save};
    }
    if (header.fortran_order) return {path + ": found Fortran order, expected C order", save};
    if (header.shape != shape)
      return {path + ": found shape " + shapeText(header.shape) + ", expected " + shapeText(shape),
              "give an array of shape " + shapeText(shape)};
    const size_t bytes = detail::byteCount(type, shape);
    if (mapped_ - offset != bytes)
      return {path + (mapped_ - offset < bytes ? ": truncated" : ": too long") + ": found " +
                  std::to_string(mapped_ - offset) + " bytes of data, expected " +
                  std::to_string(bytes),
              "write the file again"};
    data_ = static_cast<char*>(base_) + offset;
    bytes_ = bytes;
    // NumPy aligns the data; other writers need not. The mapping is private and the header no
    // longer needed, so the data can move down over it.
    if (offset % 16 != 0)
      data_ = std::memmove(static_cast<char*>(base_) + offset / 16 * 16, data_, bytes);
    return {};
  }

  void* base_ = nullptr;
  size_t mapped_ = 0;
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

// Copies the array of that type and shape into `data`.
inline Status read(const std::string& path, Type type, const Shape& shape, void* data) {
  File file;
  Status status = file.open(path, type, shape);
  if (status.ok() && file.bytes()) std::memcpy(data, file.data(), file.bytes());
  return status;
}

// Whether the file already holds that array.
inline bool holds(const std::string& path, Type type, const Shape& shape, const void* data) {
  File file;
  return file.open(path, type, shape).ok() && std::memcmp(file.data(), data, file.bytes()) == 0;
}

// Replaces the file as a whole: readers see the old one or the new one, never a part.
inline Status write(const std::string& path, Type type, const Shape& shape, const void* data) {
  static std::atomic<unsigned> serial{0};  // threads of one process must not share a temporary
  const std::string temporary =
      path + ".tmp" + std::to_string(getpid()) + "." + std::to_string(serial++);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return detail::systemError(path, "cannot write");
  const std::string head = detail::encodeHeader(type, shape);
  const std::pair<const char*, size_t> parts[] = {
      {head.data(), head.size()}, {static_cast<const char*>(data), detail::byteCount(type, shape)}};
  bool good = true;
  for (auto [at, left] : parts) {
    while (good && left) {
      const ssize_t written = ::write(fd, at, left);
      if (written < 0 && errno == EINTR) continue;
      good = written > 0;
      if (good) {
        at += written;
        left -= static_cast<size_t>(written);
      }
    }
  }
  good = ::close(fd) == 0 && good;
  good = good && std::rename(temporary.c_str(), path.c_str()) == 0;
  if (good) return {};
  Status status = detail::systemError(path, "cannot write");
  unlink(temporary.c_str());
  return status;
}

}  // namespace ptowsp::npy
