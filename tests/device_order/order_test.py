# SPDX-License-Identifier: MIT
"""Kernels for the device on a model of the pipes and buffers, which PTO-ISA's CPU simulator has not: every access
to a buffer is ordered after those it must not overtake, and reads what was meant for it.

The emitted sources are compiled against instructions that only print themselves (model/), run, and what they print
is followed by pipes.py.
"""

import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest
from pipes import problems_of
from random_workload import generate
from seed import SEED
from toolchain import expect_success, generator

MODEL = Path(__file__).parent / "model"
WORKLOADS = 60
PRODUCTS = 80
# Arguments lead to pages of their own, whose numbers do so too: arguments beyond the 15th come by a page.
MAIN = """
#include <sys/mman.h>
#include <cstdlib>
#include "ptowsp_pto.h"
#undef PTOWSP_DEVICE_KERNEL
#define PTOWSP_DEVICE_KERNEL inline
@KERNELS@
int main() {
  constexpr int64_t kPage = 1 << 16, kArguments = 64, kPages = kArguments * (kArguments + 1);
  void* const pages = mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return 1;
  const int64_t first = reinterpret_cast<int64_t>(pages);
  int64_t args[kArguments];
  for (int64_t i = 0; i < kArguments; ++i) {
    args[i] = first + i * kPage;
    for (int64_t j = 0; j < kArguments; ++j)
      reinterpret_cast<int64_t*>(args[i])[j] = first + (kArguments + i * kArguments + j) * kPage;
  }
@CALLS@
}
"""


def emitted(file, folder):
    """The sources of a workload's kernels for the device."""
    folder.mkdir()
    expect_success(generator("emit", file, "-o", folder, "--name", "w", "--platform", "a2a3"))
    manifest = json.loads((folder / "manifest.json").read_text())
    return [folder / kernel["sources"]["a2a3"] for kernel in manifest["kernels"]]


def traces(sources, folder):
    """What each kernel printed, line by line."""
    kernels, calls = [], []
    for number, source in enumerate(sources):
        text = source.read_text()
        function = re.search(r"PTOWSP_DEVICE_KERNEL void (\w+)\(", text)[1]
        kernels.append(f"namespace k{number} {{\n{re.sub('#include.*', '', text)}}}\n")
        calls.append(f'  std::printf("kernel\\n");\n  k{number}::{function}(args);')
    program = folder / "kernels.cpp"
    program.write_text(MAIN.replace("@KERNELS@", "".join(kernels)).replace("@CALLS@", "\n".join(calls)))
    done = subprocess.run([os.environ["CXX"], "-std=c++20", "-O0", "-w", f"-I{MODEL}",
                           f"-I{sources[0].parents[1] / 'pto_support'}", program, "-o", program.with_suffix("")],
                          capture_output=True, text=True, timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = subprocess.run([program.with_suffix("")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    printed = [trace.splitlines()[1:] for trace in re.split("^kernel$", done.stdout, flags=re.M)[1:]]
    assert len(printed) == len(sources)
    return printed


def products(folder):
    """Kernels of one to three products: factors whole and in slices, sums that go on, that are added to memory,
    and that take the place of others."""
    rng = random.Random(SEED)
    tensors, kernels, program = [], [], []
    for n in range(PRODUCTS):
        dtype = rng.choice(("f32", "f16"))
        m, k, cols = rng.choice((1, 16, 40, 112)), rng.choice((1, 33, 130, 400)), rng.choice((5, 16, 128))
        shapes = {"a": (m, k), "b": (k, cols), "c": (m, cols)}
        adds = rng.random() < 0.3
        body = [{"op": "matmul", "args": ["a", "b"] + ["c"] * adds, "result": "s0"}]
        for i in range(rng.randrange(3)):
            body.append({"op": "matmul", "args": ["a", "b", f"s{i}"], "result": f"s{i + 1}"})
        stores = [{"op": "store", "args": ["c", body[-1]["result"]]}]
        if rng.random() < 0.5:  # another sum behind that one, with factors of its own
            shapes |= {"d": (m, k), "e": (k, cols), "f": (m, cols)}
            stores += [{"op": "matmul", "args": ["d", "e"], "result": "t"}, {"op": "store", "args": ["f", "t"]}]
        dtypes = {name: "f32" if name in "cf" else dtype for name in shapes}
        access = {**dict.fromkeys("abde", "in"), "c": "inout" if adds else "out", "f": "out"}
        role = {"in": "input", "inout": "inout", "out": "output"}
        tensors += [{"name": f"{name}{n}", "dtype": dtypes[name], "shape": list(shape), "role": role[access[name]]}
                    for name, shape in shapes.items()]  # fmt: skip
        kernels.append({"name": f"product{n}", "body": body + stores, "params": [
            {"name": name, "tile": list(shape), "dtype": dtypes[name], "access": access[name]}
            for name, shape in shapes.items()]})  # fmt: skip
        program.append({"task": f"product{n}", "args": {name: f"{name}{n}" for name in shapes}})
    file = folder / "products.json"
    file.write_text(json.dumps({"ptowsp": 1, "name": "products", "tensors": tensors, "kernels": kernels,
                                "program": program}))  # fmt: skip
    return emitted(file, folder / "products")


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")
    sources = products(folder)
    for n in range(WORKLOADS):
        file = folder / f"{n}.json"
        file.write_text(json.dumps(generate(SEED + n, folder, max_tasks=8)))
        sources += emitted(file, folder / str(n))
    return list(zip(sources, traces(sources, folder), strict=True))


def test_pipes_are_ordered(kernels):
    kinds = [source.parent.name for source, _ in kernels]
    assert kinds.count("aiv") >= 60 and kinds.count("aic") >= 60
    for source, trace in kernels:
        assert problems_of(trace) == [], f"PTOWSP_TEST_SEED={SEED}\n{source.read_text()}"


def without(trace, kind):
    """The trace without its flags, or barriers, of a kind."""
    return [line for line in trace if kind not in (line, line.replace("wait", "set").rsplit(" ", 1)[0])]


ALWAYS = ("set MTE2 V", "set V MTE3", "set MTE2 MTE1", "set MTE1 M", "set M FIX")
# Some are of no need: before the first slices of a product, say, or between instructions that have nothing to do
# with one another.
SOMETIMES = ("set M MTE1", "set MTE3 V", "set V MTE2", "set MTE1 MTE2", "set MTE3 MTE2", "set FIX M", "barrier V",
             "barrier M")  # fmt: skip


@pytest.mark.parametrize("kind", ALWAYS + SOMETIMES)
def test_what_is_missing_is_noticed(kernels, kind):
    found = [bool(problems_of(rest)) for _, trace in kernels if (rest := without(trace, kind)) != trace]
    assert any(found)
    assert all(found) or kind in SOMETIMES


def test_all_kinds_are_known(kernels):
    found = {line.replace("wait", "set").rsplit(" ", 1)[0] for _, trace in kernels for line in trace
             if line.startswith(("set", "wait"))}  # fmt: skip
    assert found == {kind for kind in ALWAYS + SOMETIMES if kind.startswith("set")}
