// SPDX-License-Identifier: MIT
// Results kept from one run to the next, found again by the content of what they were made from.
// One folder for any number of processes at once:
//
//   <folder>/generated/<2 hex digits>/<30 hex digits>    an entry, named by the hash of its key
//
// An entry holds its whole key, so that another key with the same hash is not mistaken for it, and
// ends with a hash of itself, so that a damaged one is noticed. Entries appear in one step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ptowsp {

// CacheKey: everything that a result depends on. This very program is part of every key.
class CacheKey {
 public:
  // `kind`: what is made, e.g. "emit".
  explicit CacheKey(std::string_view kind);

  void add(std::string_view name, std::string_view value);
  // The same for something long: its size and 128-bit hash stand for it.
  void addContent(std::string_view name, std::string_view bytes);

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

struct KeptFile {
  std::string name;
  std::string bytes;
};

class Cache {
 public:
  // Beyond `limit` bytes the entries that were not used for longest go.
  Cache(std::string folder, uint64_t limit);

  // What was kept for the key, in the order it was given.
  std::optional<std::vector<KeptFile>> find(const CacheKey& key);
  // An entry of more than a quarter of the limit is not kept.
  void keep(const CacheKey& key, const std::vector<KeptFile>& files);

  // What went wrong so far, for the user's eyes: a cache that cannot be used costs time, not
  // results.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::string entryOf(const CacheKey& key) const;
  void evict();

  std::string folder_;
  uint64_t limit_;
  std::vector<std::string> problems_;
};

}  // namespace ptowsp
