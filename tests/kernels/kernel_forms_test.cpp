// SPDX-License-Identifier: MIT
// Compiles the kernels of cases.h in one form (raw .text or shared library; a compiler, flags) and
// runs them: results, memory, ledger, accuracy. CMakeLists.txt lists the forms.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <sstream>

#include "generator/emit/sim_kernel.h"
#include "tests/kernels/cases.h"
#include "tests/kernels/elf_object.h"
#include "tests/kernels/expected.h"
#include "tests/kernels/kernel_run.h"
#include "tests/kernels/numbers.h"
#include "tests/seed.h"

namespace ptowsp::test {
namespace {

struct Options {
  bool raw = false;   // else a shared library
  bool heap = false;  // tiles in heap blocks, for a sanitizer
  std::string compiler, flags, level;
  std::string name;      // of the ctest
  std::string emulator;  // runs the kernels, with a statically linked program around them
  int random = 16;
  uint64_t seed = 0;
} options;

// The levels of the x86-64 psABI that a form may need.
bool machineRuns(const std::string& level) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (level == "x86-64-v3") return v3;
  if (level == "x86-64-v4")
    return v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  return level.empty() || level == "x86-64-v2";
#else
  return level.empty();
#endif
}

constexpr DType kDTypes[] = {DType::f32, DType::f16, DType::bf16, DType::i32};
constexpr int64_t kUnary = 4096, kSpecial = 24, kPairs = kSpecial * kSpecial;

// A folder that is gone at the end, and the kernels in it, compiled.
class Compiled {
 public:
  Compiled() {
    char folder[] = "/tmp/ptowsp_kernels_XXXXXX";
    if (!mkdtemp(folder)) std::abort();
    folder_ = folder;
    kernels = fixedCases();
    for (Kernel& kernel : randomCases(options.seed, options.random))
      kernels.push_back(std::move(kernel));
    for (const DType dtype : kDTypes) {
      kernels.push_back(elementwiseKernel("all_unary", 1, dtype, kUnary));
      kernels.push_back(elementwiseKernel("all_binary", 2, dtype, kPairs));
    }
    std::filesystem::create_directories(path("sim_support"));
    std::filesystem::create_directories(path("kernels"));
    for (const SupportHeader& header : simSupportHeaders())
      write("sim_support/" + std::string(header.name), header.text);
    for (const Kernel& kernel : kernels) {
      std::string error;
      const auto text = emitSimKernel(kernel, "test.json", error);
      if (!text) {
        problem_ += kernel.name + ": " + error + '\n';
        continue;
      }
      write("kernels/" + function(kernel) + ".cpp", *text);
    }
    if (problem_.empty()) compileAll();
    if (problem_.empty() && !options.emulator.empty())
      emulate();
    else if (problem_.empty() && !options.raw)
      load();
  }
  ~Compiled() {
    if (library_) dlclose(library_);
    shell("rm -rf " + folder_);
  }

  static std::string function(const Kernel& kernel) { return "kernel_" + kernel.name; }
  const std::string& problem() const { return problem_; }
  std::string path(const std::string& name) const { return folder_ + '/' + name; }

  void write(const std::string& name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }

  // False, with the compiler's words, when it fails.
  bool compile(const std::string& arguments, std::string& said) const {
    const std::string log = path("log" + std::to_string(std::hash<std::string>()(arguments)));
    const bool ok = shell("cd " + folder_ + "/kernels && " + options.compiler + ' ' + options.flags +
                          " -Wall -Wextra -Wshadow -Werror " + arguments + " >" + log +
                          " 2>&1") == 0;
    std::stringstream text;
    text << std::ifstream(log).rdbuf();
    said = text.str();
    return ok;
  }

  // The function to call; null, with a failure recorded, when there is none.
  KernelFunction find(const Kernel& kernel) {
    if (!options.emulator.empty())
      return [this, i = static_cast<uint64_t>(&kernel - kernels.data())](
                 int64_t* args, const std::vector<Region>& regions) {
        return emulated_.call(i, args, regions);
      };
    void* const code = options.raw ? mapped(kernel) : dlsym(library_, function(kernel).c_str());
    if (!code) return nullptr;
    return [code](int64_t* args, const std::vector<Region>&) {
      reinterpret_cast<void (*)(int64_t*)>(code)(args);
      return true;
    };
  }

  std::vector<Kernel> kernels;

 private:
  void* mapped(const Kernel& kernel) {
    void*& code = mapped_[kernel.name];
    if (code) return code;
    const RawText raw = readRawText(path("kernels/" + function(kernel) + ".o"), function(kernel));
    for (const std::string& fault : raw.faults)
      ADD_FAILURE() << function(kernel) << ": " << fault;
    if (!raw.faults.empty()) return nullptr;
    code = mmap(nullptr, raw.bytes.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    std::memcpy(code, raw.bytes.data(), raw.bytes.size());
    mprotect(code, raw.bytes.size(), PROT_READ | PROT_EXEC);
    __builtin___clear_cache(static_cast<char*>(code), static_cast<char*>(code) + raw.bytes.size());
    return code;
  }

 public:
  const Kernel& named(const std::string& name) const {
    for (const Kernel& kernel : kernels)
      if (kernel.name == name) return kernel;
    std::abort();
  }

 private:
  // Not under the sanitizer that may be preloaded into this process.
  static int shell(const std::string& command) {
    return std::system(("unset LD_PRELOAD; " + command).c_str());
  }

  void compileAll() {
    std::string files, said;
    for (const Kernel& kernel : kernels) files += ' ' + function(kernel) + ".cpp";
    if (!compile("-c" + files, said)) problem_ = said;
  }

  void load() {
    std::string objects, said;
    for (const Kernel& kernel : kernels) objects += ' ' + function(kernel) + ".o";
    if (!compile("-shared -o kernels.so" + objects, said)) problem_ = said;
    library_ = dlopen(path("kernels/kernels.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library_ && problem_.empty()) problem_ = dlerror();
  }

  void emulate() {
    std::vector<std::string> functions;
    std::string objects, said;
    for (const Kernel& kernel : kernels) {
      functions.push_back(function(kernel));
      objects += ' ' + functions.back() + ".o";
    }
    write("kernels/program.cpp", emulatedProgram(functions));
    if (!compile("-static -o program program.cpp" + objects, said))
      problem_ = said;
    else if (!emulated_.start({options.emulator, path("kernels/program")}))
      problem_ = options.emulator + " does not start";
  }

  std::string folder_, problem_;
  Emulated emulated_;
  void* library_ = nullptr;
  std::map<std::string, void*> mapped_;
};

class KernelForms : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (machineRuns(options.level)) compiled_ = new Compiled;
  }
  static void TearDownTestSuite() { delete compiled_; }
  void SetUp() override {
    if (!compiled_) GTEST_SKIP() << "this machine does not run " << options.level;
    if (!compiled_->problem().empty()) FAIL() << compiled_->problem().substr(0, 2000);
  }
  static Compiled* compiled_;
};
Compiled* KernelForms::compiled_ = nullptr;

// Inputs of a kernel: mostly both signs, some tiles positive so that logarithms and roots have work.
std::vector<std::vector<double>> makeTiles(const Kernel& kernel, std::mt19937_64& random) {
  std::vector<std::vector<double>> tiles;
  for (const TileParameter& tile : kernel.tiles) {
    const bool positive = random() % 2;
    std::uniform_real_distribution<double> uniform(positive ? 0.25 : -2.0, 2.0);
    tiles.emplace_back();
    for (int64_t i = 0; i < tile.rows * tile.cols; ++i)
      tiles.back().push_back(tile.dtype == DType::i32 ? truncated(uniform(random) * 50)
                                                      : roundTo(tile.dtype, uniform(random)));
  }
  return tiles;
}

bool agree(double got, const Expected& want) {
  return std::isnan(want.value)   ? std::isnan(got)
         : std::isinf(want.value) ? got == want.value
                                  : std::fabs(got - want.value) <= want.error;
}

TEST_F(KernelForms, GiveExpectedResults) {
  std::mt19937_64 random(options.seed);
  int64_t compared = 0, skipped = 0;
  for (const Kernel& kernel : compiled_->kernels) {
    SCOPED_TRACE(kernel.name);
    const KernelFunction function = compiled_->find(kernel);
    ASSERT_NE(function, nullptr);
    const std::vector<std::vector<double>> tiles = makeTiles(kernel, random);
    std::vector<double> scalars;
    for (size_t i = 0; i < kernel.scalars.size(); ++i)
      scalars.push_back(kernel.scalars[i].dtype == DType::i32 ? 3.0 + static_cast<double>(i)
                                                              : 0.5 + 0.25 * static_cast<double>(i));
    const KernelRun run = runKernel(kernel, function, tiles, scalars, 0, options.heap);
    const KernelRun moved = runKernel(kernel, function, tiles, scalars, 5, options.heap);
    EXPECT_EQ(run.faults, std::vector<std::string>());
    EXPECT_EQ(moved.faults, std::vector<std::string>());
    const auto expected = expectedTiles(kernel, tiles, scalars);
    for (size_t t = 0; t < kernel.tiles.size(); ++t) {
      if (kernel.tiles[t].access == Access::in) continue;
      for (size_t i = 0; i < run.tiles[t].size(); ++i) {
        const double got = run.tiles[t][i];
        const Expected& want = expected[t][i];
        EXPECT_TRUE(got == moved.tiles[t][i] || (std::isnan(got) && std::isnan(moved.tiles[t][i])))
            << kernel.tiles[t].name << " depends on its alignment";
        if (std::isnan(want.error)) {
          ++skipped;
          continue;
        }
        ++compared;
        ASSERT_TRUE(agree(got, want)) << kernel.tiles[t].name << '[' << i << "] is " << got
                                      << ", expected " << want.value << " within " << want.error;
      }
    }
  }
  EXPECT_GT(compared, 4 * skipped);
}

// What a test calls special, as the dtype has it.
std::vector<double> specialValues(DType dtype) {
  if (dtype == DType::i32)
    return {0, 1, -1, 2147483647, -2147483648.0, 2147483646, -2147483647, 16777217, -16777219,
            33619969, 65519, 65520, -65536, 46341, -46341, 3};
  const FloatType type = floatType(dtype);
  std::vector<double> values = {0.0, -0.0, 1, -1, INFINITY, -INFINITY, kNaN, 0.1, 2, 88.7228,
                                -87.3365, -103.97, 11.0899, -9.0109, -16.6, 1e-20, -1e20};
  for (const double x : {type.largest, std::ldexp(1, type.least_exponent),
                         std::ldexp(1, type.least_exponent + type.precision - 1)}) {
    values.push_back(x);
    values.push_back(-x);
  }
  for (double& x : values) x = roundTo(dtype, x);
  return values;
}

// How far `got` may be from an exact result that is computed in float with an error of `ulps`, and
// then rounded.
bool isAccurate(DType dtype, double got, double exact, double ulps) {
  if (std::isnan(exact)) return std::isnan(got);
  const double reach = (ulps > 0.5 ? ulps : 0) * spacing(DType::f32, exact) * (1 + 1e-9);
  const double low = roundTo(dtype, exact - reach), high = roundTo(dtype, exact + reach);
  if (dtype == DType::f32 && ulps > 0.5) {
    const double limit = std::ldexp(1, 128);  // stands for infinity
    const double finite = std::isinf(got) ? std::copysign(limit, got) : got;
    return std::fabs(finite - std::clamp(exact, -limit, limit)) <= ulps * spacing(dtype, std::clamp(exact, -std::ldexp(1, 127), std::ldexp(1, 127))) * (1 + 1e-9);
  }
  return low <= got && got <= high;
}

void expectUnary(const Kernel& kernel, const std::vector<double>& x, const KernelRun& run,
                 std::vector<double>& worst) {
  const DType from = kernel.tiles[0].dtype;
  for (size_t t = 1; t < kernel.tiles.size(); ++t) {
    const ops::OpInfo& op = *kernel.ops[2 * (t - 1)].op;
    const DType to = kernel.tiles[t].dtype;
    for (size_t i = 0; i < x.size(); ++i) {
      const double got = run.tiles[t][i];
      if (to == DType::i32) {
        const double want = op.form == ops::Form::cast ? truncated(x[i])
                            : op.name == "relu"        ? std::max(x[i], 0.0)
                            : op.name == "abs"         ? wrap(std::llabs(static_cast<int64_t>(x[i])))
                                                       : wrap(-static_cast<int64_t>(x[i]));
        ASSERT_EQ(got, want) << op.name << '(' << x[i] << ')';
        continue;
      }
      const double exact = op.form == ops::Form::cast ? x[i] : exactUnary(op.name, x[i]);
      if (std::isfinite(exact) && std::isfinite(got) && from != DType::i32)
        worst[t] = std::max(worst[t], std::fabs(got - exact) / spacing(to, exact));
      ASSERT_TRUE(isAccurate(to, got, exact, op.max_ulp))
          << op.name << '(' << x[i] << ") is " << got << ", expected " << exact;
      if (!std::isnan(exact) && op.name != "relu") {
        ASSERT_EQ(std::signbit(got), std::signbit(exact)) << op.name << '(' << x[i] << ')';
      }
    }
  }
}

// Every value of the 16-bit dtypes, and of the others special ones and those at a stride.
TEST_F(KernelForms, UnaryOpsKeepTheirAccuracyOverAllValues) {
  for (const DType dtype : kDTypes) {
    const std::string name(ir::nameOf(dtype));
    const Kernel& kernel = compiled_->named("all_unary_" + name);
    const KernelFunction function = compiled_->find(kernel);
    ASSERT_NE(function, nullptr);
    std::vector<double> worst(kernel.tiles.size());
    std::vector<std::vector<double>> tiles(kernel.tiles.size());
    const bool narrow = sizeOf(dtype) == 2;
    // The stride is prime to 2^32.
    uint32_t bits = narrow ? 0 : static_cast<uint32_t>(options.seed);
    const uint32_t step = narrow ? 1 : 6553;
    for (int block = 0; block < (narrow ? 17 : 160); ++block) {
      std::vector<double>& x = tiles[0];
      x.clear();
      if (block == 0) x = specialValues(dtype);
      while (x.size() < static_cast<size_t>(kUnary))
        x.push_back(valueOf(dtype, narrow ? (bits += step) & 0xffff : bits += step));
      const KernelRun run = runKernel(kernel, function, tiles, {}, 0, options.heap);
      expectUnary(kernel, x, run, worst);
      if (HasFatalFailure()) return;
    }
    for (size_t t = 1; t < kernel.tiles.size(); ++t)
      std::cout << name << ' ' << kernel.tiles[t].name << ": at most " << worst[t] << " ulp\n";
  }
}

TEST_F(KernelForms, BinaryOpsAreRoundedCorrectlyOnSpecialValues) {
  for (const DType dtype : kDTypes) {
    const Kernel& kernel = compiled_->named("all_binary_" + std::string(ir::nameOf(dtype)));
    const KernelFunction function = compiled_->find(kernel);
    ASSERT_NE(function, nullptr);
    std::mt19937_64 random(options.seed);
    std::vector<double> values = specialValues(dtype);
    while (values.size() < static_cast<size_t>(kSpecial))
      values.push_back(valueOf(dtype, static_cast<uint32_t>(random()) >> (32 - 8 * sizeOf(dtype))));
    std::vector<std::vector<double>> tiles(kernel.tiles.size());
    for (const double x : values) {
      for (const double y : values) {
        tiles[0].push_back(x);
        tiles[1].push_back(y);
      }
    }
    const KernelRun run = runKernel(kernel, function, tiles, {}, 0, options.heap);
    const auto expected = expectedTiles(kernel, tiles, {});
    for (size_t t = 2; t < kernel.tiles.size(); ++t) {
      const std::string_view op = kernel.ops[2 * (t - 2)].op->name;
      for (int64_t i = 0; i < kPairs; ++i) {
        const auto [want, error] = expected[t][i];
        const double got = run.tiles[t][i];
        // Which of two zeros max and min give is not fixed.
        const bool sign = std::isnan(want) || std::signbit(got) == std::signbit(want) ||
                          (want == 0 && (op == "max" || op == "min"));
        ASSERT_TRUE(agree(got, {want, error}) && sign)
            << ir::nameOf(dtype) << ' ' << op << '(' << tiles[0][i] << ", " << tiles[1][i] << ") is "
            << got << ", expected " << want << " within " << error;
      }
    }
  }
}

TEST_F(KernelForms, ReductionsCarryNaNAndInfinity) {
  for (const Kernel& kernel : compiled_->kernels) {
    if (!kernel.name.starts_with("reduce_") || kernel.tiles[0].dtype == DType::i32) continue;
    SCOPED_TRACE(kernel.name);
    const KernelFunction function = compiled_->find(kernel);
    ASSERT_NE(function, nullptr);
    const TileParameter& x = kernel.tiles[0];
    std::vector<std::vector<double>> tiles(kernel.tiles.size());
    for (int64_t col = 0; col < x.cols; col += x.cols > 200 ? x.cols / 7 : 1) {
      for (const double special : {kNaN, double{INFINITY}, -double{INFINITY}}) {
        tiles[0].assign(static_cast<size_t>(x.rows * x.cols), 1.0);
        tiles[0][static_cast<size_t>(col)] = special;
        const KernelRun run = runKernel(kernel, function, tiles, {}, 0, options.heap);
        const auto expected = expectedTiles(kernel, tiles, {});
        for (size_t t = 1; t < kernel.tiles.size(); ++t) {
          for (size_t i = 0; i < run.tiles[t].size(); ++i) {
            const double want = expected[t][i].value, got = run.tiles[t][i];
            ASSERT_TRUE(std::isnan(want) ? std::isnan(got) : got == want)
                << kernel.tiles[t].name << '[' << i << "] with " << special << " at " << col
                << " is " << got << ", expected " << want;
          }
        }
      }
    }
  }
}

// Equal elements make the rounding errors of a long sum all of one sign.
TEST_F(KernelForms, SumsOfLongRowsStayAccurate) {
  const Kernel& kernel = compiled_->named("reduce_1_300001_f32");
  const KernelFunction function = compiled_->find(kernel);
  ASSERT_NE(function, nullptr);
  std::vector<std::vector<double>> tiles(kernel.tiles.size());
  for (const float x : {0.1f, 0.7f, 1.1f, 3.3f}) {
    tiles[0].assign(300001, x);
    const KernelRun run = runKernel(kernel, function, tiles, {}, 0, options.heap);
    EXPECT_NEAR(run.tiles[1][0] / (300001.0 * x), 1, 1e-5);
    EXPECT_NEAR(run.tiles[4][0] / x, 1, 1e-5);
  }
}

// The inspection itself: a kernel as one would write it without the header is found wrong.
TEST_F(KernelForms, InspectionFindsWhatRawTextCannotHave) {
  if (!options.raw) GTEST_SKIP() << "a shared library is relocated";
  compiled_->write("kernels/kernel_bad.cpp",
                   "#include <stdint.h>\n"
                   "static __attribute__((noinline)) float twist(float x) { return x * 1.7f; }\n"
                   "extern \"C\" void kernel_bad(int64_t* args) {\n"
                   "  float* x = reinterpret_cast<float*>(args[0]);\n"
                   "  x[1] = twist(x[0]) + twist(x[2]);\n"
                   "}\n");
  std::string said;
  ASSERT_TRUE(compiled_->compile("-c kernel_bad.cpp", said)) << said;
  const RawText raw = readRawText(compiled_->path("kernels/kernel_bad.o"), "kernel_bad");
  std::string faults;
  for (const std::string& fault : raw.faults) faults += fault + '\n';
  EXPECT_NE(faults.find("relocations against .text"), std::string::npos) << faults;
  EXPECT_NE(faults.find("content in section .rodata"), std::string::npos) << faults;
  EXPECT_NE(faults.find("is not at offset 0"), std::string::npos) << faults;
}

// A kernel's own library needs nothing, and offers its two names for one address.
TEST_F(KernelForms, LibraryExportsKernelUnderBothNames) {
  if (options.raw || options.flags.find("-fsanitize") != std::string::npos ||
      !options.emulator.empty())
    GTEST_SKIP() << "of shared libraries without a sanitizer only";
  std::string said;
  ASSERT_TRUE(compiled_->compile(
      "-shared -nostdlib -Wl,-z,defs -fvisibility=hidden kernel_softmax.cpp -fPIC -o one.so", said))
      << said;
  EXPECT_EQ(exportedSymbols(compiled_->path("kernels/one.so")),
            (std::vector<std::string>{"kernel_entry", "kernel_softmax"}));
  void* library = dlopen(compiled_->path("kernels/one.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  EXPECT_EQ(dlsym(library, "kernel_entry"), dlsym(library, "kernel_softmax"));
  dlclose(library);
}

}  // namespace
}  // namespace ptowsp::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  using ptowsp::test::options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto is = [&](std::string_view key, std::string& value) {
      if (argument.starts_with(key)) value = argument.substr(key.size());
      return argument.starts_with(key);
    };
    std::string number;
    if (argument == "--raw")
      options.raw = true;
    else if (argument == "--heap")
      options.heap = true;
    else if (is("--random=", number))
      options.random = std::stoi(number);
    else if (!is("--name=", options.name) && !is("--compiler=", options.compiler) &&
             !is("--flags=", options.flags) && !is("--level=", options.level) &&
             !is("--emulator=", options.emulator)) {
      std::cerr << "unknown argument " << argument << '\n';
      return 2;
    }
  }
  options.seed = ptowsp::test::seedOf(options.name);
  std::cout << "PTOWSP_TEST_SEED=" << options.seed << '\n';
  return RUN_ALL_TESTS();
}
