// SPDX-License-Identifier: MIT
// .npy files: what NumPy writes is read, what is written NumPy reads, and every wrong file is
// named.
#include "ptowsp/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>

#include "tests/unit/reference/folder.h"

namespace ptowsp {
namespace {

using npy::Type;
using ::testing::ElementsAre;

// A file of the given format version around any header text, padded like NumPy's.
std::string fileText(const std::string& dictionary, const std::string& data, int version = 1) {
  std::string header = dictionary + std::string(63 - (10 + dictionary.size()) % 64, ' ') + '\n';
  std::string text = std::string("\x93NUMPY") + static_cast<char>(version) + '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    text += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return text + header + data;
}

std::string bytesOf(const std::vector<float>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * 4};
}

const char kF32[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
const std::vector<float> kNumbers = {1, -2, 3.5f, 4, 5, -6.25f};

class Npy : public ::testing::Test {
 protected:
  // What reading the file as f32 of shape (2, 3) says, with the folder's name left out.
  std::string problem(const std::string& text, Type type = Type::f32,
                      const npy::Shape& shape = {2, 3}) {
    const std::string path = folder_ / "x.npy";
    writeText(path, text);
    npy::File file;
    const std::string message = file.open(path, type, shape).message;
    EXPECT_EQ(message.substr(0, path.size()), path);
    return message.size() > path.size() + 2 ? message.substr(path.size() + 2) : message;
  }

  std::vector<float> contents(const std::string& text) {
    const std::string path = folder_ / "y.npy";
    writeText(path, text);
    std::vector<float> numbers(6);
    EXPECT_EQ(npy::read(path, Type::f32, {2, 3}, numbers.data()).message, "");
    return numbers;
  }

  Folder folder_;
};

// The bytes are those that numpy 1.24 wrote for numpy.save("s.npy", numpy.arange(3, dtype="<i4")).
TEST_F(Npy, WritesTheBytesThatNumpyWrites) {
  const int32_t numbers[] = {0, 1, 2};
  const std::string path = folder_ / "s.npy";
  ASSERT_EQ(npy::write(path, Type::i32, {3}, numbers).message, "");
  const std::string head = "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }";
  std::string expected("\x93NUMPY\x01\x00\x76\x00", 10);
  expected += head + std::string(128 - 10 - head.size() - 1, ' ') + '\n';
  expected += std::string("\0\0\0\0\1\0\0\0\2\0\0\0", 12);
  EXPECT_EQ(textOf(path), expected);
}

TEST_F(Npy, ReadsWhatItWroteForEveryTypeAndRank) {
  const std::string path = folder_ / "a.npy";
  std::vector<uint16_t> data(24);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint16_t>(i * 2731);
  for (Type type : {Type::f32, Type::f16, Type::bf16, Type::i32}) {
    const bool wide = npy::sizeOf(type) == 4;
    for (const npy::Shape& shape :
         {npy::Shape{12}, npy::Shape{3, 4}, npy::Shape{1, 2, 1, 1, 3, 1, 1, 2}}) {
      ASSERT_EQ(npy::write(path, type, shape, data.data()).message, "");
      EXPECT_TRUE(npy::holds(path, type, shape, data.data()));
      std::vector<uint16_t> back(wide ? 24 : 12);
      ASSERT_EQ(npy::read(path, type, shape, back.data()).message, "");
      EXPECT_EQ(std::memcmp(back.data(), data.data(), back.size() * 2), 0);
    }
  }
}

TEST_F(Npy, ReadsAllThreeFormatsAndAnyOrderOfKeys) {
  for (int version : {1, 2, 3})
    EXPECT_EQ(contents(fileText(kF32, bytesOf(kNumbers), version)), kNumbers) << version;
  EXPECT_EQ(contents(fileText("{\"shape\":(2L,3L) , 'fortran_order':False,'descr':'<f4'}",
                              bytesOf(kNumbers))),
            kNumbers);
}

TEST_F(Npy, DataThatAreNotAlignedInTheFileAreInMemory) {
  std::string header = std::string(kF32) + "\n";
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size());
  text += '\0';
  text += header;
  ASSERT_NE(text.size() % 4, 0u);
  writeText(folder_ / "u.npy", text + bytesOf(kNumbers));
  npy::File file;
  ASSERT_EQ(file.open(folder_ / "u.npy", Type::f32, {2, 3}).message, "");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.data()) % 16, 0u);
  EXPECT_EQ(std::memcmp(file.data(), kNumbers.data(), 24), 0);
}

TEST_F(Npy, WritingToAMappedFileLeavesTheFileAlone) {
  const std::string path = folder_ / "x.npy";
  ASSERT_TRUE(npy::write(path, Type::f32, {2, 3}, kNumbers.data()).ok());
  npy::File file;
  ASSERT_TRUE(file.open(path, Type::f32, {2, 3}).ok());
  static_cast<float*>(file.data())[0] = 99;
  EXPECT_TRUE(npy::holds(path, Type::f32, {2, 3}, kNumbers.data()));
}

TEST_F(Npy, AMappedFileKeepsItsDataWhenTheFileIsReplaced) {
  const std::string path = folder_ / "x.npy";
  ASSERT_TRUE(npy::write(path, Type::f32, {2, 3}, kNumbers.data()).ok());
  npy::File file;
  ASSERT_TRUE(file.open(path, Type::f32, {2, 3}).ok());
  const float other[] = {7};
  ASSERT_TRUE(npy::write(path, Type::f32, {1}, other).ok());
  EXPECT_EQ(std::memcmp(file.data(), kNumbers.data(), 24), 0);
  EXPECT_TRUE(npy::holds(path, Type::f32, {1}, other));
}

TEST_F(Npy, NoTemporaryIsLeft) {
  const std::string path = folder_ / "x.npy";
  ASSERT_TRUE(npy::write(path, Type::f32, {2, 3}, kNumbers.data()).ok());
  std::filesystem::create_directory(folder_ / "d.npy");
  const npy::Status status = npy::write(folder_ / "d.npy", Type::f32, {2, 3}, kNumbers.data());
  EXPECT_EQ(status.message, folder_ / "d.npy" + std::string(": cannot write: Is a directory"));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.text()))
    names.push_back(entry.path().filename().string());
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("x.npy", "d.npy"));
}

TEST_F(Npy, HoldsSeesEveryDifference) {
  const std::string path = folder_ / "x.npy";
  EXPECT_FALSE(npy::holds(path, Type::f32, {2, 3}, kNumbers.data()));
  ASSERT_TRUE(npy::write(path, Type::f32, {2, 3}, kNumbers.data()).ok());
  std::vector<float> other = kNumbers;
  other[5] = 0;
  EXPECT_FALSE(npy::holds(path, Type::f32, {2, 3}, other.data()));
  EXPECT_FALSE(npy::holds(path, Type::f32, {3, 2}, kNumbers.data()));
  EXPECT_FALSE(npy::holds(path, Type::i32, {2, 3}, kNumbers.data()));
}

TEST_F(Npy, AMissingFileIsNamed) {
  npy::File file;
  EXPECT_EQ(file.open(folder_ / "no.npy", Type::f32, {2}).message,
            folder_ / "no.npy" + std::string(": cannot open: No such file or directory"));
  EXPECT_EQ(file.open(folder_.text(), Type::f32, {2}).message,
            folder_.text() + ": not a regular file");
}

TEST_F(Npy, WrongTypeShapeAndOrderSayWhatIsWrong) {
  const std::string data = bytesOf(kNumbers);
  const auto file = [&](const char* descriptor, const char* order, const char* shape) {
    return fileText(std::string("{'descr': '") + descriptor + "', 'fortran_order': " + order +
                        ", 'shape': " + shape + ", }",
                    data);
  };
  EXPECT_EQ(problem(file("<f8", "False", "(2, 3)")), "found dtype <f8, expected <f4");
  EXPECT_EQ(problem(file(">f4", "False", "(2, 3)")), "found dtype >f4 (big-endian), expected <f4");
  EXPECT_EQ(problem(file("<f4", "False", "(2, 3)"), Type::bf16),
            "found dtype <f4, expected <u2 (bf16 bit patterns)");
  EXPECT_EQ(problem(file("<f4", "True", "(2, 3)")), "found Fortran order, expected C order");
  EXPECT_EQ(problem(file("<f4", "False", "(3, 2)")), "found shape (3, 2), expected (2, 3)");
  EXPECT_EQ(problem(file("<f4", "False", "(6,)")), "found shape (6,), expected (2, 3)");
  EXPECT_EQ(problem(file("<f4", "False", "()")), "found shape (), expected (2, 3)");
  EXPECT_EQ(
      problem(fileText("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3)}", data)),
      "found dtype [('a', '<f4')], expected <f4");
}

TEST_F(Npy, EveryTruncationIsAnError) {
  const std::string whole = fileText(kF32, bytesOf(kNumbers));
  EXPECT_EQ(problem(whole.substr(0, whole.size() - 1)),
            "truncated: found 23 bytes of data, expected 24");
  EXPECT_EQ(problem(whole + "x"), "too long: found 25 bytes of data, expected 24");
  EXPECT_EQ(problem(whole.substr(0, 40)), "truncated: found 40 bytes, expected a header of 128");
  EXPECT_EQ(problem(""), "not a .npy file: found 0 bytes that do not begin with \"\\x93NUMPY\"");
  for (int version : {1, 2}) {
    const std::string text = fileText(kF32, bytesOf(kNumbers), version);
    for (size_t size = 0; size < text.size(); ++size) EXPECT_NE(problem(text.substr(0, size)), "");
  }
}

TEST_F(Npy, WrongFilesAreErrors) {
  EXPECT_EQ(problem("a,b,c\n1,2,3\n"),
            "not a .npy file: found 12 bytes that do not begin with \"\\x93NUMPY\"");
  EXPECT_EQ(problem(fileText(kF32, "", 4)), "found .npy format 4.0, expected 1.0, 2.0 or 3.0");
  for (const char* header :
       {"", "{", "{}", "[]", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '<f4, 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': [[[, 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x"})
    EXPECT_EQ(problem(fileText(header, bytesOf(kNumbers))),
              "malformed .npy header, expected a dictionary of descr, fortran_order and shape")
        << header;
}

TEST_F(Npy, AnUnwritableFolderIsAnError) {
  const npy::Status status = npy::write(folder_ / "no/x.npy", Type::f32, {2, 3}, kNumbers.data());
  EXPECT_EQ(status.message,
            folder_ / "no/x.npy" + std::string(": cannot write: No such file or directory"));
}

}  // namespace
}  // namespace ptowsp
