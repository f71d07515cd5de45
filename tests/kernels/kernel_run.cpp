// SPDX-License-Identifier: MIT
#include "tests/kernels/kernel_run.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "tests/kernels/numbers.h"

namespace ptowsp::test {
namespace {

// NaN in every dtype, with bits that no op makes.
constexpr uint32_t kPoison = 0xffc1ffc1;

// Buffer: `bytes` bytes, all poison, that end at an inaccessible page.
class Buffer {
 public:
  Buffer(int64_t count, bool heap) {
    const auto bytes = static_cast<size_t>(count);
    if (heap) {
      heap_ = std::make_unique<uint8_t[]>(bytes);
      data_ = heap_.get();
    } else {
      const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
      const size_t usable = (bytes + page - 1) / page * page;
      size_ = usable + page;
      // Far from what any process, emulated ones included, has of its own.
      static uintptr_t next = uintptr_t{1} << 40;
      void* const place = reinterpret_cast<void*>(next);
      next = next >= uintptr_t{1} << 45 ? uintptr_t{1} << 40 : next + size_;
      void* memory = mmap(place, size_, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
      if (memory == MAP_FAILED) std::abort();
      memory_ = static_cast<char*>(memory);
      if (mprotect(memory_ + usable, page, PROT_NONE) != 0) std::abort();
      data_ = reinterpret_cast<uint8_t*>(memory_ + usable - bytes);
    }
  }
  Buffer(Buffer&& other) noexcept
      : heap_(std::move(other.heap_)), memory_(other.memory_), size_(other.size_),
        data_(other.data_) {
    other.memory_ = nullptr;
  }
  ~Buffer() {
    if (memory_) munmap(memory_, size_);
  }
  uint8_t* data() const { return data_; }
  Region region() const {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    return {reinterpret_cast<uint8_t*>(memory_), memory_ ? size_ - page : 0};
  }

 private:
  std::unique_ptr<uint8_t[]> heap_;
  char* memory_ = nullptr;
  size_t size_ = 0;
  uint8_t* data_ = nullptr;
};

bool isPoison(DType dtype, const uint8_t* at) {
  return std::memcmp(at, &kPoison, static_cast<size_t>(sizeOf(dtype))) == 0;
}

// What the kernel left in one tile's buffer of `count` elements.
void inspect(const TileParameter& tile, int64_t stride, const uint8_t* data, int64_t count,
             const std::vector<double>& before, KernelRun& run) {
  std::vector<double>& after = run.tiles.emplace_back();
  const int64_t size = sizeOf(tile.dtype);
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t* const at = data + i * size;
    const int64_t row = i / stride, col = i % stride;
    if (col >= tile.cols || row >= tile.rows) {
      if (!isPoison(tile.dtype, at)) run.faults.push_back("wrote beside tile " + tile.name);
      continue;
    }
    after.push_back(readNumber(tile.dtype, at));
    if (tile.access == Access::in) {
      uint8_t given[4];
      writeNumber(tile.dtype, before[static_cast<size_t>(row * tile.cols + col)], given);
      if (std::memcmp(at, given, static_cast<size_t>(size)) != 0)
        run.faults.push_back("wrote to input tile " + tile.name);
    }
    if (tile.access == Access::out && isPoison(tile.dtype, at))
      run.faults.push_back("left an element of " + tile.name + " unwritten");
  }
}

}  // namespace

KernelRun runKernel(const Kernel& kernel, const KernelFunction& function,
                    const std::vector<std::vector<double>>& tiles,
                    const std::vector<double>& scalars, int padding, bool heap) {
  KernelRun run;
  std::vector<Buffer> buffers;
  std::vector<int64_t> strides, args, counts;
  for (size_t t = 0; t < kernel.tiles.size(); ++t) {
    const TileParameter& tile = kernel.tiles[t];
    const int64_t size = sizeOf(tile.dtype);
    strides.push_back(tile.strided ? tile.cols + 1 + static_cast<int64_t>(t) : tile.cols);
    counts.push_back((tile.rows - 1) * strides[t] + tile.cols + padding);
    buffers.emplace_back(counts[t] * size, heap);
    uint8_t* const data = buffers[t].data();
    for (int64_t i = 0; i < counts[t]; ++i) {
      const int64_t row = i / strides[t], col = i % strides[t];
      if (tile.access != Access::out && row < tile.rows && col < tile.cols)
        writeNumber(tile.dtype, tiles[t][static_cast<size_t>(row * tile.cols + col)], data + i * size);
      else
        std::memcpy(data + i * size, &kPoison, static_cast<size_t>(size));
    }
    args.push_back(reinterpret_cast<int64_t>(data));
  }
  for (size_t i = 0; i < scalars.size(); ++i)
    args.push_back(bitsOf(kernel.scalars[i].dtype, scalars[i]));
  int64_t elements = 0;
  for (const TileParameter& tile : kernel.tiles)
    if (elements == 0 && tile.access != Access::in) elements = tile.rows * tile.cols;
  args.push_back(elements);
  for (size_t t = 0; t < kernel.tiles.size(); ++t)
    if (kernel.tiles[t].strided) args.push_back(strides[t]);
  const Buffer slot(sizeof(uint64_t), heap);
  const auto stamped = [&slot] {
    uint64_t value = 0;
    std::memcpy(&value, slot.data(), sizeof value);
    return value;
  };
  const uint64_t before = 35;
  std::memcpy(slot.data(), &before, sizeof before);
  args.push_back(padding == 0 ? reinterpret_cast<int64_t>(slot.data()) : 0);
  args.push_back(7);
  // More than 16 arguments: the others are in a block.
  const Buffer block(static_cast<int64_t>(args.size() * sizeof(int64_t)), heap);
  std::memcpy(block.data(), args.data(), args.size() * sizeof(int64_t));
  if (args.size() > 16) {
    std::memcpy(block.data(), args.data() + 15, (args.size() - 15) * sizeof(int64_t));
    args.resize(15);
    args.push_back(reinterpret_cast<int64_t>(block.data()));
  }
  const Buffer passed(static_cast<int64_t>(args.size() * sizeof(int64_t)), heap);
  std::memcpy(passed.data(), args.data(), args.size() * sizeof(int64_t));
  std::vector<Region> regions = {slot.region(), block.region(), passed.region()};
  for (const Buffer& buffer : buffers) regions.push_back(buffer.region());
  if (!function(reinterpret_cast<int64_t*>(passed.data()), regions))
    run.faults.push_back("the emulator died");
  if (stamped() != (padding == 0 ? 42 : 35)) run.faults.push_back("ledger is wrong");
  for (size_t t = 0; t < kernel.tiles.size(); ++t)
    inspect(kernel.tiles[t], strides[t], buffers[t].data(), counts[t],
            tiles.size() > t ? tiles[t] : std::vector<double>(), run);
  return run;
}

}  // namespace ptowsp::test
