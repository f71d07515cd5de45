// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/device_tensor.h"

#include <cstring>
#include <new>

#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

// A sum that changes with every change of one word, and almost surely with others: four independent
// lanes, since it is to be as quick as reading the memory.
uint64_t sumOf(const void* data, uint64_t bytes) {
  constexpr uint64_t kFactor = 0x9E3779B97F4A7C15u;
  constexpr uint64_t kLanes = 4;
  const auto* at = static_cast<const unsigned char*>(data);
  uint64_t lanes[kLanes] = {1, 2, 3, 4};
  uint64_t left = bytes;
  for (; left >= sizeof lanes; left -= sizeof lanes, at += sizeof lanes) {
    uint64_t words[kLanes];
    std::memcpy(words, at, sizeof words);
    for (uint64_t i = 0; i < kLanes; ++i) lanes[i] = (lanes[i] ^ words[i]) * kFactor;
  }
  uint64_t rest[kLanes] = {};
  std::memcpy(rest, at, left);
  uint64_t sum = bytes;
  for (uint64_t i = 0; i < kLanes; ++i) {
    lanes[i] = (lanes[i] ^ rest[i]) * kFactor;
    sum = (sum ^ lanes[i] ^ (lanes[i] >> 32)) * kFactor;
  }
  return sum;
}

Status noMemory(uint64_t bytes) {
  return Status::runFailure("device", format("found no memory for a tensor of %llu bytes",
                                             static_cast<unsigned long long>(bytes)));
}

}  // namespace

DeviceTensor::~DeviceTensor() {
  if (!data_ || host_ || life_ != chip_.life || chip_.dead) return;
  const ChipScope scope(chip_);
  chip_.select();
  chip_.library->sim()->device_free(data_);
}

Status DeviceTensor::makeRoom() {
  const SimApi* sim = chip_.library->sim();
  if (!sim) {
    if (!host_) host_.reset(new (std::nothrow) unsigned char[bytes_]);
    data_ = host_.get();
    life_ = chip_.life;
    return data_ ? Status() : noMemory(bytes_);
  }
  if (data_ && life_ == chip_.life) return {};
  data_ = sim->device_malloc(bytes_);
  life_ = chip_.life;
  written_ = false;
  sum_.reset();
  return data_ ? Status() : noMemory(bytes_);
}

Status DeviceTensor::upload(const void* host) {
  if (Status status = chip_.use(); !status.ok()) return status;
  if (Status status = makeRoom(); !status.ok()) return status;
  std::memcpy(data_, host, bytes_);
  markWritten();
  return {};
}

Status DeviceTensor::download(void* host) {
  if (!isWritten())
    return Status::badArtifact("device tensor", kNoContents, kNoContentsFix);
  std::memcpy(host, data_, bytes_);
  return {};
}

void DeviceTensor::markWritten() {
  written_ = true;
  sum_.reset();
}

void DeviceTensor::remember() {
  if (!sum_) sum_ = sumOf(data_, bytes_);
}

bool DeviceTensor::isAsRemembered() const { return sum_ == sumOf(data_, bytes_); }

}  // namespace ptowsp::glue
