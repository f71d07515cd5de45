// SPDX-License-Identifier: MIT
// Tensors that stay on the device.
#include <array>
#include <memory>
#include <vector>

#include "cpp_many.h"
#include "cpp_scale.h"
#include "cpp_steps.h"
#include "tests/cpp/helpers.h"

namespace ptowsp::cpp_test {
namespace {

using Matrix = DeviceTensor<float, 64, 64>;

TEST(DeviceTensors, AreHandedFromOneWorkloadToTheNext) {
  Device device;
  cpp_scale::Workload twice(device), again(device);
  const std::vector<float> x = counted(64 * 64, -2000);
  std::vector<float> y(x.size());
  Matrix a(device, x), b(device), c(device);
  twice(a, b);
  again(b, c);
  twice(c, a);  // the graph of `twice` goes from a, b to c, a
  a.download(y);
  for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], 8 * x[i]) << i;
  b.download(y);
  for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], 2 * x[i]) << i;
}

TEST(DeviceTensors, AndArraysOfTheHostInAnyMixture) {
  Device device;
  cpp_scale::Workload twice(device);
  std::vector<float> x = counted(64 * 64), y(x.size());
  Matrix a(device), b(device);
  twice(x, a);
  twice(a, y);
  EXPECT_EQ(y[5], 4 * x[5]);
  twice(x, y);
  EXPECT_EQ(y[5], 2 * x[5]);
  twice(y, b);
  twice(b, a);
  twice(a, y);
  EXPECT_EQ(y[4095], 16 * x[4095]);
}

TEST(DeviceTensors, OfSeveralTasksAndTheirTiles) {
  Device device;
  cpp_steps::Workload steps(device);
  const std::vector<float> x = counted(4 * 8 * 48);
  std::vector<float> y(x.size()), sum(8 * 48, 100);
  DeviceTensor<float, 4, 8, 48> in(device, x), out(device), other(device);
  DeviceTensor<float, 8, 48> total(device, sum);
  steps(in, out, total);
  steps(in, other, total);
  for (const auto* tensor : {&out, &other}) {
    tensor->download(y);
    for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], 3 * (x[i] + 1)) << i;
  }
  total.download(sum);
  for (size_t i = 0; i < sum.size(); ++i)
    ASSERT_EQ(sum[i], 100 + 2 * (4 * (static_cast<float>(i) + 1) + 384 * 6)) << i;
}

TEST(DeviceTensors, InArgumentBlocks) {
  Device device;
  cpp_many::Workload many(device);
  std::vector<std::vector<float>> x;
  for (int i = 0; i < 17; ++i) x.push_back(counted(128, 1000.0f * static_cast<float>(i)));
  std::vector<float> y(128);
  const auto run = [&](auto&& last, auto&& out) {
    many(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10], x[11], x[12], x[13],
         x[14], x[15], last, out);
  };
  const auto expected = [&](size_t i, float last) {
    return 16 * static_cast<float>(i) + 1000 * 120 + static_cast<float>(i) + last;
  };
  run(x[16], y);
  EXPECT_EQ(y[9], expected(9, 16000));
  DeviceTensor<float, 8, 16> last(device, x[3]), out(device);
  run(last, out);
  out.download(y);
  for (size_t i = 0; i < 128; ++i) ASSERT_EQ(y[i], expected(i, 3000)) << i;
  run(x[16], y);
  EXPECT_EQ(y[127], expected(127, 16000));
}

TEST(DeviceTensors, OneMayBeReadTwice) {
  Device device;
  cpp_many::Workload many(device);
  DeviceTensor<float, 8, 16> x(device, counted(128)), y(device);
  many(x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, y);
  std::vector<float> found(128);
  y.download(found);
  for (size_t i = 0; i < 128; ++i) ASSERT_EQ(found[i], 17 * static_cast<float>(i));
}

TEST(DeviceTensors, WhatCannotBe) {
  Device device, other;
  cpp_scale::Workload twice(device);
  std::vector<float> y(64 * 64);
  Matrix a(device, y), empty(device), elsewhere(other, y);
  EXPECT_EQ(thrown([&] { twice(empty, y); }),
            "tensor x: found a device tensor without contents: it was not written yet, or not since the "
            "device was made new after a run that failed\n"
            "  fix: upload it, or let a workload write it, before");
  EXPECT_EQ(thrown([&] { empty.download(y); }),
            "device tensor: found a device tensor without contents: it was not written yet, or not since "
            "the device was made new after a run that failed\n"
            "  fix: upload it, or let a workload write it, before");
  EXPECT_EQ(thrown([&] { twice(elsewhere, y); }),
            "tensor x: found a tensor of another device, expected one of the workload's\n"
            "  fix: download it, and upload it to a tensor of this device");
  EXPECT_EQ(thrown([&] { twice(a, a); }),
            "tensor y: found the device tensor that was also given for x, and one of them is written\n"
            "  fix: give another device tensor for one of them");
  EXPECT_EQ(thrown([&] { a.upload(std::vector<float>(3)); }),
            "ptowsp::TensorView: found an array of 3 elements, expected 4096, 64 x 64 of f32");
  const Matrix moved = std::move(a);
  EXPECT_EQ(thrown([&] { twice(a, y); }),
            "tensor x: found a null pointer, expected an array of 64 x 64 of f32");
  twice(moved, y);
}

TEST(DeviceTensors, TheDeviceAndTheWorkloadMayGoBefore) {
  auto device = std::make_unique<Device>();
  auto twice = std::make_unique<cpp_scale::Workload>(*device);
  std::vector<float> y(64 * 64);
  Matrix a(*device, counted(64 * 64)), b(*device);
  (*twice)(a, b);
  device.reset();
  (*twice)(b, a);
  twice.reset();
  a.download(y);
  EXPECT_EQ(y[10], 40);
}

}  // namespace
}  // namespace ptowsp::cpp_test
