"""ptowsp-gen eval gives the inputs and the outputs of the interpreter."""

import json
import shutil

import numpy as np
import pytest

import arithmetic
from conftest import count
from interpreter import Interpreter
from random_workload import generate
from toolchain import expect_success, generator


def compare(folder, interpreter, inputs, accuracy):
    """What is wrong with the arrays in `folder`, or None."""
    wanted = interpreter.run(inputs, accuracy)
    if {f.stem for f in folder.glob("*.npy")} != set(wanted):
        return f"files in {folder}: {sorted(f.name for f in folder.iterdir())}, wanted {sorted(wanted)}"
    for name, want in wanted.items():
        got = np.load(folder / f"{name}.npy")
        if got.dtype != np.float32 or list(got.shape) != interpreter.tensors[name]["shape"]:
            return f"shape {name}: {got.dtype} {got.shape}"
        wrong = arithmetic.mismatch(got.reshape(1, -1), want)
        if len(wrong):
            i = wrong[0][1]
            return (f"values {name}: {len(wrong)} of {got.size} elements are wrong, first at {i}: got "
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
            same = np.allclose(got, want, rtol=2e-7, atol=1e-7) if normal else got.tobytes() == want.tobytes()
            if not same or got.shape != want.shape:
                return f"input {name} differs"
            inputs[name] = got
        return compare(output / "expected", interpreter, inputs, arithmetic.REFERENCE)
    return failure


@pytest.mark.parametrize("wild", [False, True])
def test_eval_equals_the_interpreter(cases, wild):
    for seed in cases.seeds(count(200, 4000) // (2 if wild else 1)):
        workload = generate(seed, cases.folder, wild=wild)
        cases.check(workload, eval_failure(cases, seed % 1000), seed)


# --- workloads written directly in numpy -------------------------------------------------------------


def tensor(name, shape, role, **more):
    return {"name": name, "dtype": "f32", "shape": shape, "role": role, **more}


def tile(name, rows, cols, access):
    return {"name": name, "tile": [rows, cols], "dtype": "f32", "access": access}


def body(*ops):
    """Ops from texts: "s = sub x m" or "store y p"; numbers are literals."""
    result = []
    for text in ops:
        words = text.split()
        target = words.pop(0) if "=" in words else None
        words = [w for w in words if w != "="]
        args = [float(w) if w[0].isdigit() or w[0] == "-" else w for w in words[1:]]
        result.append({"op": words[0], "args": args} | ({"result": target} if target else {}))
    return result


def evaluate(cases, workload, arrays):
    """Outputs of ptowsp-gen eval with given inputs."""
    path = cases.write(workload)
    options = []
    for name, array in arrays.items():
        np.save(cases.folder / f"{name}.npy", array)
        options += ["--input", f"{name}={cases.folder / name}.npy"]
    expect_success(generator("eval", path, "-o", cases.folder / "out", *options))
    return {f.stem: np.load(f) for f in (cases.folder / "out/expected").glob("*.npy")}


def one_loop(tensors, kernels, program):
    return {"ptowsp": 1, "name": "golden", "tensors": tensors, "kernels": kernels, "program": program}


def test_softmax(cases):
    workload = one_loop(
        [tensor("x", [64, 100], "input"), tensor("y", [64, 100], "output")],
        [{"name": "softmax_rows", "params": [tile("x", 8, 100, "in"), tile("y", 8, 100, "out")],
          "body": body("m = rowmax x", "s = sub x m", "e = exp s", "d = rowsum e", "p = div e d", "store y p")}],
        [{"for": "r", "extent": 8, "mode": "parallel", "body": [
            {"task": "softmax_rows", "args": {"x": "x[8*r:8*r+8, :]", "y": "y[8*r:8*r+8, :]"}}]}])
    x = np.random.default_rng(0).normal(0, 5, (64, 100)).astype(np.float32)
    e = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
    np.testing.assert_allclose(evaluate(cases, workload, {"x": x})["y"], e / e.sum(1, keepdims=True), rtol=1e-5)


def test_rmsnorm(cases):
    workload = one_loop(
        [tensor("x", [2, 3, 5, 40], "input"), tensor("g", [40], "input"), tensor("y", [2, 3, 5, 40], "output")],
        [{"name": "rms", "params": [tile("x", 5, 40, "in"), tile("g", 1, 40, "in"), {"name": "eps", "scalar": "f32"},
                                    tile("y", 5, 40, "out")],
          "body": body("q = mul x x", "m = rowmean q", "a = add m eps", "r = rsqrt a", "n = mul x r", "z = mul n g",
                       "store y z")}],
        [{"for": "b", "extent": 2, "mode": "parallel", "body": [{"for": "t", "extent": 3, "mode": "parallel", "body": [
            {"task": "rms", "args": {"x": "x[b][t]", "g": "g", "eps": 1e-5, "y": "y[b, t, :, :]"}}]}]}])
    rng = np.random.default_rng(1)
    x, g = rng.normal(size=(2, 3, 5, 40)).astype(np.float32), rng.uniform(0.5, 2, 40).astype(np.float32)
    want = x / np.sqrt((x.astype(np.float64) ** 2).mean(-1, keepdims=True) + np.float32(1e-5)) * g
    np.testing.assert_allclose(evaluate(cases, workload, {"x": x, "g": g})["y"], want, rtol=1e-6)


def test_diamond(cases):
    three = lambda name, *ops: {"name": name, "params": [tile("a", 4, 4, "in"), tile("b", 4, 4, "in"),
                                                        tile("y", 4, 4, "out")], "body": body(*ops)}
    plus = {"name": "plus", "params": [tile("a", 4, 4, "in"), {"name": "s", "scalar": "f32"}, tile("y", 4, 4, "out")],
            "body": body("r = add a s", "store y r")}
    workload = one_loop(
        [tensor(n, [4, 4], r) for n, r in (("a", "input"), ("b", "input"), ("c", "temporary"), ("d", "temporary"),
                                           ("e", "temporary"), ("f", "output"))],
        [three("sum", "r = add a b", "store y r"), plus, three("product", "r = mul a b", "store y r")],
        [{"task": "sum", "args": {"a": "a", "b": "b", "y": "c"}},
         {"combine": [{"task": "plus", "args": {"a": "c", "s": 1, "y": "d"}},
                      {"task": "plus", "args": {"a": "c", "s": 2, "y": "e"}}]},
         {"task": "product", "args": {"a": "d", "b": "e", "y": "f"}}])
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 4, 4)).astype(np.float32)
    c = a + b
    np.testing.assert_array_equal(evaluate(cases, workload, {"a": a, "b": b})["f"], (c + np.float32(1)) * (c + np.float32(2)))


def test_wavefront(cases):
    """Sequential loops read what earlier iterations wrote: a recurrence along both axes."""
    step = {"name": "step", "params": [tile("up", 1, 1, "in"), tile("left", 1, 1, "in"), tile("y", 1, 1, "inout")],
            "body": body("s = add up left", "h = mul s 0.5", "t = add y h", "store y t")}
    workload = one_loop([tensor("y", [7, 7], "inout")], [step], [
        {"for": "i", "extent": 6, "mode": "sequential", "body": [{"for": "j", "extent": 6, "mode": "sequential", "body": [
            {"task": "step", "args": {"up": "y[i, j+1]", "left": "y[i+1, j]", "y": "y[1+i, 1+j]"}}]}]}])
    y = np.random.default_rng(3).uniform(0, 1, (7, 7)).astype(np.float32)
    want = y.copy()
    for i in range(1, 7):
        for j in range(1, 7):
            want[i, j] += (want[i - 1, j] + want[i, j - 1]) * np.float32(0.5)
    np.testing.assert_array_equal(evaluate(cases, workload, {"y": y})["y"], want)
