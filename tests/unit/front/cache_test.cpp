// SPDX-License-Identifier: MIT
#include "generator/base/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "generator/base/file.h"

namespace ptowsp {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kMiB = 1 << 20;

class CacheFolder : public testing::Test {
 protected:
  void SetUp() override {
    const char* name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ =
        fs::temp_directory_path() / ("ptowsp cache é " + std::to_string(::getpid()) + " " + name);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<fs::path> entries() const {
    std::vector<fs::path> found;
    if (!fs::exists(folder_)) return found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_))
      if (entry.is_regular_file()) found.push_back(entry.path());
    return found;
  }

  fs::path folder_;
};

CacheKey keyOf(const std::string& value) {
  CacheKey key("test");
  key.add("value", value);
  return key;
}

// "name=bytes name=bytes" of what was found, or "nothing".
std::string found(Cache& cache, const CacheKey& key) {
  const auto files = cache.find(key);
  if (!files) return "nothing";
  std::string text;
  for (const KeptFile& file : *files) text += file.name + "=" + file.bytes + " ";
  return text;
}

TEST_F(CacheFolder, GivesBackWhatWasKeptForTheKey) {
  Cache cache(folder_.string(), kMiB);
  EXPECT_EQ(found(cache, keyOf("1")), "nothing");
  cache.keep(keyOf("1"), {{"b", "two"}, {"a", ""}});
  cache.keep(keyOf("2"), {});
  Cache another(folder_.string(), kMiB);
  EXPECT_EQ(found(another, keyOf("1")), "b=two a= ");
  EXPECT_EQ(found(another, keyOf("2")), "");
  EXPECT_EQ(found(another, keyOf("3")), "nothing");
  const std::string zeros("\0\n\0", 3);
  cache.keep(keyOf("1"), {{"z", zeros}});
  EXPECT_EQ(found(another, keyOf("1")), "z=" + zeros + " ");
  EXPECT_THAT(cache.problems(), IsEmpty());
  EXPECT_THAT(another.problems(), IsEmpty());
}

TEST(CacheKeyText, TellsPartsApart) {
  const auto text = [](auto... parts) {
    CacheKey key("k");
    (key.add(parts, parts), ...);
    return key.text();
  };
  EXPECT_NE(text("ab", "c"), text("a", "bc"));
  EXPECT_NE(text("a"), text("a", ""));
  EXPECT_NE(CacheKey("emit").text(), CacheKey("eval").text());
  CacheKey one("k"), two("k");
  one.addContent("x", std::string(100, 'a'));
  two.addContent("x", std::string(99, 'a') + "b");
  EXPECT_NE(one.text(), two.text());
  EXPECT_LT(one.text().size(), 200u);
}

TEST_F(CacheFolder, EveryDamagedByteIsNoticedAndTheEntryMadeAgain) {
  Cache cache(folder_.string(), kMiB);
  cache.keep(keyOf("1"), {{"name", "bytes"}});
  const std::string path = entries().at(0).string();
  std::string error;
  const std::string right = readFile(path, error).value();
  size_t noticed = 0;
  const auto damage = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    Cache reader(folder_.string(), kMiB);
    EXPECT_EQ(found(reader, keyOf("1")), "nothing");
    EXPECT_THAT(reader.problems(),
                ElementsAre("the cache entry '" + path + "' is damaged and is made again"));
    EXPECT_FALSE(fs::exists(path));
    ++noticed;
  };
  for (size_t i = 0; i < right.size(); ++i) {
    std::string wrong = right;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x20);
    damage(wrong);
  }
  damage(right.substr(0, right.size() - 1));
  damage(right.substr(0, right.size() / 2));
  damage(right + "x");
  damage("");
  EXPECT_EQ(noticed, right.size() + 4);
  cache.keep(keyOf("1"), {{"name", "bytes"}});
  EXPECT_EQ(found(cache, keyOf("1")), "name=bytes ");
}

TEST_F(CacheFolder, AnEntryOfAnotherKeyIsNotTakenForIt) {
  Cache cache(folder_.string(), kMiB);
  cache.keep(keyOf("1"), {{"a", "1"}});
  const fs::path first = entries().at(0);
  cache.keep(keyOf("2"), {{"a", "2"}});
  for (const fs::path& path : entries())
    if (path != first) fs::copy_file(first, path, fs::copy_options::overwrite_existing);
  EXPECT_EQ(found(cache, keyOf("2")), "nothing");
  EXPECT_EQ(found(cache, keyOf("1")), "a=1 ");
}

TEST_F(CacheFolder, BeyondTheLimitWhatWasNotUsedForLongestGoes) {
  Cache cache(folder_.string(), 8 * kMiB);
  const std::string large(kMiB + kMiB / 2, 'x');
  for (int i = 0; i < 5; ++i) {
    cache.keep(keyOf(std::to_string(i)), {{"large", large}});
    for (const fs::path& path : entries())  // each is a day younger than the one before
      if (fs::last_write_time(path) > fs::file_time_type::clock::now() - std::chrono::hours(1))
        fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(24 * (9 - i)));
  }
  EXPECT_EQ(entries().size(), 5u);
  EXPECT_NE(found(cache, keyOf("0")), "nothing");  // used: the youngest now
  cache.keep(keyOf("5"), {{"large", large}});
  // 9 MiB were there; 7.2 may stay: 0, 3, 4 and 5.
  EXPECT_EQ(entries().size(), 4u);
  for (const char* gone : {"1", "2"}) EXPECT_EQ(found(cache, keyOf(gone)), "nothing");
  for (const char* kept : {"0", "3", "4", "5"}) EXPECT_NE(found(cache, keyOf(kept)), "nothing");

  cache.keep(keyOf("huge"), {{"huge", std::string(2 * kMiB + 1, 'x')}});
  EXPECT_EQ(found(cache, keyOf("huge")), "nothing") << "more than a quarter of the limit";
}

TEST_F(CacheFolder, LeftoversOfWritersGoWhenTheyAreOld) {
  Cache cache(folder_.string(), 8 * kMiB);
  cache.keep(keyOf("1"), {{"a", "1"}});
  const fs::path entry = entries().at(0);
  const fs::path old = entry.string() + ".tmp1.0", young = entry.string() + ".tmp2.0";
  std::ofstream(old) << "half";
  std::ofstream(young) << "half";
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(2));
  cache.keep(keyOf("2"), {{"large", std::string(kMiB, 'x')}});
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young)) << "its writer may be at it";
  EXPECT_EQ(found(cache, keyOf("1")), "a=1 ");
}

TEST_F(CacheFolder, ManyAtOnceFindWholeEntries) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Cache cache(folder_.string(), 8 * kMiB);
      for (int i = 0; i < 60; ++i) {
        const std::string n = std::to_string((i + t) % 7);
        const std::string bytes(kMiB + kMiB / 4, n[0]);
        if (const auto files = cache.find(keyOf(n))) {
          ASSERT_EQ(files->size(), 1u);
          ASSERT_EQ(files->front().bytes, bytes);
        } else {
          cache.keep(keyOf(n), {{"file", bytes}});
        }
      }
      EXPECT_THAT(cache.problems(), IsEmpty());
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(entries().size(), 7u);
}

TEST_F(CacheFolder, AFolderThatCannotBeMadeIsAProblemAndNoMore) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "file") << "x";
  Cache cache((folder_ / "file").string(), kMiB);
  EXPECT_EQ(found(cache, keyOf("1")), "nothing");
  cache.keep(keyOf("1"), {{"a", "1"}});
  ASSERT_EQ(cache.problems().size(), 1u);
  EXPECT_THAT(cache.problems()[0], testing::MatchesRegex("nothing is kept in the cache: cannot make folder '.*/file/generated/..': Not a directory"));
}

}  // namespace
}  // namespace ptowsp
