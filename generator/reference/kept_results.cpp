// SPDX-License-Identifier: MIT
#include "generator/reference/kept_results.h"

#include <cstring>
#include <string>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "generator/base/cache.h"
#include "generator/reference/inputs.h"

namespace ptowsp::reference {
namespace {

std::string_view bytesOf(const Elements& elements) {
  return {reinterpret_cast<const char*>(elements.bytes.data()), elements.bytes.size()};
}

// exp() and its like are the C library's, which has other code for processors with other
// instructions: their last bit may differ.
std::string mathLibrary() {
  std::string text;
#ifdef __GLIBC__
  text += gnu_get_libc_version();
#endif
#ifdef __x86_64__
  if (__builtin_cpu_supports("fma")) text += " fma";
  if (__builtin_cpu_supports("avx2")) text += " avx2";
#endif
  return text;
}

// The data themselves and not where they come from: seeds, files and formulas that give the same
// inputs give the same results.
CacheKey keyOf(const Program& program, const Options& options, const Evaluation& evaluation,
               const std::vector<bool>& computed) {
  CacheKey key("eval");
  key.add("math", mathLibrary());
  key.addContent("workload", options.identity);
  for (size_t t = 0; t < program.tensors.size(); ++t) {
    const std::string& name = program.tensors[t].declaration.name;
    if (isRead(program.tensors[t])) key.addContent("input " + name, bytesOf(evaluation.inputs[t]));
    if (computed[t]) key.add("result", name);
  }
  return key;
}

}  // namespace

std::vector<bool> lacking(const Program& program, const Evaluation& evaluation) {
  std::vector<bool> lacks;
  for (size_t t = 0; t < program.tensors.size(); ++t)
    lacks.push_back(isResult(program.tensors[t]) && evaluation.expected[t].empty());
  return lacks;
}

bool takeKeptResults(const Program& program, const Options& options, Evaluation& evaluation) {
  if (!options.cache) return false;
  const std::vector<bool> lacks = lacking(program, evaluation);
  const auto files = options.cache->find(keyOf(program, options, evaluation, lacks));
  if (!files) return false;
  size_t next = 0;
  std::vector<Elements> results(program.tensors.size());
  for (size_t t = 0; t < program.tensors.size(); ++t) {
    if (!lacks[t]) continue;
    const Tensor& tensor = program.tensors[t];
    results[t] = Elements(tensor.declaration.dtype, tensor.elements);
    if (next == files->size() || (*files)[next].name != tensor.declaration.name ||
        (*files)[next].bytes.size() != results[t].bytes.size())
      return false;
    std::memcpy(results[t].bytes.data(), (*files)[next].bytes.data(), results[t].bytes.size());
    ++next;
  }
  for (size_t t = 0; t < program.tensors.size(); ++t)
    if (lacks[t]) evaluation.expected[t] = std::move(results[t]);
  return true;
}

void keepResults(const Program& program, const Options& options, const Evaluation& evaluation,
                 const std::vector<bool>& computed) {
  if (!options.cache) return;
  std::vector<KeptFile> files;
  for (size_t t = 0; t < program.tensors.size(); ++t)
    if (computed[t])
      files.push_back({program.tensors[t].declaration.name,
                       std::string(bytesOf(evaluation.expected[t]))});
  options.cache->keep(keyOf(program, options, evaluation, computed), files);
}

}  // namespace ptowsp::reference
