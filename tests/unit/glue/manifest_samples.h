// SPDX-License-Identifier: MIT
// A manifest and a ready file that are right; tests change one thing in them.
#pragma once

#include <string>

namespace ptowsp::glue {

inline std::string manifestText() {
  return R"({
  "ptowsp_manifest": 1,
  "version": ")" PTOWSP_VERSION R"(",
  "contract": "G1",
  "name": "mix",
  "display_name": "a mix",
  "source": "mix.json",
  "source_hash": "0123456789abcdef",
  "orchestration": {"source": "kernels/orchestration/pto_wsp_orch.cpp", "function": "build_pto_wsp_graph"},
  "tensors": [
    {"name": "x", "dtype": "f32", "shape": [4, 8], "role": "input", "bytes": 128, "rtol": 0.0001, "atol": 1e-05},
    {"name": "t", "dtype": "f16", "shape": [4, 8], "role": "temporary", "bytes": 64, "rtol": 0.01, "atol": 0.001},
    {"name": "y", "dtype": "f32", "shape": [4, 8], "role": "output", "bytes": 128, "rtol": 0.0001, "atol": 1e-05}],
  "kernels": [
    {"name": "load", "func_id": 0, "core_type": "aiv", "sources": {"a2a3sim": "kernels/aiv_sim/kernel_load.cpp"},
     "tiles": [{"name": "a", "access": "in", "rows": 1, "cols": 4, "dtype": "f32", "strided": true}], "scalars": ["s"]},
    {"name": "done", "func_id": 1, "core_type": "aic", "sources": {"a2a3sim": "kernels/aic_sim/kernel_done.cpp"},
     "tiles": [{"name": "b", "access": "inout", "rows": 4, "cols": 8, "dtype": "f32", "strided": false}], "scalars": []}],
  "relay": null,
  "graph": {"tasks": 14, "edges": 2, "edge_hash": "00", "critical_path": 2, "dependences": "dataflow",
            "segments": 1, "cuts": [], "spills": []},
  "program": [
    {"for": "b", "extent": 2, "body": [
      {"for": "r", "extent": 3, "body": [{"task": 0}]},
      {"sequential": [{"task": 1}, {"combine": [{"task": 0}, {"task": 1}]}]}]},
    {"task": 1}, {"task": 1}],
  "schedule": []
}
)";
}

// The same kernels and tensors with two processes and a channel, in a loop: "load" makes, "done"
// uses. Their order is by hand.
inline std::string processManifestText() {
  std::string text = manifestText();
  text.replace(text.find("\"tasks\": 14"), 11, "\"tasks\": 15");
  const size_t begin = text.find("  \"program\""), end = text.find("  \"schedule\"");
  return text.substr(0, begin) + R"(  "channels": [{"name": "c", "depth": 1, "latency": 5, "tokens": 3}],
  "program": [{"task": 1}, {"for": "b", "extent": 2, "body": [{"connect": [
    {"process": "maker", "body": [
      {"for": "r", "extent": 3, "body": [{"send": 0, "body": [{"task": 0}]}]}, {"task": 0}]},
    {"process": "user", "body": [{"consume": 0, "as": "t", "body": [{"task": 1}]}]}]}]}],
)" + text.substr(end);
}

inline std::string readyText() {
  return R"({
  "ptowsp_ready": 1,
  "version": ")" PTOWSP_VERSION R"(",
  "manifest": "manifest.json",
  "manifest_hash": "0123456789abcdef",
  "platform": "a2a3sim",
  "kernel_arch": ["x86-64-v3", "x86-64-v4"],
  "orchestrations": {"builtin": "orchestration.builtin.so"},
  "kernels": {"load": {"x86-64-v3": "load3.so", "x86-64-v4": "load4.so"}, "done": {"x86-64-v3": "done3.so", "x86-64-v4": "done4.so"}},
  "inputs": "inputs",
  "expected": "expected",
  "block_dim": 2,
  "aicpu_threads": 1
}
)";
}

// `text` with the first `from`, which must be there, replaced by `to`.
inline std::string with(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  return at == std::string::npos ? "" : text.replace(at, from.size(), to);
}

}  // namespace ptowsp::glue
