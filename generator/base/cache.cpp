// SPDX-License-Identifier: MIT
#include "generator/base/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "generator/base/file.h"

namespace ptowsp {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFormat = "ptowsp cache 1\n";
constexpr size_t kHashDigits = 32;
constexpr std::time_t kAbandonedSeconds = 3600;

std::string hashOf(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  std::string digits;
  for (const unsigned char byte : canonical.digest) {
    digits += "0123456789abcdef"[byte >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  return digits;
}

// Versions with the same number may differ while one is developed, so that the program's own bytes
// say which it is. Empty where they cannot be read.
const std::string& thisProgram() {
  static const std::string hash = [] {
    std::string error;
    const std::optional<std::string> bytes = readFile("/proc/self/exe", error);
    return bytes ? hashOf(*bytes) : std::string();
  }();
  return hash;
}

void append(std::string& text, std::string_view bytes) {
  const uint64_t size = bytes.size();
  for (int shift = 0; shift < 64; shift += 8) text += static_cast<char>(size >> shift & 255);
  text += bytes;
}

// Takes what append() put at the front of `text`; false where there is no such thing.
bool take(std::string_view& text, std::string_view& bytes) {
  if (text.size() < 8) return false;
  uint64_t size = 0;
  for (int i = 7; i >= 0; --i) size = size << 8 | static_cast<unsigned char>(text[size_t(i)]);
  text.remove_prefix(8);
  if (text.size() < size) return false;
  bytes = text.substr(0, size);
  text.remove_prefix(size);
  return true;
}

std::string entryText(const std::string& key, const std::vector<KeptFile>& files) {
  std::string text(kFormat);
  append(text, key);
  for (const KeptFile& file : files) {
    append(text, file.name);
    append(text, file.bytes);
  }
  return text + hashOf(text);
}

// Nothing for an entry that is damaged. `right_key` is whether it is the key's.
std::optional<std::vector<KeptFile>> filesOf(std::string_view text, const std::string& key,
                                             bool& right_key) {
  if (text.size() < kFormat.size() + kHashDigits || text.substr(0, kFormat.size()) != kFormat)
    return std::nullopt;
  const std::string_view hash = text.substr(text.size() - kHashDigits);
  text.remove_suffix(kHashDigits);
  if (hashOf(text) != hash) return std::nullopt;
  text.remove_prefix(kFormat.size());
  std::string_view name, bytes;
  if (!take(text, name)) return std::nullopt;
  right_key = name == key;
  std::vector<KeptFile> files;
  while (!text.empty()) {
    if (!take(text, name) || !take(text, bytes)) return std::nullopt;
    files.push_back({std::string(name), std::string(bytes)});
  }
  return files;
}

}  // namespace

CacheKey::CacheKey(std::string_view kind) {
  add("kind", kind);
  add("program", thisProgram());
}

void CacheKey::add(std::string_view name, std::string_view value) {
  append(text_, name);
  append(text_, value);
}

void CacheKey::addContent(std::string_view name, std::string_view bytes) {
  add(name, std::to_string(bytes.size()) + " " + hashOf(bytes));
}

Cache::Cache(std::string folder, uint64_t limit)
    : folder_((fs::path(std::move(folder)) / "generated").string()), limit_(limit) {}

std::string Cache::entryOf(const CacheKey& key) const {
  const std::string hash = hashOf(key.text());
  return (fs::path(folder_) / hash.substr(0, 2) / hash.substr(2)).string();
}

std::optional<std::vector<KeptFile>> Cache::find(const CacheKey& key) {
  const std::string entry = entryOf(key);
  std::error_code ignored;
  if (thisProgram().empty() || !fs::exists(entry, ignored)) return std::nullopt;
  std::string error;
  const std::optional<std::string> text = readFile(entry, error);
  if (!text) {
    if (fs::exists(entry, ignored)) problems_.push_back(error);  // else it was evicted just now
    return std::nullopt;
  }
  bool right_key = false;
  std::optional<std::vector<KeptFile>> files = filesOf(*text, key.text(), right_key);
  if (!files) {
    problems_.push_back("the cache entry '" + entry + "' is damaged and is made again");
    fs::remove(entry, ignored);
    return std::nullopt;
  }
  if (!right_key) return std::nullopt;
  // Used now. A cache that others fill may not be ours to write: its order of use is theirs.
  (void)::utimensat(AT_FDCWD, entry.c_str(), nullptr, 0);
  return files;
}

void Cache::keep(const CacheKey& key, const std::vector<KeptFile>& files) {
  uint64_t size = 0;
  for (const KeptFile& file : files) size += file.bytes.size();
  if (thisProgram().empty() || size > limit_ / 4) return;
  const std::string entry = entryOf(key);
  std::string error;
  if (writeFileIfChanged(entry, entryText(key.text(), files), error) == WriteStatus::failed) {
    problems_.push_back("nothing is kept in the cache: " + error);
    return;
  }
  // Looking through the whole folder is for every sixteenth small entry, and for large ones.
  constexpr uint64_t kLarge = 1 << 20;
  const size_t start = entry.size() - (kHashDigits + 1);
  if (size >= kLarge || entry[start] == '0') evict();
}

// evict: to nine tenths of the limit, so that the next entries find room. Another process may do the
// same at the same time: what is gone already is no mistake. Whoever reads an entry keeps it open.
void Cache::evict() {
  struct Entry {
    std::string path;
    uint64_t size;
    timespec used;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder_, error), end; !error && at != end;
       at.increment(error)) {
    struct stat status {};
    if (::stat(at->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (at->path().filename().string().size() != kHashDigits - 2) {
      // What a writer that was ended left behind.
      if (std::time(nullptr) - status.st_mtim.tv_sec > kAbandonedSeconds) {
        std::error_code ignored;
        fs::remove(at->path(), ignored);
      }
      continue;
    }
    total += static_cast<uint64_t>(status.st_size);
    entries.push_back({at->path().string(), static_cast<uint64_t>(status.st_size), status.st_mtim});
  }
  if (total <= limit_) return;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
  });
  for (const Entry& entry : entries) {
    if (total <= limit_ / 10 * 9) return;
    fs::remove(entry.path, error);
    total -= entry.size;
  }
}

}  // namespace ptowsp
