// Compiles the kernels of cases.h in one form (raw .text or shared library; a compiler, flags) and
// runs them: results, memory, ledger, accuracy. CMakeLists.txt lists the forms.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "generator/emit/sim_kernel.h"
#include "tests/kernels/cases.h"
#include "tests/kernels/elf_object.h"
#include "tests/kernels/expected.h"
#include "tests/kernels/kernel_builder.h"
#include "tests/kernels/kernel_run.h"

namespace ptowsp::test {
namespace {

struct Options {
  bool raw = false;   // else a shared library
  bool heap = false;  // tiles in heap blocks, for a sanitizer
  std::string compiler, flags, level;
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

// x and y: every pair of special values and of random ones.
Kernel elementwiseKernel(const std::string& name, int arity, int64_t count) {
  KernelBuilder k(name);
  const int x = k.in("x", 1, count), y = arity == 2 ? k.in("y", 1, count) : -1;
  for (const ops::OpInfo& op : ops::allOps())
    if (op.form == ops::Form::elementwise && op.arity == arity && op.sim_dtypes.f32)
      k.store(k.out(std::string(op.name) + "_of_x", 1, count),
              arity == 1 ? k.op(std::string(op.name), {x}) : k.op(std::string(op.name), {x, y}));
  return k.kernel();
}

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
    kernels.push_back(elementwiseKernel("all_unary", 1, kUnary));
    kernels.push_back(elementwiseKernel("all_binary", 2, kPairs));
    write(std::string(kSimTileHeader), simTileHeader());
    for (const Kernel& kernel : kernels) {
      std::string error;
      const auto text = emitSimKernel(kernel, "test.json", error);
      if (!text) {
        problem_ += kernel.name + ": " + error + '\n';
        continue;
      }
      write(function(kernel) + ".cpp", *text);
    }
    if (problem_.empty()) compileAll();
    if (problem_.empty() && !options.raw) load();
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
    const bool ok = shell("cd " + folder_ + " && " + options.compiler + ' ' + options.flags +
                          " -Wall -Wextra -Wshadow -Werror " + arguments + " >" + log +
                          " 2>&1") == 0;
    std::stringstream text;
    text << std::ifstream(log).rdbuf();
    said = text.str();
    return ok;
  }

  // The function to call; null, with a failure recorded, when there is none.
  KernelFunction find(const Kernel& kernel) {
    if (!options.raw)
      return reinterpret_cast<KernelFunction>(dlsym(library_, function(kernel).c_str()));
    void*& code = mapped_[kernel.name];
    if (code) return reinterpret_cast<KernelFunction>(code);
    const RawText raw = readRawText(path(function(kernel) + ".o"), function(kernel));
    for (const std::string& fault : raw.faults)
      ADD_FAILURE() << function(kernel) << ": " << fault;
    if (!raw.faults.empty()) return nullptr;
    code = mmap(nullptr, raw.bytes.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    std::memcpy(code, raw.bytes.data(), raw.bytes.size());
    mprotect(code, raw.bytes.size(), PROT_READ | PROT_EXEC);
    __builtin___clear_cache(static_cast<char*>(code), static_cast<char*>(code) + raw.bytes.size());
    return reinterpret_cast<KernelFunction>(code);
  }

  std::vector<Kernel> kernels;

 private:
  // Not under the sanitizer that may be preloaded into this process.
  static int shell(const std::string& command) {
    return std::system(("unset LD_PRELOAD; " + command).c_str());
  }

  void compileAll() {
    std::array<std::string, 2> files, said;
    std::array<bool, 2> ok{};
    for (size_t i = 0; i < kernels.size(); ++i)
      files[i % 2] += ' ' + function(kernels[i]) + ".cpp";
    const auto half = [&](size_t i) { ok[i] = compile("-c" + files[i], said[i]); };
    std::thread other(half, 1);
    half(0);
    other.join();
    for (size_t i = 0; i < 2; ++i)
      if (!ok[i]) problem_ += said[i];
  }

  void load() {
    std::string objects, said;
    for (const Kernel& kernel : kernels) objects += ' ' + function(kernel) + ".o";
    if (!compile("-shared -o kernels.so" + objects, said)) problem_ = said;
    library_ = dlopen(path("kernels.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library_ && problem_.empty()) problem_ = dlerror();
  }

  std::string folder_, problem_;
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
std::vector<std::vector<float>> makeTiles(const Kernel& kernel, std::mt19937_64& random) {
  std::vector<std::vector<float>> tiles;
  for (const TileParameter& tile : kernel.tiles) {
    const bool positive = random() % 2;
    std::uniform_real_distribution<float> uniform(positive ? 0.25f : -2.0f, 2.0f);
    tiles.emplace_back();
    for (int64_t i = 0; i < tile.rows * tile.cols; ++i) tiles.back().push_back(uniform(random));
  }
  return tiles;
}

TEST_F(KernelForms, GiveExpectedResults) {
  std::mt19937_64 random(options.seed);
  int64_t compared = 0, skipped = 0;
  for (const Kernel& kernel : compiled_->kernels) {
    SCOPED_TRACE(kernel.name);
    const KernelFunction function = compiled_->find(kernel);
    ASSERT_NE(function, nullptr);
    const std::vector<std::vector<float>> tiles = makeTiles(kernel, random);
    std::vector<float> scalars;
    for (size_t i = 0; i < kernel.scalars.size(); ++i)
      scalars.push_back(0.5f + 0.25f * static_cast<float>(i));
    const KernelRun run = runKernel(kernel, function, tiles, scalars, 0, options.heap);
    const KernelRun moved = runKernel(kernel, function, tiles, scalars, 5, options.heap);
    EXPECT_EQ(run.faults, std::vector<std::string>());
    EXPECT_EQ(moved.faults, std::vector<std::string>());
    const auto expected = expectedTiles(kernel, tiles, scalars);
    for (size_t t = 0; t < kernel.tiles.size(); ++t) {
      if (kernel.tiles[t].access == Access::in) continue;
      EXPECT_EQ(std::memcmp(run.tiles[t].data(), moved.tiles[t].data(),
                            run.tiles[t].size() * sizeof(float)),
                0)
          << kernel.tiles[t].name << " depends on its alignment";
      for (size_t i = 0; i < run.tiles[t].size(); ++i) {
        const double got = run.tiles[t][i];
        const Expected& want = expected[t][i];
        if (std::isnan(want.error)) {
          ++skipped;
          continue;
        }
        ++compared;
        const bool same = std::isnan(want.value)   ? std::isnan(got)
                          : std::isinf(want.value) ? got == want.value
                                                   : std::fabs(got - want.value) <= want.error;
        ASSERT_TRUE(same) << kernel.tiles[t].name << '[' << i << "] is " << got << ", expected "
                          << want.value << " within " << want.error;
      }
    }
  }
  EXPECT_GT(compared, 4 * skipped);
}

// Distance of `got` from `exact` in units in the last place of a float; 2^128 stands for infinity.
double ulps(float got, double exact) {
  if (std::isnan(got) || std::isnan(exact)) return std::isnan(got) && std::isnan(exact) ? 0 : 1e9;
  const double limit = std::ldexp(1, 128);
  const double g = std::isinf(got) ? std::copysign(limit, got) : static_cast<double>(got);
  exact = std::max(-limit, std::min(limit, exact));
  int exponent = 0;
  std::frexp(std::min(std::fabs(exact), std::ldexp(1, 127)), &exponent);
  return std::fabs(g - exact) / std::ldexp(1, std::max(exponent - 24, -149));
}

double exactUnary(std::string_view op, double x) {
  if (op == "exp") return std::exp(x);
  if (op == "log") return std::log(x);
  if (op == "sqrt") return std::sqrt(x);
  if (op == "rsqrt") return 1 / std::sqrt(x);
  if (op == "neg") return -x;
  if (op == "abs") return std::fabs(x);
  std::abort();
}

const std::array<float, 20> kSpecialValues = {
    0.0f,     -0.0f,     1.0f,  -1.0f,    INFINITY, -INFINITY, NAN,       1e-45f,  -1e-45f, 1.17549435e-38f,
    -1e-39f,  3.4028235e38f, -3.4028235e38f, 0.1f, 88.7228f,  -87.3365f, -103.97f, 2.0f,    1e-20f, -1e20f};

void expectUnary(const Kernel& kernel, const std::vector<float>& x, const KernelRun& run,
                 std::vector<double>& worst) {
  for (size_t t = 1; t < kernel.tiles.size(); ++t) {
    const KernelOp& op = kernel.ops[2 * (t - 1)];
    for (size_t i = 0; i < x.size(); ++i) {
      const double exact = exactUnary(op.op->name, x[i]);
      const float got = run.tiles[t][i];
      const double distance = ulps(got, exact);
      if (distance > worst[t]) worst[t] = distance;
      ASSERT_LE(distance, op.op->max_ulp + 1e-9)
          << op.op->name << '(' << x[i] << ") is " << got << ", expected " << exact;
      if (!std::isnan(exact)) {
        ASSERT_EQ(std::signbit(got), std::signbit(exact)) << op.op->name << '(' << x[i] << ')';
      }
    }
  }
}

TEST_F(KernelForms, UnaryOpsKeepTheirAccuracyOverAllFloats) {
  const Kernel& kernel = compiled_->kernels[compiled_->kernels.size() - 2];
  const KernelFunction function = compiled_->find(kernel);
  ASSERT_NE(function, nullptr);
  std::vector<double> worst(kernel.tiles.size());
  std::vector<std::vector<float>> tiles(kernel.tiles.size());
  uint32_t bits = static_cast<uint32_t>(options.seed);
  for (int block = 0; block < 160; ++block) {
    std::vector<float>& x = tiles[0];
    x.clear();
    // A stride prime to 2^32, and at first what a stride may miss.
    if (block == 0) x.assign(kSpecialValues.begin(), kSpecialValues.end());
    while (x.size() < static_cast<size_t>(kUnary)) x.push_back(std::bit_cast<float>(bits += 6553));
    const KernelRun run = runKernel(kernel, function, tiles, {}, 0, options.heap);
    expectUnary(kernel, x, run, worst);
    if (HasFatalFailure()) return;
  }
  for (size_t t = 1; t < kernel.tiles.size(); ++t)
    std::cout << kernel.tiles[t].name << ": at most " << worst[t] << " ulp\n";
}

TEST_F(KernelForms, BinaryOpsAreRoundedCorrectlyOnSpecialValues) {
  const Kernel& kernel = compiled_->kernels.back();
  const KernelFunction function = compiled_->find(kernel);
  ASSERT_NE(function, nullptr);
  std::mt19937_64 random(options.seed);
  std::vector<float> values(kSpecialValues.begin(), kSpecialValues.end());
  while (values.size() < static_cast<size_t>(kSpecial))
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(random())));
  std::vector<std::vector<float>> tiles(kernel.tiles.size());
  for (const float x : values) {
    for (const float y : values) {
      tiles[0].push_back(x);
      tiles[1].push_back(y);
    }
  }
  const KernelRun run = runKernel(kernel, function, tiles, {}, 0, options.heap);
  for (size_t t = 2; t < kernel.tiles.size(); ++t) {
    const std::string_view op = kernel.ops[2 * (t - 2)].op->name;
    for (int64_t i = 0; i < kPairs; ++i) {
      const float x = tiles[0][i], y = tiles[1][i], got = run.tiles[t][i];
      float want = 0;
      if (op == "add") want = x + y;
      if (op == "sub") want = x - y;
      if (op == "mul") want = x * y;
      if (op == "div") want = x / y;
      if (op == "max") want = std::isnan(x) || x > y ? x : y;
      if (op == "min") want = std::isnan(x) || x < y ? x : y;
      const bool same = std::isnan(want) ? std::isnan(got) : got == want;
      // Which of two zeros max and min give is not fixed.
      const bool sign = std::isnan(want) || std::signbit(got) == std::signbit(want) ||
                        (want == 0 && op[0] == 'm' && op != "mul");
      ASSERT_TRUE(same && sign) << op << '(' << x << ", " << y << ") is " << got << ", expected "
                                << want;
    }
  }
}

TEST_F(KernelForms, ReductionsCarryNaNAndInfinity) {
  for (const Kernel& kernel : compiled_->kernels) {
    if (!kernel.name.starts_with("reduce_")) continue;
    SCOPED_TRACE(kernel.name);
    const KernelFunction function = compiled_->find(kernel);
    ASSERT_NE(function, nullptr);
    const TileParameter& x = kernel.tiles[0];
    std::vector<std::vector<float>> tiles(kernel.tiles.size());
    for (int64_t col = 0; col < x.cols; col += x.cols > 200 ? x.cols / 7 : 1) {
      for (const float special : {NAN, INFINITY, -INFINITY}) {
        tiles[0].assign(static_cast<size_t>(x.rows * x.cols), 1.0f);
        tiles[0][static_cast<size_t>(col)] = special;
        const KernelRun run = runKernel(kernel, function, tiles, {}, 0, options.heap);
        const auto expected = expectedTiles(kernel, tiles, {});
        for (size_t t = 1; t < kernel.tiles.size(); ++t) {
          for (size_t row = 0; row < run.tiles[t].size(); ++row) {
            const double want = expected[t][row].value, got = run.tiles[t][row];
            ASSERT_TRUE(std::isnan(want) ? std::isnan(got) : got == want)
                << kernel.tiles[t].name << " of a row with " << special << " at " << col << " is "
                << got << ", expected " << want;
          }
        }
      }
    }
  }
}

// Equal elements make the rounding errors of a long sum all of one sign.
TEST_F(KernelForms, SumsOfLongRowsStayAccurate) {
  for (const Kernel& kernel : compiled_->kernels) {
    if (kernel.name != "reduce_1_300001") continue;
    const KernelFunction function = compiled_->find(kernel);
    ASSERT_NE(function, nullptr);
    std::vector<std::vector<float>> tiles(kernel.tiles.size());
    for (const float x : {0.1f, 0.7f, 1.1f, 3.3f}) {
      tiles[0].assign(300001, x);
      const KernelRun run = runKernel(kernel, function, tiles, {}, 0, options.heap);
      EXPECT_NEAR(run.tiles[1][0] / (300001.0 * x), 1, 1e-5);
      EXPECT_NEAR(run.tiles[4][0] / x, 1, 1e-5);
    }
    return;
  }
  FAIL() << "the kernel is gone";
}

// The inspection itself: a kernel as one would write it without the header is found wrong.
TEST_F(KernelForms, InspectionFindsWhatRawTextCannotHave) {
  if (!options.raw) GTEST_SKIP() << "a shared library is relocated";
  compiled_->write("kernel_bad.cpp",
                   "#include <stdint.h>\n"
                   "static __attribute__((noinline)) float twist(float x) { return x * 1.7f; }\n"
                   "extern \"C\" void kernel_bad(int64_t* args) {\n"
                   "  float* x = reinterpret_cast<float*>(args[0]);\n"
                   "  x[1] = twist(x[0]) + twist(x[2]);\n"
                   "}\n");
  std::string said;
  ASSERT_TRUE(compiled_->compile("-c kernel_bad.cpp", said)) << said;
  const RawText raw = readRawText(compiled_->path("kernel_bad.o"), "kernel_bad");
  std::string faults;
  for (const std::string& fault : raw.faults) faults += fault + '\n';
  EXPECT_NE(faults.find("relocations against .text"), std::string::npos) << faults;
  EXPECT_NE(faults.find("content in section .rodata"), std::string::npos) << faults;
  EXPECT_NE(faults.find("is not at offset 0"), std::string::npos) << faults;
}

// A kernel's own library needs nothing, and offers its two names for one address.
TEST_F(KernelForms, LibraryExportsKernelUnderBothNames) {
  if (options.raw || options.flags.find("-fsanitize") != std::string::npos)
    GTEST_SKIP() << "of shared libraries without a sanitizer only";
  std::string said;
  ASSERT_TRUE(compiled_->compile(
      "-shared -nostdlib -Wl,-z,defs -fvisibility=hidden kernel_softmax.cpp -fPIC -o one.so", said))
      << said;
  EXPECT_EQ(exportedSymbols(compiled_->path("one.so")),
            (std::vector<std::string>{"kernel_entry", "kernel_softmax"}));
  void* library = dlopen(compiled_->path("one.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  EXPECT_EQ(dlsym(library, "kernel_entry"), dlsym(library, "kernel_softmax"));
  dlclose(library);
}

}  // namespace
}  // namespace ptowsp::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  using ptowsp::test::options;
  options.seed = std::random_device()();
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
    else if (is("--seed=", number))
      options.seed = std::stoull(number);
    else if (!is("--compiler=", options.compiler) && !is("--flags=", options.flags) &&
             !is("--level=", options.level)) {
      std::cerr << "unknown argument " << argument << '\n';
      return 2;
    }
  }
  std::cout << "seed " << options.seed << '\n';
  return RUN_ALL_TESTS();
}
