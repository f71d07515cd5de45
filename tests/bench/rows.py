# SPDX-License-Identifier: MIT
"""The rows of docs/performance.md: what is measured, beside what, and what is to be reached.

A sample's name is the benchmark's own; what has no name of Google Benchmark's kind comes from
build_bench.py ("build/...").
"""

from dataclasses import dataclass, field


@dataclass
class Row:
    title: str
    sample: str  # of PtoWsp
    unit: str
    reach: float | None = None  # at most, in the unit; None where the ratio alone is the goal
    peers: dict[str, str] = field(default_factory=dict)  # name -> sample
    reach_ratio: tuple[str, float] | None = None  # (peer, at most this many times its time)


def _wavefront(case: str) -> dict[str, str]:
    return {"oneTBB flow graph": f"tbb/{case}", "OpenMP tasks": f"openmp/{case}"}


def _kernel(case: str, peer: str, most: float) -> Row:
    """An emitted kernel; case as kernel_bench.py names it."""
    forms = {"plain loops, -O2": "plain", "by hand": "hand", "numpy": "numpy", "OpenBLAS": "blas"}
    if peer == "OpenBLAS":
        del forms["by hand"]
    else:
        del forms["OpenBLAS"]
    return Row(f"kernel {case.replace(' x ', ' × ')}", f"kernel/{case}/emitted", "µs", None,
               {title: f"kernel/{case}/{form}" for title, form in forms.items()}, (peer, most))


ROWS = [
    Row("wavefront of 316 × 316 empty tasks, built and run, 1 worker", "ptowsp/wavefront_316/1", "ns/task", 30,
        _wavefront("wavefront_316/1") | {"in-degree counters": "counters/wavefront_316/1"}),
    Row("same, 2 workers", "ptowsp/wavefront_316/2", "ns/task", 40, _wavefront("wavefront_316/2")),
    Row("same with `dispatch` round_robin(2), 1 worker", "ptowsp/wavefront_316_round_robin_2/1", "ns/task", None,
        {"without": "ptowsp/wavefront_316/1"}),
    Row("same, 2 workers", "ptowsp/wavefront_316_round_robin_2/2", "ns/task", None,
        {"without": "ptowsp/wavefront_316/2"}),
    Row("same with `task_window` 8192, 1 worker", "ptowsp/wavefront_316_window_8192/1", "ns/task", None,
        {"without": "ptowsp/wavefront_316/1"}),
    Row("same, 2 workers", "ptowsp/wavefront_316_window_8192/2", "ns/task", None,
        {"without": "ptowsp/wavefront_316/2"}),
    Row("same graph run again, 1 worker", "ptowsp/wavefront_316_again/1", "ns/task", 20,
        {"oneTBB flow graph": "tbb/wavefront_316_again/1", "in-degree counters": "counters/wavefront_316_again/1"}),
    Row("same, 2 workers", "ptowsp/wavefront_316_again/2", "ns/task", None,
        {"oneTBB flow graph": "tbb/wavefront_316_again/2"}),
    Row("same wavefront, edges inferred from tile regions by the emitted orchestration, 1 worker",
        "ptowsp/wavefront_316_inferred/1", "ns/task", 90),
    Row("bodies of 1 µs, 316 × 316, 2 workers (no less than 500 is possible)", "ptowsp/wavefront_316_1us/2",
        "ns/task", 560, _wavefront("wavefront_316_1us/2")),
    Row("wavefront of 32 × 32, built and run", "ptowsp/wavefront_32/1", "ns/task", 100, _wavefront("wavefront_32/1")),
    Row("launch of one task in a warm process", "ptowsp/one_task/1", "ms", 0.1),
    Row("warm call of a workload of one task from C++, 64 × 64 f32 from and to the host", "call/one_task", "µs", 20,
        {"its kernel as a function": "call/kernel"}),
    Row("same, tensors that stay on the device", "call/one_task_on_device", "µs", 20,
        {"its kernel as a function": "call/kernel"}),
    Row("same, started and waited for", "call/one_task_started", "µs", None, {"its kernel as a function": "call/kernel"}),
    Row("edit one kernel, rebuild, run the test", "build/edit_to_result", "s", 0.2),
    Row("nothing changed: build and run the test", "build/nothing_changed", "s", 0.05),
    Row("empty build tree to a passing test, `scale`", "build/empty_tree_to_result", "s", 0.6),
    Row("200 workloads: configure", "build/configure_200", "s", 1.5),
    Row("200 workloads: full build", "build/build_200", "s"),
    Row("200 workloads: nothing to build", "build/no_op_200", "s", 0.1),
    Row("200 workloads: one test", "build/test_200", "ms", 12),
    Row("`ptowsp-gen emit`, `scale`, process", "process/gen_emit_scale", "ms", 8, {"/bin/true": "process/true"}),
    Row("`ptowsp-gen check`, 1,000,000 independent tasks, process", "process/gen_check_million_independent", "s", 1),
    Row("`ptowsp-gen check`, wavefront of 1,000,000 tasks, process", "process/gen_check_million_wavefront", "s", 1),
    Row("its memory", "memory/process/gen_check_million_wavefront", "bytes/task", 400),
    Row("`ptowsp-run`, `scale`, process", "process/run_scale", "ms", 8,
        {"python + numpy alone": "process/python_numpy_scale", "/bin/true": "process/true"}),
    *(_kernel(name, "by hand", 1.25) for name in ("scale 64 x 64", "scale 128 x 128", "exp 64 x 64", "exp 128 x 128",
                                                  "softmax 64 x 256", "rmsnorm 16 x 1024")),
    *(_kernel(name, "OpenBLAS", 1.0) for name in ("gemm 64 x 64", "gemm 128 x 128")),
    Row("`fashion_mlp`, 10,000 images, 2 workers", "network/ptowsp", "ms", None,
        {"numpy with OpenBLAS, 2 threads": "network/numpy"}, ("numpy with OpenBLAS, 2 threads", 2.0)),
]
