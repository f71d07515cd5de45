// SPDX-License-Identifier: MIT
// Rules that ask for the whole program.
#include <algorithm>
#include <vector>

#include "generator/verify/rules.h"

namespace ptowsp {
namespace {

// Uses: which tensors and kernels the tasks touch.
struct Uses {
  std::vector<bool> read, kernel;
};

void collect(const Program& program, const Node& node, Uses& uses) {
  if (node.kind == Node::Kind::task) {
    uses.kernel[static_cast<size_t>(node.kernel)] = true;
    const Kernel& kernel = program.kernels[static_cast<size_t>(node.kernel)];
    for (size_t i = 0; i < node.views.size(); ++i) {
      if (kernel.tiles[i].access != Access::out) {
        uses.read[static_cast<size_t>(node.views[i].tensor)] = true;
      }
    }
  }
  for (const Node& child : node.body) collect(program, child, uses);
}

// no-output: a workload gives something back.
void checkOutputs(const Program& program, const Uses&, Diagnostics& diagnostics) {
  bool any = std::any_of(program.tensors.begin(), program.tensors.end(), [](const Tensor& tensor) {
    return tensor.declaration.role == Role::output || tensor.declaration.role == Role::inout;
  });
  if (any) return;
  diagnostics.error("no-output", "/tensors", "no tensor has the role 'output' or 'inout'",
                    "give the tensor that holds the result the role 'output'");
}

// never-written: outputs are written by some task.
void checkWritten(const Program& program, const Uses&, Diagnostics& diagnostics) {
  for (const Tensor& tensor : program.tensors) {
    if (tensor.written) continue;
    const std::string name = inQuotes(tensor.declaration.name);
    if (tensor.declaration.role == Role::output) {
      diagnostics.error("never-written", tensor.declaration.place,
                        "tensor " + name + " has role 'output' and no task writes it",
                        "write it, or remove the tensor");
    } else if (tensor.declaration.role == Role::inout) {
      diagnostics.warning("never-written", tensor.declaration.place,
                          "tensor " + name + " has role 'inout' and no task writes it",
                          "make its role 'input'");
    }
  }
}

// unused: tensors that are never read, kernels that no task calls.
void checkUsed(const Program& program, const Uses& uses, Diagnostics& diagnostics) {
  for (size_t i = 0; i < program.tensors.size(); ++i) {
    const Tensor& tensor = program.tensors[i];
    Role role = tensor.declaration.role;
    if (uses.read[i] || (role != Role::input && role != Role::temporary)) continue;
    diagnostics.warning("unused", tensor.declaration.place,
                        "tensor " + inQuotes(tensor.declaration.name) + " has role '" +
                            ir::nameOf(role) + "' and no task reads it",
                        "remove it");
  }
  for (size_t i = 0; i < program.kernels.size(); ++i) {
    if (uses.kernel[i]) continue;
    diagnostics.warning("unused", program.kernels[i].place,
                        "no task calls kernel " + inQuotes(program.kernels[i].name), "remove it");
  }
}

struct Rule {
  const char* name;
  void (*check)(const Program&, const Uses&, Diagnostics&);
};

constexpr Rule kRules[] = {
    {"no-output", checkOutputs},
    {"never-written", checkWritten},
    {"unused", checkUsed},
};

}  // namespace

void checkProgram(const Program& program, Diagnostics& diagnostics) {
  Uses uses{std::vector<bool>(program.tensors.size()), std::vector<bool>(program.kernels.size())};
  collect(program, program.root, uses);
  for (const Rule& rule : kRules) rule.check(program, uses, diagnostics);
}

}  // namespace ptowsp
