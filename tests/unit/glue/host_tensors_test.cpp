// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/host_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace ptowsp::glue {
namespace {

namespace fs = std::filesystem;

class HostTensorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/ptowsp_tensors_XXXXXX";
    folder_ = mkdtemp(name);
    for (const auto& [tensor, role] : {std::pair{"x", TensorRole::input},
                                       {"t", TensorRole::temporary},
                                       {"y", TensorRole::output},
                                       {"z", TensorRole::inout}}) {
      TensorInfo info;
      info.name = tensor;
      info.role = role;
      info.shape = {2, 3};
      info.bytes = 24;
      manifest_.tensors.push_back(info);
    }
    const float x[] = {1, 2, 3, 4, 5, 6}, z[] = {7, 7, 7, 7, 7, 7};
    ASSERT_TRUE(npy::write(folder_ + "/x.npy", npy::Type::f32, {2, 3}, x).ok());
    ASSERT_TRUE(npy::write(folder_ + "/z.npy", npy::Type::f32, {2, 3}, z).ok());
  }
  void TearDown() override { fs::remove_all(folder_); }

  const float* floats(size_t i) const { return static_cast<const float*>(tensors_.data(i)); }

  std::string folder_;
  Manifest manifest_;
  HostTensors tensors_;
};

TEST_F(HostTensorsTest, OutputsArePoisonedAndInoutsStartAfresh) {
  ASSERT_TRUE(tensors_.open(manifest_, folder_).ok());
  ASSERT_EQ(tensors_.size(), 3u) << "temporaries have no array on the host";
  for (int run = 0; run < 2; ++run) {
    ASSERT_TRUE(tensors_.prepare().ok());
    EXPECT_EQ(floats(0)[4], 5);
    uint32_t word;
    std::memcpy(&word, tensors_.data(1), sizeof word);
    EXPECT_EQ(word, kHostPoison);
    for (int i = 0; i < 6; ++i) {
      EXPECT_TRUE(std::isnan(floats(1)[i]));
      EXPECT_EQ(floats(2)[i], 7);
      static_cast<float*>(tensors_.pointers()[1])[i] = 0;
      static_cast<float*>(tensors_.pointers()[2])[i] = 0;
    }
  }
}

TEST_F(HostTensorsTest, NobodyCanWriteToAnInput) {
  ASSERT_TRUE(tensors_.open(manifest_, folder_).ok());
  EXPECT_EQ(tensors_.inputAt(floats(0) + 5), &manifest_.tensors[0]);
  EXPECT_EQ(tensors_.inputAt(floats(0) + 6), nullptr);
  EXPECT_EQ(tensors_.inputAt(floats(2)), nullptr);
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(*static_cast<volatile float*>(tensors_.data(0)) = 1, "");
}

TEST_F(HostTensorsTest, ResultsAreWritten) {
  ASSERT_TRUE(tensors_.open(manifest_, folder_).ok());
  ASSERT_TRUE(tensors_.prepare().ok());
  std::memset(tensors_.data(1), 0, 24);
  ASSERT_TRUE(tensors_.write(folder_ + "/new/out").ok());
  float y[6];
  EXPECT_TRUE(npy::read(folder_ + "/new/out/y.npy", npy::Type::f32, {2, 3}, y).ok());
  EXPECT_EQ(y[5], 0);
  EXPECT_TRUE(fs::exists(folder_ + "/new/out/z.npy"));
  EXPECT_FALSE(fs::exists(folder_ + "/new/out/x.npy"));
}

TEST_F(HostTensorsTest, ABadFileIsNamed) {
  fs::remove(folder_ + "/z.npy");
  Status status = tensors_.open(manifest_, folder_);
  EXPECT_EQ(status.outcome, Outcome::bad_artifact);
  EXPECT_EQ(status.place, folder_ + "/z.npy");
  EXPECT_EQ(status.message, "inout z: cannot open: No such file or directory");
  EXPECT_EQ(status.fix, "build the workload's target again");
  manifest_.tensors[0].shape = {3, 2};
  status = tensors_.open(manifest_, folder_);
  EXPECT_EQ(status.place, folder_ + "/x.npy");
  EXPECT_EQ(status.message, "input x: found shape (2, 3), expected (3, 2)");
}

TEST_F(HostTensorsTest, AFolderThatCannotBeMadeIsNamed) {
  ASSERT_TRUE(tensors_.open(manifest_, folder_).ok());
  const Status status = tensors_.write(folder_ + "/x.npy/out");
  EXPECT_EQ(status.outcome, Outcome::bad_artifact);
  EXPECT_EQ(status.message, "cannot make this folder: Not a directory");
}

}  // namespace
}  // namespace ptowsp::glue
