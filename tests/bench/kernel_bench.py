#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kernel_bench.py <kernel folder> <peers library> [<output.json>]: emitted kernels, built as every
workload's are, against plain loops (g++ -O2), vectors by hand, numpy and OpenBLAS on one thread.

All of them run by turns in this one process and are measured by the processor time of its thread: what
else the machine does hits them alike, and ratios mean something. Prints a table, medians over all turns;
ratios are of one turn to the emitted kernel's beside it, with the 10th and the 90th percentile. The
output file gets microseconds: {case: {form: [...]}}.
"""

import ctypes
import json
import os
import sys
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402

TURNS = 300
SECONDS = 2e-4  # of a turn


def softmax(x, w, y):
    np.subtract(x, x.max(1, keepdims=True), out=y)
    np.exp(y, out=y)
    np.divide(y, y.sum(1, keepdims=True), out=y)


def rmsnorm(x, w, y):
    np.multiply(x, 1 / np.sqrt(np.square(x).mean(1, keepdims=True) + np.float32(1e-6)), out=y)
    np.multiply(y, w, out=y)


NUMPY = {
    "scale": lambda x, w, y: np.multiply(x, np.float32(2), out=y),
    "exp": lambda x, w, y: np.exp(x, out=y),
    "softmax": softmax,
    "rmsnorm": rmsnorm,
    "gemm": lambda x, w, y: np.matmul(x, w, out=y),
}
CASES = [("scale", 64, 64), ("scale", 128, 128), ("exp", 64, 64), ("exp", 128, 128),
         ("softmax", 64, 256), ("rmsnorm", 16, 1024), ("gemm", 64, 64), ("gemm", 128, 128)]


def aligned(shape):
    """As device memory is."""
    elements = int(np.prod(shape))
    raw = np.zeros(elements + 16, np.float32)
    skip = (-raw.ctypes.data % 64) // 4
    return raw[skip:skip + elements].reshape(shape)


def address(array):
    return ctypes.c_void_p(array.ctypes.data)


class Case:
    """One kernel, and how to run each form of it once or for a turn."""

    def __init__(self, op, rows, cols, folder, peers):
        random = np.random.default_rng(1)
        self.name = f"{op} {rows} x {cols}"
        self.x, self.y = aligned((rows, cols)), aligned((rows, cols))
        self.w = aligned((rows, cols) if op == "gemm" else (1, cols))
        self.x[:] = random.uniform(-1, 1, self.x.shape)
        self.w[:] = random.uniform(-1, 1, self.w.shape)
        library = ctypes.CDLL(str(folder / f"kernel_{op}_{rows}.so"))
        self.entry = getattr(library, f"kernel_{op}_{rows}")
        self.slot = ctypes.c_uint64(0)
        inputs = [self.x] + ([self.w] if op in ("rmsnorm", "gemm") else [])
        scalars = [int(np.float32(2).view(np.uint32))] if op == "scale" else []
        values = [a.ctypes.data for a in [*inputs, self.y]] + scalars + [
            self.y.size, ctypes.addressof(self.slot), 1]
        self.args = (ctypes.c_int64 * len(values))(*values)
        self.forms = {"emitted": lambda n: peers.emitted_turn(self.entry, self.args, n)}
        for form in ("plain", "hand", "blas"):
            peer = getattr(peers, f"{form}_{op}", None)
            if peer:
                self.forms[form] = lambda n, peer=peer: peers.peer_turn(
                    peer, address(self.x), address(self.w), address(self.y), rows, cols, n)
        self.forms["numpy"] = lambda n: self.numpy_turn(NUMPY[op], n)

    def numpy_turn(self, function, calls):
        start = time.thread_time()
        for _ in range(calls):
            function(self.x, self.w, self.y)
        return (time.thread_time() - start) / calls

    def check(self):
        """Every form computes the same; fails the benchmark where one does not."""
        results = {}
        for form, turn in self.forms.items():
            self.y[:] = np.nan
            turn(1)
            results[form] = self.y.copy()
        assert self.slot.value == 1, f"{self.name}: the emitted kernel ran {self.slot.value} times"
        for form, result in results.items():
            np.testing.assert_allclose(result, results["numpy"], rtol=1e-4, atol=1e-5,
                                       err_msg=f"{self.name}, {form}")

    def measure(self):
        calls = {}
        for form, turn in self.forms.items():
            turn(3)
            calls[form] = max(1, int(SECONDS / max(turn(3), 1e-9)))
        turns = {form: [] for form in self.forms}
        for _ in range(TURNS):
            for form, turn in self.forms.items():
                turns[form].append(turn(calls[form]))
        return {form: np.array(seconds) for form, seconds in turns.items()}


def main(folder, library, output=None):
    peers = ctypes.CDLL(library)
    for name in ("emitted_turn", "peer_turn"):
        getattr(peers, name).restype = ctypes.c_double
    forms = ["plain", "hand", "numpy", "blas"]
    titles = {"plain": "plain loops", "hand": "by hand", "numpy": "numpy", "blas": "OpenBLAS"}
    print("| kernel | emitted, µs | " + " | ".join(f"{titles[f]} / emitted" for f in forms) + " |")
    print("|---|---|" + "---|" * len(forms))
    figures = {}
    for op, rows, cols in CASES:
        case = Case(op, rows, cols, Path(folder), peers)
        case.check()
        turns = case.measure()
        cells = []
        # Medians of ten turns each, so that the file stays small; forms stay side by side.
        figures[case.name] = {form: [float(np.median(part) * 1e6) for part in np.array_split(seconds, TURNS // 10)]
                              for form, seconds in turns.items()}
        for form in forms:
            if form not in turns:
                cells.append("")
                continue
            low, ratio, high = np.percentile(turns[form] / turns["emitted"], [10, 50, 90])
            cells.append(f"{ratio:.2f} ({low:.2f} to {high:.2f})")
        print(f"| {case.name} | {np.median(turns['emitted']) * 1e6:.2f} | " + " | ".join(cells) + " |",
              flush=True)
    if output:
        Path(output).write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
