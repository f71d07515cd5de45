# SPDX-License-Identifier: MIT
"""ptowsp-gen eval gives the inputs and the outputs of the interpreter."""

import shutil

import numpy as np
import pytest

import arithmetic
from conftest import count
from interpreter import Interpreter
from random_workload import generate
from toolchain import expect_success, generator
from workloads import kernel, loop, scalar, task, tensor, tile, workload


def compare(folder, interpreter, inputs, accuracy):
    """What is wrong with the arrays in `folder`, or None."""
    wanted = interpreter.run(inputs, accuracy)
    if {f.stem for f in folder.glob("*.npy")} != set(wanted):
        found = sorted(f.name for f in folder.iterdir())
        return f"files in {folder}: {found}, wanted {sorted(wanted)}"
    for name, want in wanted.items():
        got = np.load(folder / f"{name}.npy")
        dtype = interpreter.tensors[name]["dtype"]
        if (got.dtype != arithmetic.ARRAYS[dtype]
                or list(got.shape) != interpreter.tensors[name]["shape"]):
            return f"shape {name}: {got.dtype} {got.shape}"
        got = arithmetic.from_array(got, dtype)
        wrong = arithmetic.mismatch(got.reshape(1, -1), want)
        if len(wrong):
            i = wrong[0][1]
            return (
                f"values {name}: {len(wrong)} of {got.size} elements are wrong, first at {i}: got "
                    f"{got.ravel()[i]!r}, wanted {want.v[0, i]!r} within {want.e[0, i]:.3g}")
    return None


def eval_failure(cases, seed):
    def failure(workload):
        path = cases.write(workload)
        output = cases.folder / "out"
        shutil.rmtree(output, ignore_errors=True)
        interpreter = Interpreter(workload, cases.folder)
        if interpreter.check().rules():
            return None
        done = generator("eval", path, "-o", output, "--seed", seed)
        if done.returncode != 0:
            return f"exit {done.returncode}\n{done.stderr}"
        inputs = interpreter.inputs(seed)
        for name, want in inputs.items():
            got = np.load(output / "inputs" / f"{name}.npy")
            # Bits, so that NaN and signs of zero count; the normal distribution goes through libm.
            normal = "normal" in interpreter.tensors[name].get("init", {})
            same = got.tobytes() == want.tobytes()
            if normal:
                same = np.allclose(got, want, rtol=2e-7, atol=1e-7)
            if not same or got.shape != want.shape:
                return f"input {name} differs"
            inputs[name] = got
        return compare(output / "expected", interpreter, inputs, arithmetic.REFERENCE)
    return failure


@pytest.mark.parametrize("wild", [False, True])
def test_eval_equals_the_interpreter(cases, wild):
    for seed in cases.seeds(count(200, 1500) // (2 if wild else 1)):
        workload = generate(seed, cases.folder, wild=wild)
        cases.check(workload, eval_failure(cases, seed % 1000), seed)


# --- workloads written directly in numpy --------------------------------------


def evaluate(cases, description, arrays):
    """Outputs of ptowsp-gen eval with given inputs."""
    path = cases.write(description)
    options = []
    for name, array in arrays.items():
        np.save(cases.folder / f"{name}.npy", array)
        options += ["--input", f"{name}={cases.folder / name}.npy"]
    expect_success(generator("eval", path, "-o", cases.folder / "out", *options))
    return {f.stem: np.load(f) for f in (cases.folder / "out/expected").glob("*.npy")}


def one_loop(tensors, kernels, program):
    return {"ptowsp": 1, "name": "golden", "tensors": tensors, "kernels": kernels,
            "program": program}


def test_softmax(cases):
    rows = "[8*r:8*r+8, :]"
    softmax = kernel("softmax_rows", [tile("x", 8, 100, "in"), tile("y", 8, 100, "out")],
                     "m = rowmax x", "s = sub x m", "e = exp s", "d = rowsum e", "p = div e d",
                     "store y p")
    program = [loop(8, "parallel", task("softmax_rows", x="x" + rows, y="y" + rows), variable="r")]
    tensors = [tensor("x", [64, 100], "input"), tensor("y", [64, 100], "output")]
    x = np.random.default_rng(0).normal(0, 5, (64, 100)).astype(np.float32)
    e = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
    got = evaluate(cases, workload(tensors, [softmax], program), {"x": x})["y"]
    np.testing.assert_allclose(got, e / e.sum(1, keepdims=True), rtol=1e-5)


def test_rmsnorm(cases):
    shape = (2, 3, 5, 40)
    rms = kernel("rms", [tile("x", 5, 40, "in"), tile("g", 1, 40, "in"), scalar("eps"),
                         tile("y", 5, 40, "out")],
                 "q = mul x x", "m = rowmean q", "a = add m eps", "r = rsqrt a", "n = mul x r",
                 "z = mul n g", "store y z")
    call = task("rms", x="x[b][t]", g="g", eps=1e-5, y="y[b, t, :, :]")
    program = [loop(2, "parallel", loop(3, "parallel", call, variable="t"), variable="b")]
    tensors = [tensor("x", shape, "input"), tensor("g", [40], "input"),
               tensor("y", shape, "output")]
    rng = np.random.default_rng(1)
    x = rng.normal(size=shape).astype(np.float32)
    g = rng.uniform(0.5, 2, 40).astype(np.float32)
    mean = (x.astype(np.float64) ** 2).mean(-1, keepdims=True)
    got = evaluate(cases, workload(tensors, [rms], program), {"x": x, "g": g})["y"]
    np.testing.assert_allclose(got, x / np.sqrt(mean + np.float32(1e-5)) * g, rtol=1e-6)


def test_diamond(cases):
    block = lambda name, access="in": tile(name, 4, 4, access)
    kernels = [
        kernel("sum", [block("a"), block("b"), block("y", "out")], "r = add a b", "store y r"),
        kernel("plus", [block("a"), scalar("s"), block("y", "out")], "r = add a s", "store y r"),
        kernel("product", [block("a"), block("b"), block("y", "out")], "r = mul a b", "store y r")]
    roles = {"a": "input", "b": "input", "c": "temporary", "d": "temporary", "e": "temporary",
             "f": "output"}
    program = [task("sum", a="a", b="b", y="c"),
               {"combine": [task("plus", a="c", s=1, y="d"), task("plus", a="c", s=2, y="e")]},
               task("product", a="d", b="e", y="f")]
    tensors = [tensor(name, [4, 4], role) for name, role in roles.items()]
    a, b = np.random.default_rng(2).normal(size=(2, 4, 4)).astype(np.float32)
    got = evaluate(cases, workload(tensors, kernels, program), {"a": a, "b": b})["f"]
    np.testing.assert_array_equal(got, (a + b + np.float32(1)) * (a + b + np.float32(2)))


def test_wavefront(cases):
    """Sequential loops read what earlier iterations wrote: a recurrence along both axes."""
    point = lambda name, access: tile(name, 1, 1, access)
    step = kernel("step", [point("up", "in"), point("left", "in"), point("y", "inout")],
                  "s = add up left", "h = mul s 0.5", "t = add y h", "store y t")
    call = task("step", up="y[i, j+1]", left="y[i+1, j]", y="y[1+i, 1+j]")
    program = [loop(6, "sequential", loop(6, "sequential", call, variable="j"))]
    y = np.random.default_rng(3).uniform(0, 1, (7, 7)).astype(np.float32)
    want = y.copy()
    for i in range(1, 7):
        for j in range(1, 7):
            want[i, j] += (want[i - 1, j] + want[i, j - 1]) * np.float32(0.5)
    got = evaluate(cases, workload([tensor("y", [7, 7], "inout")], [step], program), {"y": y})["y"]
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("seed", ["-1", "18446744073709551616", "010", "0x10", " 5", ""])
def test_a_seed_that_may_mean_something_else(tmp_path, seed):
    """A parser of C++ takes -1 for 2^64 - 1, as it does a larger number, and 010 for 8."""
    done = generator("eval", tmp_path / "w.json", "-o", tmp_path / "out", "--seed", seed)
    assert done.returncode == 2
    assert done.stderr.startswith(
        f"--seed: found '{seed}', expected a whole number from 0 to 18446744073709551615, without leading zeros\n")


def test_paths_that_a_variable_left_empty(tmp_path):
    """They would mean the current folder, or standard output."""
    for command in (["eval", "w.json", "-o", ""], ["emit", "w.json", "--name", "w", "-o", ""],
                    ["print", "w.json", "-o", ""], ["graph", "w.json", "-o", ""]):
        done = generator(*command, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("--output: found an empty text; leave the option out, or give it a value\n")
    assert not list(tmp_path.iterdir())
