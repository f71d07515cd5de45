// SPDX-License-Identifier: MIT
// Runs that fail: each with its own code, the task, kernel and core, a dead device until reset, and
// no results copied back.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/sim/sim_fixture.h"

namespace ptowsp::sim_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

void nothing(int64_t*) {}

// Mistakes made on purpose: the sanitizer for undefined behaviour must not stop them first.
#define PTOWSP_TEST_ON_PURPOSE __attribute__((no_sanitize("undefined"), noinline))

PTOWSP_TEST_ON_PURPOSE void crashSegv(int64_t*) {
  // The pointer is volatile too: a store to a null that the compiler knows of may be left out.
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}
PTOWSP_TEST_ON_PURPOSE void crashFpe(int64_t* args) {
#if defined(__x86_64__)
  volatile int64_t zero = args[0] * 0;
  volatile int64_t numerator = 7;
  volatile int64_t result = numerator / zero;
  (void)result;
#else
  (void)args;
  raise(SIGFPE);  // a division by zero does not trap on this machine
#endif
}
PTOWSP_TEST_ON_PURPOSE void crashIll(int64_t*) { __builtin_trap(); }
PTOWSP_TEST_ON_PURPOSE void crashBus(int64_t*) {
  // A page of a file that has no bytes.
  const int file = memfd_create("empty", 0);
  auto* page = static_cast<volatile char*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0));
  close(file);
  char byte = page[0];
  (void)byte;
}
PTOWSP_TEST_ON_PURPOSE int overflowStack(volatile char* outer) {
  volatile char frame[1024];  // smaller than the guard page, so that none is stepped over
  frame[0] = outer[0];
  return outer[0] == 0 ? overflowStack(frame) + frame[0] : 0;
}
PTOWSP_TEST_ON_PURPOSE void crashStack(int64_t*) {
  volatile char first = 0;
  overflowStack(&first);
}
void throwException(int64_t*) { throw std::runtime_error("no tile"); }

std::atomic<bool> g_endless_started{false};
void endless(int64_t*) {
  g_endless_started = true;
  volatile int turns = 0;
  for (;;) turns = turns + 1;
}
void sleepForever(int64_t*) {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

class FailureTest : public SimTest {
 protected:
  void SetUp() override {
    SimTest::SetUp();
    registerFunction(0, nothing);
    ptowsp_sim_describe_kernel(1, "culprit", -1);
  }

  // Tasks 0 and 2 are harmless, task 1 between them is the culprit; an output is recorded.
  int runCulprit(Kernel kernel, int core_type = 1) {
    registerFunction(1, kernel);
    host_ = 5;
    const int code = runtime_.init([&](Runtime& runtime) {
      void* device = runtime.host_api.device_malloc(sizeof host_);
      runtime.record_tensor_pair(&host_, device, sizeof host_);
      uint64_t args[1] = {word(device)};
      for (const int func_id : {0, 1, 0}) runtime.add_task(args, 1, func_id, core_type);
      runtime.add_successor(0, 1);
      runtime.add_successor(1, 2);
      return 0;
    });
    return code != 0 ? code : runtime_.launch();
  }

  // What must hold after any failed run.
  void expectDeadUntilReset() {
    EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_DEVICE_DEAD);
    EXPECT_THAT(lastMessage(), HasSubstr("call ptowsp_sim_device_reset()"));
    EXPECT_EQ(runtime_.finalize(), PTOWSP_SIM_ERROR_NOT_RUN);
    EXPECT_EQ(host_, 5) << "stale memory must not become a result";
    EXPECT_EQ(stats().live_allocations, 0);
    EXPECT_EQ(runtime_.init([](Runtime&) { return 0; }), PTOWSP_SIM_ERROR_DEVICE_DEAD);
    ASSERT_EQ(ptowsp_sim_device_reset(), 0);
    EXPECT_EQ(lastError().code, 0);
    registerFunction(0, nothing);
    EXPECT_EQ(runCulprit(nothing), 0) << lastMessage();
    EXPECT_EQ(runtime_.finalize(), 0);
  }

  int64_t host_ = 5;
};

struct Crash {
  const char* name;
  int signal;
  const char* signal_name;
  Kernel kernel;
};

class CrashTest : public FailureTest, public ::testing::WithParamInterface<Crash> {};

TEST_P(CrashTest, NamesTaskKernelAndCore) {
#if defined(PTOWSP_TEST_TSAN) || defined(PTOWSP_TEST_ASAN)
  if (GetParam().kernel == crashStack) {
    GTEST_SKIP() << "the sanitizer's own stack checks come before the guard page";
  }
#endif
  EXPECT_EQ(runCulprit(GetParam().kernel), PTOWSP_SIM_ERROR_CRASH);
  const ptowsp_sim_error error = lastError();
  EXPECT_EQ(error.task, 1);
  EXPECT_EQ(error.func_id, 1);
  EXPECT_EQ(error.core_type, 1);
  EXPECT_GE(error.core, 1);
  EXPECT_EQ(error.detail, GetParam().signal);
  EXPECT_THAT(error.message, StartsWith("task 1, kernel culprit (func_id 1), on core " +
                                        std::to_string(error.core) + " (AIV) crashed"));
  EXPECT_THAT(error.message, HasSubstr(std::string("crashed: SIG") + GetParam().signal_name));
  EXPECT_EQ(stats().completed, 1);
  expectDeadUntilReset();
}

INSTANTIATE_TEST_SUITE_P(Sim, CrashTest,
                         ::testing::Values(Crash{"Segv", SIGSEGV, "SEGV", crashSegv},
                                           Crash{"Fpe", SIGFPE, "FPE", crashFpe},
                                           Crash{"Ill", SIGILL, "ILL", crashIll},
                                           Crash{"Bus", SIGBUS, "BUS", crashBus},
                                           Crash{"StackOverflow", SIGSEGV, "SEGV", crashStack}),
                         [](const auto& test) { return test.param.name; });

TEST_F(FailureTest, AicCoreIsNamed) {
  EXPECT_EQ(runCulprit(crashSegv, 0), PTOWSP_SIM_ERROR_CRASH);
  EXPECT_EQ(lastError().core, 0);
  EXPECT_EQ(lastError().core_type, 0);
  EXPECT_THAT(lastMessage(), HasSubstr("on core 0 (AIC) crashed: SIGSEGV at address"));
}

TEST_F(FailureTest, CrashesRepeatedly) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(runCulprit(crashSegv), PTOWSP_SIM_ERROR_CRASH);
    ASSERT_EQ(ptowsp_sim_device_reset(), 0);
    registerFunction(0, nothing);
  }
}

TEST_F(FailureTest, ExceptionEndsTheRun) {
  EXPECT_EQ(runCulprit(throwException), PTOWSP_SIM_ERROR_CRASH);
  EXPECT_EQ(lastError().task, 1);
  EXPECT_THAT(lastMessage(), HasSubstr("threw an exception: no tile"));
  expectDeadUntilReset();
}

TEST_F(FailureTest, KernelThatNeverEndsIsInterrupted) {
#if defined(PTOWSP_TEST_TSAN)
  GTEST_SKIP() << "the thread sanitizer holds signals back until a system call";
#endif
  for (const Kernel kernel : {endless, sleepForever}) {
    setOptions(PTOWSP_SIM_TRACE, 0.15);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(runCulprit(kernel), PTOWSP_SIM_ERROR_TIMEOUT);
    const auto took = std::chrono::steady_clock::now() - start;
    EXPECT_GE(took, std::chrono::milliseconds(150));
    EXPECT_LT(took, std::chrono::seconds(5));
    const ptowsp_sim_error error = lastError();
    EXPECT_EQ(error.task, 1);
    EXPECT_EQ(error.func_id, 1);
    EXPECT_GE(error.core, 1);
    EXPECT_THAT(error.message,
                MatchesRegex("the run did not end within 0.15 s: task 1, kernel culprit "
                             "\\(func_id 1\\), on core [0-9]+ \\(AIV\\), is still running; .*"));
    auto trace = sized<ptowsp_sim_trace>();
    ASSERT_EQ(ptowsp_sim_get_trace(&trace), 0);
    ASSERT_EQ(trace.count, 3u);
    EXPECT_GT(trace.events[0].end_ns, 0u);
    EXPECT_GE(trace.events[1].core, 1);
    EXPECT_EQ(trace.events[1].end_ns, 0u);
    EXPECT_EQ(trace.events[2].core, -1);
    setOptions(0);
    expectDeadUntilReset();
    registerFunction(0, nothing);
    ptowsp_sim_describe_kernel(1, "culprit", -1);
    ASSERT_EQ(ptowsp_sim_device_reset(), 0);
    registerFunction(0, nothing);
    ptowsp_sim_describe_kernel(1, "culprit", -1);
  }
}

TEST_F(FailureTest, CancelEndsTheRun) {
#if defined(PTOWSP_TEST_TSAN)
  GTEST_SKIP() << "the thread sanitizer holds signals back until a system call";
#endif
  EXPECT_EQ(ptowsp_sim_device_cancel(ptowsp_sim_device_current()), 0);  // nothing runs: no effect
  setOptions(0);
  std::atomic<bool> over{false};
  std::thread other([&, device = ptowsp_sim_device_current()] {
    while (!over.load()) {
      ptowsp_sim_device_cancel(device);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  EXPECT_EQ(runCulprit(sleepForever), PTOWSP_SIM_ERROR_CANCELLED);
  over.store(true);
  other.join();
  EXPECT_EQ(lastMessage(), "the run was cancelled before all tasks had run");
  expectDeadUntilReset();
}

TEST_F(FailureTest, AllTasksInFlightAreNamed) {
#if defined(PTOWSP_TEST_TSAN)
  GTEST_SKIP() << "the thread sanitizer holds signals back until a system call";
#endif
  registerFunction(1, sleepForever);
  ASSERT_EQ(runtime_.init([](Runtime& runtime) {
    uint64_t args[1] = {0};
    for (int t = 0; t < 8; ++t) runtime.add_task(args, 1, 1, 1);
    return 0;
  }),
            0);
  setOptions(0, 0.2);
  EXPECT_EQ(runtime_.launch(4), PTOWSP_SIM_ERROR_TIMEOUT);
  EXPECT_EQ(lastError().task_count, static_cast<uint32_t>(std::min(8, testWorkers())));
}

TEST_F(FailureTest, AnEndlessKernelDoesNotDelayTheReportOfACrash) {
#if defined(PTOWSP_TEST_TSAN)
  GTEST_SKIP() << "the thread sanitizer holds signals back until a system call";
#endif
  if (testWorkers() < 2) GTEST_SKIP() << "needs two kernels at once";
  g_endless_started = false;
  registerFunction(1, endless);
  registerFunction(2, [](int64_t*) {
    while (!g_endless_started) std::this_thread::yield();
    crashSegv(nullptr);
  });
  ASSERT_EQ(runtime_.init([](Runtime& runtime) {
    uint64_t args[1] = {0};
    runtime.add_task(args, 1, 1, 1);
    runtime.add_task(args, 1, 2, 1);
    return 0;
  }),
            0);
  setOptions(0, 60);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_CRASH);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_EQ(lastError().task, 1);
}

TEST_F(FailureTest, ALongGraphThatIsTooSlowStopsAtTheLimit) {
  registerFunction(1, [](int64_t*) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
  ASSERT_EQ(runtime_.init([](Runtime& runtime) {
    uint64_t args[1] = {0};
    for (int t = 0; t < 5000; ++t) {
      runtime.add_task(args, 1, 1, 1);
      if (t != 0) runtime.add_successor(t - 1, t);
    }
    return 0;
  }),
            0);
  setOptions(0, 0.1);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_TIMEOUT);
  EXPECT_LT(stats().completed, 5000);
}

// ---- guards ----

void writeBehind(int64_t* args) { pointer<char>(args[0])[8] ^= 1; }
void writeBefore(int64_t* args) { pointer<int32_t>(args[0])[-2] = 0; }

TEST_F(FailureTest, DamagedGuardIsFoundAfterTheRun) {
  EXPECT_EQ(runCulprit(writeBehind), PTOWSP_SIM_ERROR_GUARD);
  EXPECT_THAT(lastMessage(), AllOf(HasSubstr("1 bytes were written behind device allocation 0 (8 "),
                                   HasSubstr("the first one at offset 8"),
                                   HasSubstr("PTOWSP_SIM_CHECK_EACH_TASK")));
  auto report = sized<ptowsp_sim_guard_report>();
  ASSERT_EQ(ptowsp_sim_guard_damages(&report), 0);
  ASSERT_EQ(report.count, 1u);
  EXPECT_EQ(report.items[0].allocation, 0);
  EXPECT_EQ(report.items[0].task, -1);
  EXPECT_EQ(report.items[0].bytes, 8u);
  EXPECT_EQ(report.items[0].offset, 8);
  EXPECT_EQ(report.items[0].damaged_bytes, 1u);
  expectDeadUntilReset();
}

TEST_F(FailureTest, CheckAfterEachTaskNamesTheTask) {
  setOptions(PTOWSP_SIM_CHECK_EACH_TASK);
  EXPECT_EQ(runCulprit(writeBefore), PTOWSP_SIM_ERROR_GUARD);
  const ptowsp_sim_error error = lastError();
  EXPECT_EQ(error.task, 1);
  EXPECT_EQ(error.func_id, 1);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr("task 1, kernel culprit (func_id 1), on core "),
                    HasSubstr("wrote outside its tiles"), HasSubstr("before device allocation 0"),
                    HasSubstr("the first one at offset -8")));
  auto report = sized<ptowsp_sim_guard_report>();
  ASSERT_EQ(ptowsp_sim_guard_damages(&report), 0);
  ASSERT_EQ(report.count, 1u);
  EXPECT_EQ(report.items[0].task, 1);
  EXPECT_EQ(report.items[0].offset, -8);
  EXPECT_EQ(stats().workers, 1);
  EXPECT_EQ(stats().completed, 2);
  expectDeadUntilReset();
}

TEST_F(FailureTest, BytesOfANeighboursGuardAreDamageToo) {
  // An overrun that copies one byte too many, from the same place behind another allocation.
  registerFunction(1, [](int64_t* args) {
    for (int i = 0; i <= 16; ++i) pointer<char>(args[1])[i] = pointer<char>(args[0])[i];
  });
  ASSERT_EQ(runtime_.init([](Runtime& runtime) {
    uint64_t args[2];
    for (uint64_t& a : args) a = word(runtime.host_api.device_malloc(16));
    runtime.add_task(args, 2, 1, 1);
    return 0;
  }),
            0);
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_GUARD);
}

// ---- arguments and states of launch and finalize ----

TEST_F(FailureTest, BadBlockAndSchedulerCountsAreRefused) {
  ASSERT_EQ(runtime_.init([](Runtime&) { return 0; }), 0);
  for (const auto& [blocks, schedulers] :
       {std::pair{0, 1}, {1, 0}, {-1, 1}, {1, -1}, {3, 2}, {1, 2}, {1 << 30, 1}}) {
    EXPECT_EQ(runtime_.launch(blocks, schedulers), PTOWSP_SIM_ERROR_ARGUMENT)
        << blocks << " " << schedulers;
  }
  EXPECT_EQ(launch_runtime(runtime_.get(), 1, 1, -1, nullptr, 0, nullptr, 0),
            PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_EQ(runtime_.launch(8, 8), 0) << "more than four AICPU schedulers are fine";
}

TEST_F(FailureTest, CallsOutOfOrderAreRefused) {
  EXPECT_EQ(runtime_.launch(), PTOWSP_SIM_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(runtime_.finalize(), PTOWSP_SIM_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(launch_runtime(nullptr, 1, 1, 0, nullptr, 0, nullptr, 0),
            PTOWSP_SIM_ERROR_NOT_INITIALIZED);
  ASSERT_EQ(runtime_.init([](Runtime&) { return 0; }), 0);
  EXPECT_EQ(runtime_.finalize(), PTOWSP_SIM_ERROR_NOT_RUN);
  EXPECT_EQ(runtime_.finalize(), PTOWSP_SIM_ERROR_NOT_INITIALIZED) << "finalised twice";
  EXPECT_EQ(set_device(-1), PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_EQ(set_device(3), 0);
  alignas(64) char memory[1024];
  const auto function = [](void*, uint64_t*, int) { return 0; };
  EXPECT_EQ(ptowsp_sim_init_function(nullptr, function, nullptr, 0), PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_EQ(ptowsp_sim_init_function(memory + 1, function, nullptr, 0), PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_EQ(ptowsp_sim_init_function(memory, nullptr, nullptr, 0), PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_EQ(ptowsp_sim_init_function(memory, function, nullptr, 1), PTOWSP_SIM_ERROR_ARGUMENT);
  EXPECT_EQ(ptowsp_sim_init_function(memory, function, nullptr, -1), PTOWSP_SIM_ERROR_ARGUMENT);
}

TEST_F(FailureTest, BadOptionsAreRefused) {
  auto options = sized<ptowsp_sim_options>();
  EXPECT_EQ(ptowsp_sim_set_options(nullptr), PTOWSP_SIM_ERROR_ARGUMENT);
  options.workers = -1;
  EXPECT_EQ(ptowsp_sim_set_options(&options), PTOWSP_SIM_ERROR_ARGUMENT);
  options.workers = 1;
  options.timeout_seconds = -0.5;
  EXPECT_EQ(ptowsp_sim_set_options(&options), PTOWSP_SIM_ERROR_ARGUMENT);
  options.timeout_seconds = 1e300;
  EXPECT_EQ(ptowsp_sim_set_options(&options), 0) << "as good as no limit";
  EXPECT_EQ(runCulprit(nothing), 0);
  options.flags = 1u << 30;
  EXPECT_EQ(ptowsp_sim_set_options(&options), PTOWSP_SIM_ERROR_ARGUMENT);
  options.size = 0;
  EXPECT_EQ(ptowsp_sim_set_options(&options), PTOWSP_SIM_ERROR_ARGUMENT);
}

// ---- signals that are not ours ----

using SignalDeathTest = FailureTest;

TEST_F(SignalDeathTest, ACrashOutsideAKernelStillEndsTheProcess) {
#if defined(PTOWSP_TEST_TSAN) || defined(PTOWSP_TEST_ASAN)
  GTEST_SKIP() << "the sanitizer reports the crash itself";
#endif
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        if (runCulprit(nothing) == 0) crashSegv(nullptr);
      },
      ::testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(SignalDeathTest, AnOlderHandlerGetsCrashesOutsideKernels) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        signal(SIGSEGV, [](int) { _exit(42); });
        if (runCulprit(crashSegv) == PTOWSP_SIM_ERROR_CRASH) crashSegv(nullptr);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST_F(SignalDeathTest, CrashesCanBeLeftToOthers) {
#if defined(PTOWSP_TEST_TSAN) || defined(PTOWSP_TEST_ASAN)
  GTEST_SKIP() << "the sanitizer reports the crash itself";
#endif
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        setOptions(PTOWSP_SIM_NO_CRASH_HANDLER);
        runCulprit(crashSegv);
      },
      ::testing::KilledBySignal(SIGSEGV), "");
}

}  // namespace
}  // namespace ptowsp::sim_test
