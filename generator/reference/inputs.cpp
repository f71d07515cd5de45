// SPDX-License-Identifier: MIT
#include "generator/reference/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "generator/base/suggest.h"
#include "generator/ir/dtype.h"
#include "generator/reference/random.h"

namespace ptowsp::reference {

bool isRead(const Tensor& tensor) {
  return tensor.declaration.role == Role::input || tensor.declaration.role == Role::inout;
}

bool isResult(const Tensor& tensor) {
  return tensor.declaration.role == Role::output || tensor.declaration.role == Role::inout;
}

npy::Type npyType(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return npy::Type::f32;
    case DType::f16:
      return npy::Type::f16;
    case DType::bf16:
      return npy::Type::bf16;
    case DType::i32:
      break;
  }
  return npy::Type::i32;
}

namespace {

// `number` gives element i as a double, which is rounded once to the dtype.
template <class Number>
Elements generate(const Tensor& tensor, Number number) {
  const DType dtype = tensor.declaration.dtype;
  Elements elements(dtype, tensor.elements);
  const size_t size = static_cast<size_t>(ir::elementSize(dtype));
  for (size_t i = 0; i < static_cast<size_t>(tensor.elements); ++i) {
    const uint32_t bits = ir::bitsOf(dtype, number(i));
    std::memcpy(&elements.bytes[i * size], &bits, size);
  }
  return elements;
}

Elements generate(const Tensor& tensor, const ir::Init& init, uint64_t seed) {
  const RandomNumbers random(tensor.declaration.name, seed);
  const double a = init.a, b = init.b;
  switch (init.kind) {
    case ir::Init::Kind::uniform:
      // Rounding to nearest would give i32 the number `high`, and `low` half as often as others.
      if (tensor.declaration.dtype == DType::i32)
        return generate(tensor, [&](uint64_t i) { return std::floor(random.uniform(i, a, b)); });
      return generate(tensor, [&](uint64_t i) { return random.uniform(i, a, b); });
    case ir::Init::Kind::normal:
      return generate(tensor, [&](uint64_t i) { return random.normal(i, a, b); });
    case ir::Init::Kind::arange:
      return generate(tensor, [&](uint64_t i) { return a + static_cast<double>(i) * b; });
    case ir::Init::Kind::constant:
    case ir::Init::Kind::npy:
      break;
  }
  return generate(tensor, [&](uint64_t) { return a; });
}

// What a tensor without `init` has.
ir::Init defaultInit(DType dtype) {
  ir::Init init;
  if (dtype == DType::i32) {
    init.a = -100;
    init.b = 100;
  }
  return init;
}

// Reader: reads files and remembers them all, the missing ones too.
class Reader {
 public:
  Reader(Evaluation& evaluation, Diagnostics& diagnostics)
      : evaluation_(evaluation), diagnostics_(diagnostics) {}

  bool read(const std::string& path, const Tensor& tensor, const std::string& place,
            Elements& elements) {
    evaluation_.files.push_back(path);
    elements = Elements(tensor.declaration.dtype, tensor.elements);
    const npy::Status status = npy::read(path, npyType(tensor.declaration.dtype),
                                         tensor.declaration.shape, elements.bytes.data());
    if (!status.ok()) {
      diagnostics_.error(
          "npy-file", place,
          fmt::format("data of tensor '{}': {}", tensor.declaration.name, status.message),
          status.fix);
    }
    return status.ok();
  }

 private:
  Evaluation& evaluation_;
  Diagnostics& diagnostics_;
};

// Every tensor that the options give a file for must be one that has such data.
bool checkNames(const Program& program, const std::map<std::string, std::string>& given,
                const char* what, bool (*has)(const Tensor&), Diagnostics& diagnostics) {
  std::vector<std::string_view> known;
  for (const Tensor& tensor : program.tensors) {
    if (has(tensor)) known.push_back(tensor.declaration.name);
  }
  bool good = true;
  for (const auto& [name, path] : given) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    good = false;
    diagnostics.error(
        "unknown-tensor", "/tensors",
        fmt::format("{} data '{}={}': no tensor of that name has {} data", what, name, path, what),
        suggestion(name, fmt::format("tensors with {} data", what), known));
  }
  return good;
}

}  // namespace

bool readData(const Program& program, const Options& options, Evaluation& evaluation,
              Diagnostics& diagnostics) {
  bool good = checkNames(program, options.inputs, "input", isRead, diagnostics);
  good &= checkNames(program, options.expected, "expected", isResult, diagnostics);

  Reader reader(evaluation, diagnostics);
  for (size_t t = 0; t < program.tensors.size(); ++t) {
    const Tensor& tensor = program.tensors[t];
    const ir::Tensor& declared = tensor.declaration;
    if (isRead(tensor)) {
      const ir::Init init = declared.init.value_or(defaultInit(declared.dtype));
      if (const auto given = options.inputs.find(declared.name); given != options.inputs.end()) {
        good &= reader.read(given->second, tensor, declared.place, evaluation.inputs[t]);
      } else if (init.kind == ir::Init::Kind::npy) {
        const std::string path = (std::filesystem::path(options.directory) / init.file).string();
        good &= reader.read(path, tensor, declared.place + "/init/npy", evaluation.inputs[t]);
      } else {
        evaluation.inputs[t] = generate(tensor, init, options.seed);
      }
    }
    const auto given = options.expected.find(declared.name);
    if (isResult(tensor) && given != options.expected.end()) {
      good &= reader.read(given->second, tensor, declared.place, evaluation.expected[t]);
    }
  }
  std::vector<std::string>& files = evaluation.files;
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return good;
}

}  // namespace ptowsp::reference
