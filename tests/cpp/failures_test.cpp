// SPDX-License-Identifier: MIT
// Runs that fail, artifacts that are refused, and what is possible afterwards. Each failing kernel is
// that of cpp_scale with one mistake (faulty_kernel.cpp), put into a copy of the artifact.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cpp_scale.h"
#include "tests/cpp/helpers.h"

namespace ptowsp::cpp_test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Failures : public testing::Test {
 protected:
  ~Failures() override { fs::remove_all(folder_); }

  // The folder of a copy of the artifact; a process loads from one path only once, so each has another.
  fs::path copyArtifact(const std::string& name) const {
    const fs::path copy = folder_ / (name + ".ptowsp");
    fs::create_directories(copy);
    for (const char* file : {"ready", "manifest.json", "orchestration.builtin.so", "kernel_twice.so"})
      fs::copy_file(fs::path(PTOWSP_ARTIFACT_cpp_scale) / file, copy / file);
    return copy;
  }
  // With that kernel.
  fs::path faulty(const std::string& fault) const {
    const fs::path copy = copyArtifact(fault + std::to_string(copies_++));
    fs::copy_file(fs::path(PTOWSP_FAULTS) / (fault + ".so"), copy / "kernel_twice.so",
                  fs::copy_options::overwrite_existing);
    return copy;
  }
  // What a run with that kernel throws; nothing may have been written then.
  std::string failing(const std::string& fault, const DeviceOptions& options = DeviceOptions()) const {
    Device device(options);
    cpp_scale::Workload twice(device, faulty(fault).string());
    std::vector<float> y(64 * 64, -1);
    const std::string text = thrown([&] { twice(x_, y); });
    EXPECT_EQ(y, std::vector<float>(64 * 64, -1)) << fault;
    return text;
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) /
      ("ptowsp_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + "." +
       std::to_string(getpid()));  // other build trees run the same test at the same time
  mutable int copies_ = 0;
  const std::vector<float> x_ = counted(64 * 64);
  std::vector<float> y_ = std::vector<float>(64 * 64, -1);
};

// Replaces a text in a file.
void edit(const fs::path& file, const std::string& from, const std::string& to) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  std::string content = text.str();
  const size_t at = content.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  content.replace(at, from.size(), to);
  std::ofstream(file) << content;
}

TEST_F(Failures, OfKernels) {
  EXPECT_EQ(failing("no_stamp"),
            "cpp_scale: the completion ledger is not as expected for 1 of 1 task\n"
            "  note: not run to the end: 0 twice\n"
            "  fix: the runtime lost or repeated tasks, or their kernels do not end as emitted ones do: "
            "build the target cpp_scale again");
  EXPECT_EQ(failing("twice_stamped"),
            "cpp_scale: the completion ledger is not as expected for 1 of 1 task\n"
            "  note: run more than once: 0 twice\n"
            "  fix: the runtime lost or repeated tasks, or their kernels do not end as emitted ones do: "
            "build the target cpp_scale again");
  EXPECT_EQ(failing("changes_input"),
            "cpp_scale: input x was changed on the device: found 99 in x[1, 1], expected 65\n"
            "  note: this element is read by 0 twice\n"
            "  fix: a kernel may write only its out and inout tiles");
  EXPECT_EQ(failing("writes_behind"),
            "cpp_scale: 4 bytes written behind tensor y on the device, the first at byte 16384 of its 16384 "
            "by task 0, twice (kernel twice)\n"
            "  note: found by a second run with one worker and a check after each task\n"
            "  fix: keep the kernel's accesses inside the tiles it was given");
}

TEST_F(Failures, OfKernelsOnDeviceTensors) {
  Device device;
  cpp_scale::Workload twice(device, faulty("changes_input").string());
  DeviceTensor<float, 64, 64> a(device, x_), b(device);
  EXPECT_EQ(thrown([&] { twice(a, b); }),
            "cpp_scale: input x was changed on the device\n"
            "  fix: a kernel may write only its out and inout tiles");
  cpp_scale::Workload behind(device, faulty("writes_behind").string());
  a.upload(x_);
  const std::string text = thrown([&] { behind(a, b); });
  EXPECT_EQ(text.substr(0, text.find(", the first")), "cpp_scale: 4 bytes written behind tensor y on the device");
  EXPECT_NE(text.find("note: a run with arrays on the host alone, or ptowsp-run, names the task"),
            std::string::npos);
}

#if !defined(__SANITIZE_ADDRESS__)
TEST_F(Failures, CrashesOnThisThreadAndOnAnother) {
  const std::string expected =
      "cpp_scale: task 0, kernel twice (func_id 0), on core 1 (AIV) crashed: SIGSEGV at address 0x10\n"
      "  note: task 0 is twice\n"
      "  fix: look at the kernel of this task; ptowsp-run runs it alone under a debugger";
  DeviceOptions options;
  options.block_dim = 1;
  EXPECT_EQ(failing("crash", options), expected);
  options.timeout = 60s;  // somebody has to watch: the task runs on a thread of its own
  EXPECT_EQ(failing("crash", options), expected);
}

// Threads inherit what their maker blocks; here it blocks everything.
TEST_F(Failures, CrashesOnThreadsOfOneThatBlocksSignals) {
  std::thread blocking([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    DeviceOptions watched;
    watched.timeout = 60s;
    for (const DeviceOptions& options : {DeviceOptions(), watched}) {
      Device device(options);
      cpp_scale::Workload twice(device, faulty("crash").string());
      const Call call = twice.start(x_, y_);
      EXPECT_NE(thrown([&] { call.get(); }).find("crashed: SIGSEGV at address 0x10"), std::string::npos);
      EXPECT_NE(failing("crash", options).find("crashed: SIGSEGV at address 0x10"), std::string::npos);
    }
  });
  blocking.join();
}
#endif

TEST_F(Failures, TimeLimit) {
  DeviceOptions options;
  options.block_dim = 1;
  options.timeout = 50ms;
  const std::string text = failing("endless", options);
  EXPECT_EQ(text.substr(0, text.find(':')), "cpp_scale");
  EXPECT_NE(text.find("task 0, kernel twice (func_id 0), on core 1 (AIV), is still running"),
            std::string::npos) << text;
  EXPECT_NE(text.find("fix: give it a longer time limit, or look at the kernel of the task that still runs"),
            std::string::npos) << text;
}

TEST_F(Failures, CancelledFromAnotherThread) {
  Device device;
  cpp_scale::Workload twice(device, faulty("endless").string());
  std::string message = "the call was cancelled before it began";
  while (message == "the call was cancelled before it began") {  // as on a busy machine
    Call call = twice.start(x_, y_);
    while (!call.waitFor(5ms)) call.cancel();
    EXPECT_EQ(call.result().outcome(), Outcome::cancelled);
    message = call.result().error().message();
  }
  EXPECT_EQ(message, "the run was cancelled before all tasks had run");
  // A call on the thread that waits for it.
  std::thread other([&] {
    while (y_[0] != 0) {
      device.cancel();
      std::this_thread::sleep_for(2ms);
    }
  });
  const Result result = twice.run(x_, y_);
  y_[0] = 0;
  other.join();
  EXPECT_EQ(result.outcome(), Outcome::cancelled);
  // One that has not begun.
  Call running = twice.start(x_, y_), waiting = twice.start(x_, y_);
  waiting.cancel();
  while (!running.waitFor(5ms)) running.cancel();
  EXPECT_EQ(waiting.result().outcome(), Outcome::cancelled);
  EXPECT_EQ(waiting.result().error().message(), "the call was cancelled before it began");
}

TEST_F(Failures, TheDeviceIsMadeNewForTheNextCall) {
  Device device;
  cpp_scale::Workload good(device), bad(device, faulty("no_stamp").string());
  DeviceTensor<float, 64, 64> a(device, x_);
  good(a, y_);
  EXPECT_EQ(bad.run(x_, y_).outcome(), Outcome::run_failure);
  EXPECT_EQ(good.run(a, y_).error().message(),
            "found a device tensor without contents: it was not written yet, or not since the device was "
            "made new after a run that failed");
  good(x_, y_);
  EXPECT_EQ(y_[7], 14);
  a.upload(x_);
  good(a, y_);
  EXPECT_EQ(y_[8], 16);
}

TEST_F(Failures, ArtifactsThatAreNotTheHeaders) {
  Device device;
  const fs::path copy = copyArtifact("other");
  const std::string fix =
      "\n  fix: build this program again with this artifact, or give it the one that it was built with";
  const auto refused = [&](const WorkloadIdentity& identity) {
    return thrown([&] { LoadedWorkload workload(device, identity, copy.string()); });
  };
  const std::string place = (copy / "manifest.json").string() + ": ";
  const std::string end = ", that of the header that this program was compiled with" + fix;
  WorkloadIdentity identity = cpp_scale::identity();
  const std::string hash = identity.source_hash;
  EXPECT_EQ(refused(identity), "nothing");
  identity.source_hash = "0123456789abcdef";
  EXPECT_EQ(refused(identity), place + "found hash " + hash +
                                   " of scale.json, expected hash 0123456789abcdef of scale.json" + end);
  identity = cpp_scale::identity();
  identity.name = "other";
  EXPECT_EQ(refused(identity), place + "found workload cpp_scale, expected workload other" + end);
  identity = cpp_scale::identity();
  identity.contract = "G0";
  EXPECT_EQ(refused(identity), place + "found contract G1, expected contract G0" + end);
  identity = cpp_scale::identity();
  identity.version = "0.0.9";
  EXPECT_EQ(refused(identity), place + "found version " + cpp_scale::identity().version +
                                   ", expected version 0.0.9" + end);
  // The library itself refuses artifacts of another version.
  edit(copy / "manifest.json", std::string("\"version\": \"") + cpp_scale::identity().version, "\"version\": \"0.0.9");
  EXPECT_EQ(refused(cpp_scale::identity()).substr(0, place.size()),
            place);
  EXPECT_NE(refused(cpp_scale::identity()).find("found version 0.0.9, expected "), std::string::npos);
}

TEST_F(Failures, ArtifactsThatAreNowhere) {
  Device device;
  WorkloadIdentity identity = cpp_scale::identity();
  identity.name = "cpp_nowhere";
  identity.built_at = "/nowhere/cpp_nowhere.ptowsp";
  setenv("PTOWSP_ARTIFACT_PATH", "/first::/second place", 1);
  const std::string text = thrown([&] { LoadedWorkload workload(device, identity, ""); });
  unsetenv("PTOWSP_ARTIFACT_PATH");
  const std::string folder = fs::canonical("/proc/self/exe").parent_path().string();
  EXPECT_EQ(text,
            "workload cpp_nowhere: found no artifact cpp_nowhere.ptowsp with a `ready` file\n"
            "  note: looked in /first/cpp_nowhere.ptowsp\n"
            "  note: looked in /second place/cpp_nowhere.ptowsp\n"
            "  note: looked in /nowhere/cpp_nowhere.ptowsp\n"
            "  note: looked in " + fs::path(folder).parent_path().string() +
                "/lib/ptowsp/cpp_nowhere.ptowsp\n"
                "  note: looked in " + folder + "/cpp_nowhere.ptowsp\n"
                "  fix: build the target cpp_nowhere, or name the folder that holds it in "
                "PTOWSP_ARTIFACT_PATH");
}

TEST_F(Failures, AnArtifactThatWasBuiltAgainMeanwhile) {
  Device device;
  const fs::path copy = copyArtifact("again");
  cpp_scale::Workload before(device, copy.string());
  fs::remove(copy / "kernel_twice.so");
  fs::copy_file(fs::path(PTOWSP_ARTIFACT_cpp_scale) / "kernel_twice.so", copy / "kernel_twice.so");
  EXPECT_EQ(thrown([&] { cpp_scale::Workload after(device, copy.string()); }),
            (copy / "kernel_twice.so").string() +
                ": found the library of kernel twice built again since this process loaded it, and a process "
                "loads from one path only once\n"
                "  fix: start the program again");
}

TEST_F(Failures, TheEnvironmentNamesAnotherFolder) {
  const fs::path other = copyArtifact("cpp_scale");
  setenv("PTOWSP_ARTIFACT_PATH", folder_.c_str(), 1);
  Device device;
  cpp_scale::Workload twice(device);
  unsetenv("PTOWSP_ARTIFACT_PATH");
  EXPECT_EQ(twice.artifact(), other.string());
  twice(x_, y_);
  EXPECT_EQ(y_[3], 6);
}

}  // namespace
}  // namespace ptowsp::cpp_test
