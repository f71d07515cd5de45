// SPDX-License-Identifier: MIT
// Arrays of all kinds as arguments, and what is said of those that do not fit.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "cpp_halves.h"
#include "cpp_scale.h"
#include "cpp_steps.h"
#include "tests/cpp/helpers.h"

namespace ptowsp::cpp_test {
namespace {

// Mdspan: what std::mdspan has, with extents and strides that are known when it runs.
template <typename T, size_t kRank, size_t... kStatic>
struct Mdspan {
  struct Extents {
    std::array<size_t, kRank> sizes;
    static constexpr size_t rank() { return kRank; }
    static constexpr size_t static_extent(size_t i) {
      constexpr std::array<size_t, kRank> known = {kStatic...};
      return known[i];
    }
    size_t extent(size_t i) const { return sizes[i]; }
  };
  T* data;
  Extents shape;
  std::array<size_t, kRank> strides;

  T* data_handle() const { return data; }
  const Extents& extents() const { return shape; }
  size_t stride(size_t i) const { return strides[i]; }
};
constexpr size_t kDynamic = static_cast<size_t>(-1);
using Matrix = Mdspan<float, 2, kDynamic, kDynamic>;

class Arrays : public testing::Test {
 protected:
  Device device_;
  cpp_scale::Workload twice_{device_};
  std::vector<float> x_ = counted(64 * 64), y_ = std::vector<float>(64 * 64, -1);

  void expectTwice(const float* y) {
    for (size_t i = 0; i < x_.size(); ++i) ASSERT_EQ(y[i], 2 * x_[i]) << i;
  }
};

TEST_F(Arrays, Vectors) {
  twice_(x_, y_);
  expectTwice(y_.data());
  const std::vector<float> constant = x_;
  twice_(constant, y_);
  expectTwice(y_.data());
}

TEST_F(Arrays, BuiltInArrays) {
  static float flat[64 * 64], rows[64][64];
  twice_(x_, flat);
  expectTwice(flat);
  twice_(x_, rows);
  expectTwice(&rows[0][0]);
  twice_(rows, y_);
  EXPECT_EQ(y_[70], 4 * x_[70]);
}

TEST_F(Arrays, StandardArrays) {
  static std::array<float, 64 * 64> flat;
  static std::array<std::array<float, 64>, 64> rows;
  static const std::array<std::array<float, 64>, 64> zeros = {};
  twice_(x_, flat);
  expectTwice(flat.data());
  twice_(x_, rows);
  expectTwice(rows[0].data());
  twice_(zeros, y_);
  EXPECT_EQ(y_, std::vector<float>(64 * 64, 0));
}

TEST_F(Arrays, SpansAndViews) {
  twice_(std::span<const float>(x_), std::span<float>(y_));
  expectTwice(y_.data());
  twice_(std::span<const float, 64 * 64>(x_), std::span<float, 64 * 64>(y_));
  expectTwice(y_.data());
  const TensorView<float, 64, 64> out(y_);
  twice_(TensorView<const float, 64, 64>(x_.data()), out);
  EXPECT_EQ(out(1, 3), 2 * 67.0f);
  EXPECT_EQ(out.end() - out.begin(), 64 * 64);
}

TEST_F(Arrays, LikeMdspan) {
  const Matrix in{x_.data(), {{64, 64}}, {64, 1}}, out{y_.data(), {{64, 64}}, {64, 1}};
  twice_(in, out);
  expectTwice(y_.data());
  twice_(Mdspan<const float, 2, 64, 64>{x_.data(), {{64, 64}}, {64, 1}}, out);
  expectTwice(y_.data());
}

TEST_F(Arrays, OneArrayMayBeReadAndWritten) {
  std::vector<float> both = x_;
  twice_(both, both);
  expectTwice(both.data());
}

TEST_F(Arrays, WhatDoesNotFit) {
  EXPECT_EQ(thrown([&] { twice_(std::vector<float>(100), y_); }),
            "tensor x: found an array of 100 elements, expected 4096, 64 x 64 of f32");
  EXPECT_EQ(thrown([&] { twice_(Matrix{x_.data(), {{32, 128}}, {128, 1}}, y_); }),
            "tensor x: found a view of 32 x 128, expected 64 x 64 of f32");
  EXPECT_EQ(thrown([&] { twice_(x_, Matrix{y_.data(), {{64, 64}}, {1, 64}}); }),
            "tensor y: found a view with the strides 1, 64, expected those of a contiguous array, 64, 1\n"
            "  fix: copy it into a contiguous array");
  EXPECT_EQ(thrown([&] { twice_(TensorView<const float, 64, 64>(static_cast<const float*>(nullptr)), y_); }),
            "tensor x: found a null pointer, expected an array of 64 x 64 of f32");
  EXPECT_EQ(thrown([&] { TensorView<float, 64, 64> view(std::span<float>(y_).first(9)); }),
            "ptowsp::TensorView: found an array of 9 elements, expected 4096, 64 x 64 of f32");
  EXPECT_EQ(y_, std::vector<float>(64 * 64, -1)) << "nothing may have been written";
}

TEST_F(Arrays, WithoutExceptions) {
  const Result good = twice_.run(x_, y_);
  ASSERT_TRUE(good);
  EXPECT_EQ(good.outcome(), Outcome::ok);
  EXPECT_EQ(good.statistics().tasks, 1);
  const Result bad = twice_.run(std::vector<float>(3), y_);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.outcome(), Outcome::bad_input);
  EXPECT_EQ(bad.error().place(), "tensor x");
  EXPECT_EQ(bad.error().message(), "found an array of 3 elements, expected 4096, 64 x 64 of f32");
}

TEST(ArraysOfOtherDtypes, HalvesAndIntegers) {
  Device device;
  cpp_halves::Workload halves(device);
  static f16 a[16][32];
  static bf16 b[16][32];
  std::array<std::int32_t, 32> n, m;
  for (int i = 0; i < 512; ++i) (&a[0][0])[i] = f16(0.25f * static_cast<float>(i % 256 - 128));
  for (int i = 0; i < 32; ++i) n[static_cast<size_t>(i)] = 1000003 * (i - 7);
  halves(a, b, n, m);
  for (int i = 0; i < 512; ++i)
    EXPECT_EQ(float((&b[0][0])[i]), 0.25f * static_cast<float>(i % 256 - 128)) << i;  // exact in both
  for (int i = 0; i < 32; ++i) EXPECT_EQ(m[static_cast<size_t>(i)], 2000006 * (i - 7));
#ifdef __FLT16_MANT_DIG__
  std::vector<_Float16> same(512, static_cast<_Float16>(1.5));
  halves(same, b, n, m);
  EXPECT_EQ(float(b[15][31]), 1.5f);
#endif
}

TEST(ArraysOfSeveralTasks, AreReadAndWritten) {
  Device device;
  cpp_steps::Workload steps(device);
  const std::vector<float> x = counted(4 * 8 * 48);
  std::vector<float> y(x.size());
  static float sum[8][48];
  for (int round = 1; round <= 3; ++round) {
    const Statistics run = steps(x, y, sum);
    EXPECT_EQ(run.tasks, 12);
    for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], 3 * (x[i] + 1)) << i;
    for (size_t i = 0; i < 8 * 48; ++i) {
      // Four planes, each 8 * 48 further on.
      const float once = 4 * (static_cast<float>(i) + 1) + 384 * 6;
      ASSERT_EQ((&sum[0][0])[i], static_cast<float>(round) * once) << i;
    }
  }
}

}  // namespace
}  // namespace ptowsp::cpp_test
