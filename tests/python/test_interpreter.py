"""The interpreter itself against results written by hand, so that it can judge others."""

import numpy as np
import pytest

import arithmetic
from arithmetic import KERNEL, REFERENCE, Value
from interpreter import Interpreter, ViewParser, closure, initial_values


def tensor(name, shape, role, **more):
    return {"name": name, "dtype": "f32", "shape": shape, "role": role, **more}


def tile(name, rows, cols, access):
    return {"name": name, "tile": [rows, cols], "dtype": "f32", "access": access}


def copy_kernel(rows, cols, access="out"):
    return {"name": f"copy_{rows}x{cols}_{access}", "params": [tile("a", rows, cols, "in"), tile("b", rows, cols, access)],
            "body": [{"op": "store", "args": ["b", "a"]}]}


def workload(tensors, kernels, program):
    return {"ptowsp": 1, "name": "w", "tensors": tensors, "kernels": kernels, "program": program}


def copies(program, roles=("input", "output"), shape=(6, 4), rows=2, access="out"):
    kernel = copy_kernel(rows, shape[1], access)
    rename = lambda n: {**n, "task": kernel["name"]} if "task" in n else {
        k: [rename(c) for c in v] if isinstance(v, list) else v for k, v in n.items()}
    return Interpreter(workload([tensor("x", list(shape), roles[0]), tensor("y", list(shape), roles[1])], [kernel],
                                [rename(n) for n in program]))


def task(a, b):
    return {"task": "", "args": {"a": a, "b": b}}


def loop(extent, mode, *body, variable="i"):
    return {"for": variable, "extent": extent, "mode": mode, "body": list(body)}


@pytest.mark.parametrize("text, expected", [
    ("x", []),
    ("x[3]", [("index", {"": 3})]),
    ("x[:, 2*i+1:2*i+3]", [("slice", None, None), ("slice", {"i": 2, "": 1}, {"i": 2, "": 3})]),
    ("x[b][t]", [("index", {"b": 1}), ("index", {"t": 1})]),
    ("x[(i+1)*4 - j:]", [("slice", {"i": 4, "": 4, "j": -1}, None)]),
    ("x[2*(3*i - (j - 1))]", [("index", {"i": 6, "j": -2, "": 2})]),
])
def test_views_are_parsed(text, expected):
    name, subscripts = ViewParser(text).view()
    assert name == "x" and subscripts == expected


@pytest.mark.parametrize("text", ["x[", "x]", "x[i*j]", "x[1 2]", "x[a b:c]", "x[*]", "x y", "x[0:1:2]"])
def test_bad_views_are_refused(text):
    with pytest.raises(ValueError):
        ViewParser(text).view()


def test_elements_of_a_view_are_those_that_numpy_slices():
    shape = [3, 2, 5, 7]
    interpreter = Interpreter(workload([tensor("x", shape, "input"), tensor("v", [9], "input")], [], []))
    numbers = np.arange(210).reshape(shape)
    _, index = interpreter._tile("x[2, b, 1:4, 2*b:2*b+3]", (3, 3), {"b": 1})
    assert np.array_equal(index, numbers[2, 1, 1:4, 2:5])
    _, index = interpreter._tile("x[0][1][3]", (1, 7), {})
    assert np.array_equal(index, numbers[0, 1, 3:4, :])
    _, index = interpreter._tile("v[2:8]", (1, 6), {})
    assert np.array_equal(index, [[2, 3, 4, 5, 6, 7]])


def test_random_numbers_are_the_documented_ones():
    # splitmix64's published first outputs for seed 0 check the finaliser and the counter.
    from interpreter import _finalize, _fnv1a64
    assert [_finalize(0x9E3779B97F4A7C15 * (i + 1) % 2**64) for i in range(3)] == [
        0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert _fnv1a64(b"") == 0xCBF29CE484222325 and _fnv1a64(b"a") == 0xAF63DC4C8601EC8C
    x = initial_values(tensor("x", [40, 50], "input", init={"uniform": [2, 6]}), 7, ".")
    assert x.dtype == np.float32 and 2 <= x.min() < 2.1 and 5.9 < x.max() < 6 and abs(x.mean() - 4) < 0.1
    n = initial_values(tensor("x", [40, 50], "input", init={"normal": [1, 0.5]}), 7, ".")
    assert abs(n.mean() - 1) < 0.05 and abs(n.std() - 0.5) < 0.05
    a = initial_values(tensor("x", [4], "input", init={"arange": [1, 0.5]}), 0, ".")
    assert a.tolist() == [1, 1.5, 2, 2.5]


ROWS = "[2*i:2*i+2, :]"


def test_disjoint_parallel_rows_are_sound():
    interpreter = copies([loop(3, "parallel", task("x" + ROWS, "y" + ROWS))])
    assert not interpreter.check().rules() and not interpreter.conflicts().any()
    assert [t.name() for t in interpreter.tasks] == [f"copy_2x4_out[i={i}]" for i in range(3)]


@pytest.mark.parametrize("mode, rules", [("parallel", {"races"}), ("sequential", set())])
def test_overlapping_writes_race_only_in_parallel(mode, rules):
    interpreter = copies([loop(5, mode, task("x[0:2, :]", "y[i:i+2, :]"))])
    assert interpreter.check().rules() == rules
    assert interpreter.conflicts().sum() == 4


def test_what_differs_first_decides_on_concurrency():
    step = loop(2, "sequential", loop(3, "parallel", task("x[0:2, :]", "y" + ROWS)), variable="t")
    assert not copies([step]).check().races
    step = loop(2, "parallel", loop(3, "sequential", task("x[0:2, :]", "y" + ROWS)), variable="t")
    assert len(copies([step]).check().races) == 3
    both = [task("x[0:2]", "y[0:2]"), task("x[2:4]", "y[0:2]"), task("x[0:2]", "y[2:6][:]")][:2]
    rest = task("x[0:2]", "y[2:4]"), task("x[0:2]", "y[4:6]")
    assert copies([{"combine": both}, *rest]).check().races == {(0, 1)}
    assert not copies([{"sequential": both}, *rest]).check().rules()


def test_other_findings():
    assert copies([task("x[5:7]", "y[0:2]")]).check().out_of_bounds == {"/program/0"}
    assert copies([task("x[0:2]", "y[0:2]")]).check().incomplete == {"y"}
    assert copies([task("y[0:2]", "x[0:2]")], ("inout", "output")).check().uninitialised == {0}
    assert copies([task("x[0:2]", "x[1:3]")], ("inout", "inout")).check().aliased == {0}
    assert not copies([task("x[0:2]", "x[2:4]")], ("inout", "inout")).check().rules()
    assert copies([task("x[0:2]", "y[0:2]")], ("input", "temporary"), access="inout").check().uninitialised == {0}


def test_closure_is_reachability():
    assert closure(4, [(0, 1), (1, 3)]) == [0b1010, 0b1000, 0, 0]


def test_softmax_equals_numpy():
    kernel = {"name": "softmax", "params": [tile("x", 2, 8, "in"), tile("y", 2, 8, "out")], "body": [
        {"op": "rowmax", "args": ["x"], "result": "m"}, {"op": "sub", "args": ["x", "m"], "result": "s"},
        {"op": "exp", "args": ["s"], "result": "e"}, {"op": "rowsum", "args": ["e"], "result": "d"},
        {"op": "div", "args": ["e", "d"], "result": "p"}, {"op": "store", "args": ["y", "p"]}]}
    program = [loop(3, "parallel", {"task": "softmax", "args": {"x": "x" + ROWS, "y": "y" + ROWS}})]
    interpreter = Interpreter(workload([tensor("x", [6, 8], "input"), tensor("y", [6, 8], "output")], [kernel], program))
    inputs = interpreter.inputs()
    x = inputs["x"].astype(np.float64)
    e = np.exp(x - x.max(axis=1, keepdims=True))
    want = e / e.sum(axis=1, keepdims=True)
    for accuracy, size in ((REFERENCE, 1e-6), (KERNEL, 1e-5)):
        got = interpreter.run(inputs, accuracy)["y"]
        assert np.abs(got.v.reshape(6, 8) - want).max() < 1e-7
        assert (got.e < size).all() and (got.e > 0).all()


def test_stored_value_replaces_the_parameter():
    kernel = {"name": "k", "params": [tile("y", 1, 4, "inout"), {"name": "s", "scalar": "f32"}], "body": [
        {"op": "mul", "args": ["y", "s"], "result": "a"}, {"op": "store", "args": ["y", "a"]},
        {"op": "add", "args": ["y", 1], "result": "b"}, {"op": "store", "args": ["y", "b"]}]}
    program = [loop(3, "sequential", {"task": "k", "args": {"y": "y", "s": 2}})]
    interpreter = Interpreter(workload([tensor("y", [4], "inout", init={"arange": [0, 1]})], [kernel], program))
    assert interpreter.run(interpreter.inputs())["y"].v.tolist() == [[7, 15, 23, 31]]


SAMPLES = np.float32([0, -0.0, 1, -1, 0.3, 7.5, -2.25, 1e-3, 1e-40, -1e-42, 3e38, -3e38, 88.5, -100, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("op", sorted(arithmetic.BINARY))
def test_bounds_of_binary_ops_hold_and_are_tight(op):
    """Moving operands within their bounds never leaves the bound of the result; exact operands of
    exactly rounded ops give a bound of 0 or of a subnormal's rounding."""
    rng = np.random.default_rng(1)
    a, b = (g.reshape(1, -1) for g in np.meshgrid(SAMPLES, SAMPLES))
    exact = arithmetic.apply(op, [Value(a), Value(b)], REFERENCE)
    assert (exact.e <= 2 * 2.0**-149).all()
    with np.errstate(all="ignore"):
        f32 = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "max": np.maximum,
               "min": np.minimum}[op](a.astype(np.float32), b.astype(np.float32))
    assert not len(arithmetic.mismatch(f32, exact))
    for size in (1e-6, 1e-2, 1.0):
        a_error, b_error = size * np.abs(rng.normal(size=a.shape)), size * np.abs(rng.normal(size=a.shape))
        a_error[~np.isfinite(a)] = b_error[~np.isfinite(b)] = 0
        result = arithmetic.apply(op, [Value(a, a_error), Value(b, b_error)], REFERENCE)
        for _ in range(20):
            with np.errstate(all="ignore"):
                moved_a = a + a_error * rng.uniform(-0.999, 0.999, a.shape)
                moved_b = b + b_error * rng.uniform(-0.999, 0.999, a.shape)
                moved = arithmetic.apply(op, [Value(moved_a), Value(moved_b)], REFERENCE).v
            assert not len(arithmetic.mismatch(moved, result))


@pytest.mark.parametrize("op", sorted(arithmetic.UNARY) + sorted(arithmetic.REDUCTION))
def test_bounds_of_other_ops_hold(op):
    rng = np.random.default_rng(2)
    a = np.stack([rng.permutation(SAMPLES)[:4] for _ in range(60)] + [rng.normal(size=4) for _ in range(60)])
    if op in arithmetic.UNARY:
        a = a.reshape(-1, 1)
    for size in (0, 1e-6, 1e-2, 1.0):
        error = np.where(np.isfinite(a), size * np.abs(rng.normal(size=a.shape)), 0)
        result = arithmetic.apply(op, [Value(a, error)], REFERENCE)
        for _ in range(20):
            moved_a = np.where(error == 0, a, a + error * rng.uniform(-0.999, 0.999, a.shape))
            moved = arithmetic.apply(op, [Value(moved_a)], REFERENCE).v
            assert not len(arithmetic.mismatch(moved, result))


def test_mismatch_sees_what_is_wrong():
    want = Value([[1.0, np.nan, np.inf, 0.0]], [[0, 0, 0, 0]])
    assert not len(arithmetic.mismatch([[1.0, np.nan, np.inf, -0.0]], want))
    assert len(arithmetic.mismatch([[np.nextafter(np.float32(1), np.float32(2)), 0, -np.inf, 1e-45]], want)) == 4
