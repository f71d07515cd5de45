// SPDX-License-Identifier: MIT
// Rules that ask for the workload alone, before anything is resolved.
#include <cfloat>
#include <cmath>
#include <map>

#include "generator/base/checked.h"
#include "generator/ir/dtype.h"
#include "generator/ir/json.h"
#include "generator/verify/names.h"
#include "generator/verify/rules.h"

namespace ptowsp {
namespace {

// Where a loop's variable, or that of a token's index, is given.
std::string variablePlace(const ir::Node& node) {
  return node.place + (node.kind == ir::Node::Kind::loop ? "/for" : "/as");
}

// Calls `visit` for every node below, with the nodes around it that have a variable, outermost
// first.
template <typename Visit>
void walk(const std::vector<ir::Node>& nodes, std::vector<const ir::Node*>& loops, Visit visit) {
  for (const ir::Node& node : nodes) {
    visit(node, loops);
    bool is_loop = !node.variable.empty();
    if (is_loop) loops.push_back(&node);
    walk(node.body, loops, visit);
    if (is_loop) loops.pop_back();
  }
}

template <typename Visit>
void walk(const ir::Workload& workload, Visit visit) {
  std::vector<const ir::Node*> loops;
  walk(workload.program, loops, visit);
}

// bad-name: every name is a C identifier that emitted code can use.
void checkNames(const ir::Workload& workload, Diagnostics& diagnostics) {
  auto check = [&](std::string_view what, const std::string& name, const std::string& place,
                   NameUse use) {
    std::string problem = problemOfName(name, use);
    if (problem.empty()) return;
    diagnostics.error("bad-name", place,
                      std::string(what) + " " + json::quoted(name) + " " + problem,
                      "choose another name");
  };
  for (const ir::Tensor& tensor : workload.tensors) {
    check("tensor name", tensor.name, tensor.place + "/name", NameUse::variable);
  }
  for (const ir::Kernel& kernel : workload.kernels) {
    check("kernel name", kernel.name, kernel.place + "/name", NameUse::kernel);
    for (const ir::Parameter& parameter : kernel.params) {
      check("parameter name", parameter.name, parameter.place + "/name", NameUse::variable);
    }
    for (const ir::Op& op : kernel.body) {
      if (!op.result.empty()) {
        check("result name", op.result, op.place + "/result", NameUse::variable);
      }
    }
  }
  for (const ir::Channel& channel : workload.channels) {
    check("channel name", channel.name, channel.place + "/name", NameUse::variable);
  }
  walk(workload, [&](const ir::Node& node, const std::vector<const ir::Node*>&) {
    if (!node.variable.empty()) {
      check("loop variable", node.variable, variablePlace(node), NameUse::variable);
    }
    if (!node.name.empty()) {
      check("process name", node.name, node.place + "/process", NameUse::variable);
    }
  });
}

// Names: what each name of one scope stands for, and where it was given.
class Names {
 public:
  explicit Names(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void add(const std::string& what, const std::string& name, const std::string& place) {
    auto [entry, is_new] = seen_.try_emplace(name, what, place);
    if (is_new) return;
    const auto& [other, other_place] = entry->second;
    diagnostics_
        .error("duplicate-name", place,
               what + " " + inQuotes(name) + " has the same name as " +
                   (other == what ? "another " : "a ") + other,
               "rename one of them")
        .related.push_back({other_place, "the other one is here"});
  }

 private:
  Diagnostics& diagnostics_;
  std::map<std::string, std::pair<std::string, std::string>> seen_;
};

// duplicate-name: tensors and kernels share one set of names; a loop variable has none of them and
// none of the loops around it; within a kernel, parameters and results share another set; channels
// have a set, and processes.
void checkDuplicates(const ir::Workload& workload, Diagnostics& diagnostics) {
  Names global(diagnostics);
  auto addGlobals = [&](Names& names) {
    for (const ir::Tensor& tensor : workload.tensors) {
      names.add("tensor", tensor.name, tensor.place + "/name");
    }
    for (const ir::Kernel& kernel : workload.kernels) {
      names.add("kernel", kernel.name, kernel.place + "/name");
    }
  };
  addGlobals(global);
  for (const ir::Kernel& kernel : workload.kernels) {
    Names local(diagnostics);
    for (const ir::Parameter& parameter : kernel.params) {
      local.add("parameter", parameter.name, parameter.place + "/name");
    }
    for (const ir::Op& op : kernel.body) {
      if (!op.result.empty()) local.add("result", op.result, op.place + "/result");
    }
  }
  std::map<std::string, const ir::Tensor*> tensors;
  for (const ir::Tensor& tensor : workload.tensors) tensors.emplace(tensor.name, &tensor);
  std::map<std::string, const ir::Kernel*> kernels;
  for (const ir::Kernel& kernel : workload.kernels) kernels.emplace(kernel.name, &kernel);
  Names channels(diagnostics), processes(diagnostics);
  for (const ir::Channel& channel : workload.channels) {
    channels.add("channel", channel.name, channel.place + "/name");
  }
  walk(workload, [&](const ir::Node& node, const std::vector<const ir::Node*>& loops) {
    if (!node.name.empty()) processes.add("process", node.name, node.place + "/process");
    if (node.variable.empty()) return;
    Names around(diagnostics);
    auto tensor = tensors.find(node.variable);
    auto kernel = kernels.find(node.variable);
    if (tensor != tensors.end()) {
      around.add("tensor", node.variable, tensor->second->place + "/name");
    } else if (kernel != kernels.end()) {
      around.add("kernel", node.variable, kernel->second->place + "/name");
    } else {
      for (const ir::Node* loop : loops) {
        if (loop->variable != node.variable) continue;
        around.add("loop around it", node.variable, variablePlace(*loop));
        break;
      }
    }
    around.add("loop variable", node.variable, variablePlace(node));
  });
}

// integer-overflow: the bytes of every tensor and tile fit 64 bits.
void checkSizes(const ir::Workload& workload, Diagnostics& diagnostics) {
  auto check = [&](const std::string& what, const std::vector<int64_t>& shape, ir::DType dtype,
                   const std::string& place) {
    std::optional<int64_t> bytes = ir::elementSize(dtype);
    for (int64_t extent : shape) {
      if (bytes) bytes = checkedMul(*bytes, extent);
    }
    if (bytes) return;
    diagnostics.error("integer-overflow", place,
                      "the size of " + what + " in bytes does not fit 64 bits", "make it smaller");
  };
  for (const ir::Tensor& tensor : workload.tensors) {
    check("tensor " + inQuotes(tensor.name), tensor.shape, tensor.dtype, tensor.place + "/shape");
  }
  for (const ir::Kernel& kernel : workload.kernels) {
    for (const ir::Parameter& parameter : kernel.params) {
      check("tile " + inQuotes(parameter.name), {parameter.rows, parameter.cols}, parameter.dtype,
            parameter.place + "/tile");
    }
  }
}

// bad-init: only what is read before the program writes it has an init, with numbers that its dtype
// has; the ends of i32's random numbers may have fractions.
void checkInits(const ir::Workload& workload, Diagnostics& diagnostics) {
  for (const ir::Tensor& tensor : workload.tensors) {
    if (!tensor.init) continue;
    if (tensor.role == Role::output || tensor.role == Role::temporary) {
      diagnostics.error("bad-init", tensor.place + "/init",
                        "tensor " + inQuotes(tensor.name) + " has role '" +
                            ir::nameOf(tensor.role) + "', which has no init",
                        tensor.role == Role::output
                            ? "remove the init, or make the tensor inout to keep old elements"
                            : "remove the init");
    }
    const bool random = tensor.init->kind == ir::Init::Kind::uniform ||
                        tensor.init->kind == ir::Init::Kind::normal;
    for (double number : {tensor.init->a, tensor.init->b}) {
      roundedTo(tensor.dtype, random && tensor.dtype == DType::i32 ? std::floor(number) : number,
                tensor.place + "/init", diagnostics);
    }
  }
}

struct Rule {
  const char* name;
  void (*check)(const ir::Workload&, Diagnostics&);
};

constexpr Rule kRules[] = {
    {"bad-name", checkNames},
    {"duplicate-name", checkDuplicates},
    {"integer-overflow", checkSizes},
    {"bad-init", checkInits},
};

}  // namespace

std::string inQuotes(std::string_view name) { return "'" + std::string(name) + "'"; }

std::string shapeText(int64_t rows, int64_t cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

double roundedTo(DType dtype, double number, std::string_view place, Diagnostics& diagnostics) {
  const double rounded = ir::roundTo(dtype, number);
  if (dtype == DType::i32 && rounded != number) {
    diagnostics.error("number-range", place,
                      "the number " + json::numberText(number) + " is no i32",
                      "i32 has the integers from -2147483648 to 2147483647");
  } else if (std::isinf(rounded)) {
    diagnostics.error("number-range", place,
                      "the number " + json::numberText(number) + " is too large for " +
                          ir::nameOf(dtype),
                      std::string(ir::nameOf(dtype)) + " ends at " +
                          (dtype == DType::f16 ? "65504" : "about 3.4e38"));
  }
  return rounded;
}

void checkWorkload(const ir::Workload& workload, Diagnostics& diagnostics) {
  for (const Rule& rule : kRules) rule.check(workload, diagnostics);
}

Tensor buildTensor(const ir::Tensor& declaration) {
  struct Tolerance {
    double relative, absolute;
  };
  // Defaults of comparison: f32, f16, bf16; integers are compared exactly.
  constexpr Tolerance kDefaults[] = {{1e-4, 1e-5}, {1e-2, 1e-3}, {2e-2, 1e-2}, {0, 0}};
  Tensor tensor;
  tensor.declaration = declaration;
  const std::vector<int64_t>& shape = declaration.shape;
  auto product = [](int64_t a, int64_t b) { return checkedMul(a, b).value_or(1); };
  for (size_t i = 0; i + 2 < shape.size(); ++i) tensor.planes = product(tensor.planes, shape[i]);
  tensor.rows = shape.size() > 1 ? shape[shape.size() - 2] : 1;
  tensor.cols = shape.back();
  tensor.elements = product(product(tensor.planes, tensor.rows), tensor.cols);
  tensor.bytes = product(tensor.elements, ir::elementSize(declaration.dtype));
  const Tolerance& tolerance = kDefaults[static_cast<int>(declaration.dtype)];
  tensor.rtol = declaration.rtol.value_or(tolerance.relative);
  tensor.atol = declaration.atol.value_or(tolerance.absolute);
  return tensor;
}

}  // namespace ptowsp
