// SPDX-License-Identifier: MIT
// Device memory: fresh contents, copies and their ranges, frees, guards at free, statistics.
#include <gmock/gmock.h>

#include "tests/sim/sim_fixture.h"

namespace ptowsp::sim_test {
namespace {

using ::testing::HasSubstr;

class DeviceMemoryTest : public SimTest {};

TEST_F(DeviceMemoryTest, FreshMemoryReadsAsTheNanPattern) {
  void* device = device_malloc(10);
  uint8_t host[10] = {};
  ASSERT_EQ(copy_from_device(host, device, sizeof host), 0);
  uint32_t words[2];
  std::memcpy(words, host, 8);
  EXPECT_EQ(words[0], 0xFFC0DEADu);
  EXPECT_EQ(words[1], 0xFFC0DEADu);
  EXPECT_EQ(host[8], 0xAD);
  EXPECT_EQ(host[9], 0xDE);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(device) % 512, 0u);
  device_free(device);
  EXPECT_EQ(lastError().code, 0);
}

TEST_F(DeviceMemoryTest, CopiesGoBothWaysAndInsideAnAllocation) {
  auto* device = static_cast<char*>(device_malloc(64));
  ASSERT_EQ(copy_to_device(device + 8, "abcdefgh", 8), 0);
  char host[4] = {};
  ASSERT_EQ(copy_from_device(host, device + 10, 4), 0);
  EXPECT_EQ(std::string(host, 4), "cdef");
  EXPECT_EQ(copy_to_device(device + 64, "", 0), 0) << "an empty copy at the end is inside";
  device_free(device);
}

TEST_F(DeviceMemoryTest, CopyOutOfRangeIsRefused) {
  auto* device = static_cast<char*>(device_malloc(64));
  char host[128] = {};
  EXPECT_EQ(copy_to_device(device + 60, host, 5), PTOWSP_SIM_ERROR_BAD_COPY);
  EXPECT_EQ(lastMessage(),
            "copy_to_device: 5 bytes at offset 60 of device allocation 0, which has 64 bytes");
  EXPECT_EQ(copy_from_device(host, device - 1, 1), PTOWSP_SIM_ERROR_BAD_COPY);
  EXPECT_THAT(lastMessage(), HasSubstr("does not point into a live device allocation"));
  EXPECT_EQ(copy_from_device(host, device, static_cast<size_t>(-1)), PTOWSP_SIM_ERROR_BAD_COPY);
  EXPECT_EQ(copy_from_device(host, host, 1), PTOWSP_SIM_ERROR_BAD_COPY);
  EXPECT_EQ(copy_to_device(device, nullptr, 1), PTOWSP_SIM_ERROR_BAD_COPY);
  EXPECT_EQ(copy_to_device(nullptr, host, 1), PTOWSP_SIM_ERROR_BAD_COPY);
  device_free(device);
  EXPECT_EQ(copy_from_device(host, device, 1), PTOWSP_SIM_ERROR_BAD_COPY) << "freed";
}

TEST_F(DeviceMemoryTest, DoubleAndForeignFreeAreTold) {
  void* device = device_malloc(16);
  device_free(device);
  device_free(nullptr);
  EXPECT_EQ(lastError().code, 0);
  device_free(device);
  EXPECT_EQ(lastError().code, PTOWSP_SIM_ERROR_BAD_FREE);
  EXPECT_THAT(lastMessage(), HasSubstr("allocation 0 was freed before"));
  int host = 0;
  device_free(&host);
  EXPECT_THAT(lastMessage(), HasSubstr("not the address of a device allocation"));
  auto* other = static_cast<char*>(device_malloc(16));
  device_free(other + 8);
  EXPECT_THAT(lastMessage(), HasSubstr("not the address of a device allocation"));
  device_free(other);
}

TEST_F(DeviceMemoryTest, ABadFreeMakesTheNextLaunchFail) {
  ASSERT_EQ(runtime_.init([](Runtime&) { return 0; }), 0);
  int host = 0;
  device_free(&host);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_BAD_FREE);
  EXPECT_EQ(runtime_.finalize(), PTOWSP_SIM_ERROR_NOT_RUN);
}

TEST_F(DeviceMemoryTest, DamageFoundAtFreeNamesAllocationAndOffset) {
  device_free(device_malloc(8));
  auto* device = static_cast<char*>(device_malloc(100));
  device[100] = static_cast<char>(~device[100]);  // the host can write there in a simulation
  device_free(device);
  EXPECT_EQ(lastError().code, PTOWSP_SIM_ERROR_GUARD);
  EXPECT_THAT(lastMessage(),
              HasSubstr("1 bytes were written behind device allocation 1 (100 bytes"));
  EXPECT_THAT(lastMessage(), HasSubstr("the first one at offset 100"));
}

TEST_F(DeviceMemoryTest, AnImpossibleSizeIsNull) {
  EXPECT_EQ(device_malloc(static_cast<size_t>(-1)), nullptr);
  EXPECT_EQ(device_malloc(size_t{1} << 60), nullptr);
  EXPECT_EQ(lastError().code, PTOWSP_SIM_ERROR_OUT_OF_MEMORY);
}

TEST_F(DeviceMemoryTest, EmptyAllocationsHaveAddressesOfTheirOwn) {
  void* a = device_malloc(0);
  void* b = device_malloc(0);
  EXPECT_NE(a, nullptr);
  EXPECT_NE(a, b);
  device_free(a);
  device_free(b);
  EXPECT_EQ(lastError().code, 0);
}

TEST_F(DeviceMemoryTest, StatisticsCountWhatIsLive) {
  void* a = device_malloc(1000);
  void* b = device_malloc(24);
  device_free(a);
  EXPECT_EQ(stats().live_allocations, 1);
  EXPECT_EQ(stats().live_bytes, 24);
  EXPECT_EQ(stats().peak_bytes, 1024);
  device_free(b);
  EXPECT_EQ(stats().live_allocations, 0);
}

}  // namespace
}  // namespace ptowsp::sim_test
