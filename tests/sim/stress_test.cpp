// SPDX-License-Identifier: MIT
// Runs that end in every way, one after another on one device and side by side on several: what one leaves
// behind, in its threads, its signal handlers or its memory, must not reach the next or the neighbour.
#include <atomic>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>

#include "tests/seed.h"
#include "tests/sim/sim_fixture.h"

namespace ptowsp::sim_test {
namespace {

enum class End { whole, crash, exception, timeout, cancel, guard };

void addOne(int64_t* args) { ++*pointer<int64_t>(args[0]); }
// Several do it at the same address, which is no race.
__attribute__((no_sanitize("undefined,thread"), noinline)) void crash(int64_t*) {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}
void throwException(int64_t*) { throw std::runtime_error("no tile"); }
void sleepForever(int64_t*) {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}
void writeBehind(int64_t* args) { pointer<char>(args[0])[8] ^= 1; }

struct How {
  Kernel kernel;
  int code;
};
How howOf(End end) {
  switch (end) {
    case End::crash: return {crash, PTOWSP_SIM_ERROR_CRASH};
    case End::exception: return {throwException, PTOWSP_SIM_ERROR_CRASH};
    case End::timeout: return {sleepForever, PTOWSP_SIM_ERROR_TIMEOUT};
    case End::cancel: return {sleepForever, PTOWSP_SIM_ERROR_CANCELLED};
    case End::guard: return {writeBehind, PTOWSP_SIM_ERROR_GUARD};
    default: return {addOne, 0};
  }
}

// One device, used from one thread, for `runs` runs that end in random ways.
class Runs {
 public:
  Runs(uint32_t seed, int runs) : random_(seed), left_(runs) {}

  // What was wrong, or nothing.
  std::string operator()() {
    ptowsp_sim_device* const device = ptowsp_sim_device_create();
    ptowsp_sim_device_use(device);
    std::string wrong;
    for (; left_ > 0 && wrong.empty(); --left_) wrong = run(device);
    ptowsp_sim_device_use(nullptr);
    ptowsp_sim_device_destroy(device);
    return wrong;
  }

 private:
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

  End pick() {
#if defined(PTOWSP_TEST_TSAN)
    // The thread sanitizer holds signals back until a system call, so nothing is interrupted.
    constexpr End ends[] = {End::whole, End::crash, End::exception, End::guard};
#else
    constexpr End ends[] = {End::whole, End::crash, End::exception, End::guard, End::timeout, End::cancel};
#endif
    return ends[below(std::size(ends))];
  }

  // Two chains with the culprit somewhere in the first.
  Builder graph(int tasks, int culprit) {
    return [this, tasks, culprit](Runtime& runtime) {
      void* memory[2];
      for (int chain = 0; chain < 2; ++chain) {
        memory[chain] = runtime.host_api.device_malloc(sizeof(int64_t));
        host_[chain] = 0;
        runtime.host_api.copy_to_device(memory[chain], &host_[chain], sizeof(int64_t));
        runtime.record_tensor_pair(&host_[chain], memory[chain], sizeof(int64_t));
      }
      for (int t = 0; t < tasks; ++t) {
        uint64_t args[1] = {word(memory[t % 2])};
        runtime.add_task(args, 1, t == culprit ? 1 : 0, (t / 2) % 2);
        if (t >= 2) runtime.add_successor(t - 2, t);
      }
      return 0;
    };
  }

  std::string run(ptowsp_sim_device* device) {
    const End end = pick();
    const auto [kernel, code] = howOf(end);
    registerFunction(0, addOne);
    registerFunction(1, kernel);
    auto options = sized<ptowsp_sim_options>();
    options.flags = PTOWSP_SIM_QUIET;
    if (below(2)) options.flags |= PTOWSP_SIM_TRACE;
    options.workers = testWorkers();
    options.timeout_seconds = end == End::timeout ? 0.005 : 60;
    ptowsp_sim_set_options(&options);
    RuntimeMemory runtime;
    const int tasks = 2 + static_cast<int>(below(60));
    if (runtime.init(graph(tasks, static_cast<int>(below(static_cast<uint32_t>(tasks)))))) return lastMessage();
    std::atomic<bool> over{false};
    std::thread canceller;
    if (end == End::cancel)
      canceller = std::thread([&] {
        for (; !over; std::this_thread::yield()) ptowsp_sim_device_cancel(device);
      });
    const int got = runtime.launch(1 << below(4));
    over = true;
    if (canceller.joinable()) canceller.join();
    const std::string said = got == code ? "" : "got " + std::to_string(got) + " instead of " +
                                                    std::to_string(code) + ": " + lastMessage();
    if (code == 0 && said.empty()) {
      if (runtime.finalize() != 0) return lastMessage();
      if (host_[0] + host_[1] != tasks) return "tasks were lost";
      if (below(2)) return "";
    }
    ptowsp_sim_device_reset();
    if (below(2)) runtime.finalize();  // which fails; else the object is dropped
    return said;
  }

  std::mt19937 random_;
  int left_;
  int64_t host_[2] = {};
};

const int kRuns = test::nightly() ? 150 : 40;

TEST(StressTest, OneDeviceAfterEveryEnd) {
  EXPECT_EQ(Runs(static_cast<uint32_t>(test::testSeed()), kRuns)(), "");
}

TEST(StressTest, DevicesFailBesideOneAnother) {
  const auto seed = static_cast<uint32_t>(test::testSeed());
  std::vector<std::string> wrong(4);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < wrong.size(); ++i)
    threads.emplace_back([&wrong, seed, i] { wrong[i] = Runs(seed + i, kRuns / 2)(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<std::string>(wrong.size()));
}

}  // namespace
}  // namespace ptowsp::sim_test
