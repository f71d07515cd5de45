// SPDX-License-Identifier: MIT
#include "generator/emit/workload_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "generator/emit/names.h"

namespace ptowsp {
namespace {

constexpr size_t kLineLength = 100;

// ParameterText: a tensor of the workload as a parameter of its function.
struct ParameterText {
  std::string tensor;    // its name in the workload
  std::string variable;  // and in the header
  std::string type;      // ptowsp::In<float, 64, 256>
  std::string comment;   // x: input, f32, 64 x 256
};

std::string_view elementType(DType dtype) {
  switch (dtype) {
    case DType::f32: return "float";
    case DType::f16: return "ptowsp::f16";
    case DType::bf16: return "ptowsp::bf16";
    case DType::i32: break;
  }
  return "std::int32_t";
}

// In front of the tensor's elements: who reads and writes them.
std::string_view parameterType(ir::Role role) {
  switch (role) {
    case ir::Role::input: return "In";
    case ir::Role::inout: return "InOut";
    default: return "Out";
  }
}

// Names that the header itself uses get underscores appended.
std::string variableName(std::string name, const std::set<std::string>& tensors) {
  static const std::set<std::string, std::less<>> used = {"ptowsp", "std", "arguments", "call",
                                                          "tryCall", "startCall"};
  if (!used.contains(name)) return name;
  do name += '_';
  while (tensors.contains(name));
  return name;
}

std::vector<ParameterText> parameterTexts(const Program& program) {
  std::set<std::string> names;
  for (const Tensor& tensor : program.tensors) names.insert(tensor.declaration.name);
  std::vector<ParameterText> texts;
  for (const Tensor& tensor : program.tensors) {
    const ir::Tensor& declared = tensor.declaration;
    if (declared.role == ir::Role::temporary) continue;
    texts.push_back({declared.name, variableName(declared.name, names),
                     fmt::format("ptowsp::{}<{}, {}>", parameterType(declared.role),
                                 elementType(declared.dtype), fmt::join(declared.shape, ", ")),
                     fmt::format("{}: {}, {}, {}", declared.name, ir::nameOf(declared.role),
                                 ir::nameOf(declared.dtype), fmt::join(declared.shape, " x "))});
  }
  return texts;
}

// A file's name inside a string literal.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

// `head` and the items behind it, in lines that begin under the first item.
std::string wrapped(const std::string& head, const std::vector<std::string>& items,
                    std::string_view tail) {
  std::string text = head;
  size_t column = head.size();
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string item = items[i] + (i + 1 < items.size() ? "," : std::string(tail));
    if (i > 0 && column + 1 + item.size() > kLineLength) {
      text += "\n" + std::string(head.size(), ' ');
      column = head.size();
    } else if (i > 0) {
      text += ' ';
      ++column;
    }
    text += item;
    column += item.size();
  }
  return items.empty() ? text + std::string(tail) : text;
}

// One way of calling the workload.
std::string functionText(std::string_view comment, std::string_view declaration,
                         std::string_view function, const std::vector<ParameterText>& parameters) {
  std::vector<std::string> declared, given;
  for (const ParameterText& parameter : parameters) {
    declared.push_back(fmt::format("const {}& {}", parameter.type, parameter.variable));
    given.push_back(fmt::format("{}.named(\"{}\")", parameter.variable, parameter.tensor));
  }
  return fmt::format(
      "{}{}\n{}\n    return {}(arguments);\n  }}\n", comment,
      wrapped(fmt::format("  {}(", declaration), declared, ") {"),
      wrapped("    const ptowsp::Argument arguments[] = {", given, "};"), function);
}

}  // namespace

std::string workloadHeaderPath(std::string_view name) { return fmt::format("include/{}.h", name); }

std::string emitWorkloadHeader(const Program& program, std::string_view name,
                               std::string_view source_name, std::string_view source_hash) {
  const std::vector<ParameterText> parameters = parameterTexts(program);
  std::string tensors;
  for (const ParameterText& parameter : parameters)
    tensors += fmt::format("//   {}\n", parameter.comment);
  return fmt::format(
      R"({generated}// Workload {name} as a function. A program that links the target {name} has this header:
//
//   #include <{name}.h>
//   ptowsp::Device device;
//   {name}::Workload {name}(device);
//   {name}({call});
//
{tensors}//
// What each function takes, gives and throws: docs/cpp.md of PtoWsp.
#ifndef PTOWSP_WORKLOAD_{name}_H
#define PTOWSP_WORKLOAD_{name}_H

#include <ptowsp/workload.h>

#if PTOWSP_CXX_INTERFACE != 1
#error "{name}.h was emitted by ptowsp-gen {version}, and ptowsp/workload.h is of another version: build the target {name} again"
#endif

namespace {name} {{

// What the artifact has to be that this header was emitted with; others are refused.
inline ptowsp::WorkloadIdentity identity() {{
  return {{"{name}", "{source}", "{hash}", "{version}", "{contract}",
#ifdef PTOWSP_ARTIFACT_{name}
          PTOWSP_ARTIFACT_{name}
#else
          nullptr
#endif
  }};
}}

class Workload : private ptowsp::LoadedWorkload {{
 public:
  // Loads the artifact from `folder`, or, without one, from where it was built or installed.
  explicit Workload(ptowsp::Device& device, const std::string& folder = std::string())
      : LoadedWorkload(device, identity(), folder) {{}}

{throwing}
{returning}
{starting}
  using LoadedWorkload::artifact;
  using LoadedWorkload::handle;
}};

}}  // namespace {name}

#endif
)",
      fmt::arg("generated", generatedBy("//", source_name)), fmt::arg("name", name),
      fmt::arg("call", [&] {
        std::string list;
        for (const ParameterText& parameter : parameters)
          list += (list.empty() ? "" : ", ") + parameter.variable;
        return list;
      }()),
      fmt::arg("tensors", tensors), fmt::arg("version", PTOWSP_VERSION),
      fmt::arg("source", escaped(source_name)), fmt::arg("hash", source_hash),
      fmt::arg("contract", kContractName),
      fmt::arg("throwing", functionText("  // One run. Throws ptowsp::Error.\n",
                                        "ptowsp::Statistics operator()", "call", parameters)),
      fmt::arg("returning",
               functionText("  // One run. Throws nothing: what failed is in the result.\n",
                            "ptowsp::Result run", "tryCall", parameters)),
      fmt::arg("starting",
               functionText("  // Starts one run and does not wait for it: the arrays have to stay until it is "
                            "over. Throws\n  // ptowsp::Error when it could not be started.\n",
                            "ptowsp::Call start", "startCall", parameters)));
}

}  // namespace ptowsp
