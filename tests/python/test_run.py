# SPDX-License-Identifier: MIT
"""Emitted, compiled and run on the built-in runtime, a random workload gives what the interpreter
gives, with the same bits at any number of workers and in any order of ready tasks."""

import random
import shutil

import numpy as np
import pytest

import arithmetic
from conftest import count
from interpreter import Interpreter
from op_support import SIM_DTYPES
from random_workload import generate
from test_eval import compare
from toolchain import compile_artifact, expect_success, kernel_levels, run, unity_artifact
from workloads import kernel, scalar, task, tensor, tile, workload


def within_tolerance(interpreter, wanted):
    """Whether any right result lies well within the tolerance that ptowsp-run applies."""
    for name, want in wanted.items():
        tensor = interpreter.tensors[name]
        limit = np.maximum(tensor.get("atol", 1e-5), tensor.get("rtol", 1e-4) * np.abs(want.v))
        with np.errstate(invalid="ignore"):
            if not np.all((want.e == 0) | (want.e < limit / 2)):
                return False
    return True


def run_failure(cases, seed):
    def failure(workload):
        rng = random.Random(seed)
        path = cases.write(workload)
        artifact = cases.folder / "artifact"
        shutil.rmtree(artifact, ignore_errors=True)
        interpreter = Interpreter(workload, cases.folder)
        if interpreter.check().rules():
            return None
        try:
            compile_artifact(path, artifact, rng.choice(kernel_levels()),
                             rng.choice(("-O1", "-O2", "-O3")),
                             rng.choice(("dataflow", "dataflow", "dataflow", "program_order")))
        except AssertionError as error:
            return f"build: {error}"
        inputs = interpreter.inputs()
        tight = within_tolerance(interpreter, interpreter.run(inputs, arithmetic.KERNEL))
        first = None
        for workers, schedule in ((1, None), (2, rng.getrandbits(31)),
                                  (rng.choice((3, 4, 8)), rng.getrandbits(31))):
            outputs = cases.folder / "outputs"
            shutil.rmtree(outputs, ignore_errors=True)
            done = run(artifact, outputs, workers, schedule)
            how = f"workers={workers} schedule-seed={schedule}\n{done.stdout}{done.stderr}"
            if done.returncode not in ((0,) if tight else (0, 1)):
                return f"exit {done.returncode}, {how}"
            wrong = compare(outputs, interpreter, inputs, arithmetic.KERNEL)
            if wrong:
                return f"{wrong}\n{how}"
            bits = {f.name: np.load(f).tobytes() for f in outputs.glob("*.npy")}
            first = first or bits
            if bits != first:
                return f"bits differ from those of one worker, {how}"
        return None
    return failure


@pytest.mark.parametrize("wild", [False, True])
def test_run_equals_the_interpreter(cases, wild):
    for seed in cases.seeds(count(12 if wild else 32, 200)):
        workload = generate(seed, cases.folder, wild=wild)
        cases.check(workload, run_failure(cases, seed), seed, seconds=90)


SPECIAL = np.float32([
    0, -0.0, 1, -1, 0.5, 3, -7.25, 1 + 2**-23, 1 - 2**-24, 1e-3, 1e-40, -1e-45, 2**-126, -(2**-126),
    1e38, -3.4e38, 88.72283, 88.8, -87.4, -103.9, -104.1, 16777217, 2**-149,
    np.inf, -np.inf, np.nan])


def special_arrays():
    """Every pair of special values; rows of ordinary numbers with one or two special ones among."""
    n = len(SPECIAL)
    a, b = np.meshgrid(SPECIAL, SPECIAL)
    rng = np.random.default_rng(0)
    mixed = rng.uniform(-2, 2, (2 * n, 37)).astype(np.float32)
    for row in range(2 * n):
        mixed[row, rng.integers(37)] = SPECIAL[row % n]
        if row >= n:
            mixed[row, rng.integers(37)] = rng.choice(SPECIAL)
    return {"a": a, "b": b, "row": SPECIAL.reshape(1, n), "column": SPECIAL.reshape(n, 1),
            "mixed": mixed, "zeros": np.where(rng.random((8, 37)) < 0.5, 0, -0.0)}


def special_workload(arrays):
    """Every op on special values, in every form of its operands; one task each."""
    tensors = [tensor(name, array.shape, "input", init={"npy": f"{name}.npy"})
               for name, array in arrays.items()]
    kernels, program = [], []

    def add(op, shape, *operands):
        """An operand: an array's name, a number for a scalar parameter, or a literal's text."""
        name = f"k{len(kernels)}_{op}"
        args = {f"p{i}": o for i, o in enumerate(operands) if o in arrays or isinstance(o, float)}
        params = [scalar(p) if isinstance(o, float) else tile(p, *arrays[o].shape, "in")
                  for p, o in args.items()]
        words = [f"p{i}" if f"p{i}" in args else o for i, o in enumerate(operands)]
        kernels.append(kernel(name, [*params, tile("y", *shape, "out")],
                              f"r = {op} {' '.join(words)}", "store y r"))
        tensors.append(tensor(f"of_{name}", shape, "output"))
        program.append(task(name, y=f"of_{name}", **args))

    whole = arrays["a"].shape
    emitted = lambda ops: sorted(op for op in ops if "f32" in SIM_DTYPES[op])
    for op in emitted(arithmetic.UNARY):
        for name in ("a", "row", "column"):
            add(op, arrays[name].shape, name)
    for op in emitted(arithmetic.REDUCTION):
        for name in ("mixed", "zeros", "a", "row", "column"):
            rows, cols = arrays[name].shape
            add(op, (rows, 1) if op.startswith("row") else (1, cols), name)
    for op in emitted(arithmetic.BINARY):
        for operands in (("a", "b"), ("column", "row"), ("row", "a"), ("a", "column"), ("a", -1.5),
                         (-0.0, "a"), ("0.75", "a"), ("a", "0")):
            add(op, whole, *operands)
    return workload(tensors, kernels, program)


@pytest.mark.parametrize("level", kernel_levels())
def test_special_values(cases, level):
    """Zeros of both signs, subnormals, infinities, NaN and the edges of exp, through every op."""
    arrays = special_arrays()
    for name, array in arrays.items():
        np.save(cases.folder / f"{name}.npy", array.astype(np.float32))
    description = special_workload(arrays)
    interpreter = Interpreter(description, cases.folder)
    artifact = unity_artifact(cases.write(description), cases.folder / "artifact", level, "-O2")
    inputs = interpreter.inputs()
    assert compare(artifact / "expected", interpreter, inputs, arithmetic.REFERENCE) is None
    expect_success(run(artifact, cases.folder / "outputs", 2))
    assert compare(cases.folder / "outputs", interpreter, inputs, arithmetic.KERNEL) is None
