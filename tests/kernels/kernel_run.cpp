#include "tests/kernels/kernel_run.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace ptowsp::test {
namespace {

constexpr uint32_t kPoison = 0xffc0dead;

// Buffer: `count` floats, all poison, that end at an inaccessible page.
class Buffer {
 public:
  Buffer(int64_t count, bool heap) {
    const size_t bytes = static_cast<size_t>(count) * sizeof(float);
    if (heap) {
      heap_ = std::make_unique<float[]>(static_cast<size_t>(count));
      data_ = heap_.get();
    } else {
      const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
      const size_t usable = (bytes + page - 1) / page * page;
      size_ = usable + page;
      void* memory =
          mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) std::abort();
      memory_ = static_cast<char*>(memory);
      if (mprotect(memory_ + usable, page, PROT_NONE) != 0) std::abort();
      data_ = reinterpret_cast<float*>(memory_ + usable - bytes);
    }
    for (int64_t i = 0; i < count; ++i) data_[i] = std::bit_cast<float>(kPoison);
  }
  Buffer(Buffer&& other) noexcept
      : heap_(std::move(other.heap_)), memory_(other.memory_), size_(other.size_),
        data_(other.data_) {
    other.memory_ = nullptr;
  }
  ~Buffer() {
    if (memory_) munmap(memory_, size_);
  }
  float* data() const { return data_; }

 private:
  std::unique_ptr<float[]> heap_;
  char* memory_ = nullptr;
  size_t size_ = 0;
  float* data_ = nullptr;
};

bool isPoison(float x) { return std::bit_cast<uint32_t>(x) == kPoison; }

}  // namespace

KernelRun runKernel(const Kernel& kernel, KernelFunction function,
                    const std::vector<std::vector<float>>& tiles, const std::vector<float>& scalars,
                    int padding, bool heap) {
  KernelRun run;
  std::vector<Buffer> buffers;
  std::vector<int64_t> strides, args, sizes;
  for (size_t t = 0; t < kernel.tiles.size(); ++t) {
    const TileParameter& tile = kernel.tiles[t];
    strides.push_back(tile.strided ? tile.cols + 1 + static_cast<int64_t>(t) : tile.cols);
    sizes.push_back((tile.rows - 1) * strides[t] + tile.cols + padding);
    buffers.emplace_back(sizes[t], heap);
    if (tile.access != Access::out)
      for (int64_t row = 0; row < tile.rows; ++row)
        std::memcpy(buffers[t].data() + row * strides[t], &tiles[t][row * tile.cols],
                    static_cast<size_t>(tile.cols) * sizeof(float));
    args.push_back(reinterpret_cast<int64_t>(buffers[t].data()));
  }
  for (const float scalar : scalars) args.push_back(std::bit_cast<uint32_t>(scalar));
  int64_t elements = 0;
  for (const TileParameter& tile : kernel.tiles)
    if (elements == 0 && tile.access != Access::in) elements = tile.rows * tile.cols;
  args.push_back(elements);
  for (size_t t = 0; t < kernel.tiles.size(); ++t)
    if (kernel.tiles[t].strided) args.push_back(strides[t]);
  uint64_t slot = 35;
  args.push_back(padding == 0 ? reinterpret_cast<int64_t>(&slot) : 0);
  args.push_back(7);
  function(args.data());
  if (slot != (padding == 0 ? 42 : 35)) run.faults.push_back("ledger is wrong");

  for (size_t t = 0; t < kernel.tiles.size(); ++t) {
    const TileParameter& tile = kernel.tiles[t];
    run.tiles.emplace_back();
    for (int64_t i = 0; i < sizes[t]; ++i) {
      const float x = buffers[t].data()[i];
      const int64_t row = i / strides[t], col = i % strides[t];
      if (col >= tile.cols || row >= tile.rows) {
        if (!isPoison(x)) run.faults.push_back("wrote beside tile " + tile.name);
        continue;
      }
      run.tiles[t].push_back(x);
      if (tile.access == Access::in &&
          std::memcmp(&x, &tiles[t][row * tile.cols + col], sizeof x) != 0)
        run.faults.push_back("wrote to input tile " + tile.name);
      if (tile.access == Access::out && isPoison(x))
        run.faults.push_back("left an element of " + tile.name + " unwritten");
    }
  }
  return run;
}

}  // namespace ptowsp::test
