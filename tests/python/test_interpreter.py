# SPDX-License-Identifier: MIT
"""The interpreter itself against results written by hand, so that it can judge others."""

import numpy as np
import pytest

import arithmetic
from arithmetic import KERNEL, REFERENCE, Value
from interpreter import Interpreter, ViewParser, closure, initial_values
from workloads import kernel, loop, scalar, task, tensor, tile, workload


def copies(program, roles=("input", "output"), access="out"):
    """Tensors x and y of 6 x 4; every task copies two rows."""
    tensors = [tensor("x", [6, 4], roles[0]), tensor("y", [6, 4], roles[1])]
    copy = kernel("copy", [tile("a", 2, 4, "in"), tile("b", 2, 4, access)], "store b a")
    return Interpreter(workload(tensors, [copy], program))


def copy(a, b):
    return task("copy", a=a, b=b)


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


@pytest.mark.parametrize("text",
                         ["x[", "x]", "x[i*j]", "x[1 2]", "x[a b:c]", "x[*]", "x y", "x[0:1:2]"])
def test_bad_views_are_refused(text):
    with pytest.raises(ValueError):
        ViewParser(text).view()


def test_elements_of_a_view_are_those_that_numpy_slices():
    shape = [3, 2, 5, 7]
    tensors = [tensor("x", shape, "input"), tensor("v", [9], "input")]
    interpreter = Interpreter(workload(tensors, [], []))
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
    assert x.dtype == np.float32 and 2 <= x.min() < 2.1 and 5.9 < x.max() < 6
    assert abs(x.mean() - 4) < 0.1
    n = initial_values(tensor("x", [40, 50], "input", init={"normal": [1, 0.5]}), 7, ".")
    assert abs(n.mean() - 1) < 0.05 and abs(n.std() - 0.5) < 0.05
    a = initial_values(tensor("x", [4], "input", init={"arange": [1, 0.5]}), 0, ".")
    assert a.tolist() == [1, 1.5, 2, 2.5]


ROWS = "[2*i:2*i+2, :]"


def test_disjoint_parallel_rows_are_sound():
    interpreter = copies([loop(3, "parallel", copy("x" + ROWS, "y" + ROWS))])
    assert not interpreter.check().rules() and not interpreter.conflicts().any()
    assert [t.name() for t in interpreter.tasks] == [f"copy[i={i}]" for i in range(3)]


@pytest.mark.parametrize("mode, rules", [("parallel", {"races"}), ("sequential", set())])
def test_overlapping_writes_race_only_in_parallel(mode, rules):
    interpreter = copies([loop(5, mode, copy("x[0:2, :]", "y[i:i+2, :]"))])
    assert interpreter.check().rules() == rules
    assert interpreter.conflicts().sum() == 4


def test_what_differs_first_decides_on_concurrency():
    step = loop(2, "sequential", loop(3, "parallel", copy("x[0:2, :]", "y" + ROWS)), variable="t")
    assert not copies([step]).check().races
    step = loop(2, "parallel", loop(3, "sequential", copy("x[0:2, :]", "y" + ROWS)), variable="t")
    assert len(copies([step]).check().races) == 3
    both = [copy("x[0:2]", "y[0:2]"), copy("x[2:4]", "y[0:2]"), copy("x[0:2]", "y[2:6][:]")][:2]
    rest = copy("x[0:2]", "y[2:4]"), copy("x[0:2]", "y[4:6]")
    assert copies([{"combine": both}, *rest]).check().races == {(0, 1)}
    assert not copies([{"sequential": both}, *rest]).check().rules()


def test_other_findings():
    assert copies([copy("x[5:7]", "y[0:2]")]).check().out_of_bounds == {"/program/0"}
    assert copies([copy("x[0:2]", "y[0:2]")]).check().incomplete == {"y"}
    assert copies([copy("y[0:2]", "x[0:2]")], ("inout", "output")).check().uninitialised == {0}
    assert copies([copy("x[0:2]", "x[1:3]")], ("inout", "inout")).check().aliased == {0}
    assert not copies([copy("x[0:2]", "x[2:4]")], ("inout", "inout")).check().rules()
    assert copies([copy("x[0:2]", "y[0:2]")], ("input", "temporary"),
                  access="inout").check().uninitialised == {0}


def test_overwritten_tasks():
    half = [copy("x[0:2]", "y[0:2]"), copy("x[2:4]", "y[2:4]")]
    assert copies([*half, copy("x[4:6]", "y[1:3]")]).overwritten() == set()
    assert copies([*half, copy("x[4:6]", "y[2:4]")]).overwritten() == {1}
    assert copies([copy("x[0:2]", "y[1:3]"), *half]).overwritten() == {0}
    assert copies([half[0], copy("y[1:3]", "y[4:6]"), half[0]]).overwritten() == set()
    assert copies([half[0], copy("y[2:4]", "y[4:6]"), half[0]]).overwritten() == {0}


def test_closure_is_reachability():
    assert closure(4, [(0, 1), (1, 3)]) == [0b1010, 0b1000, 0, 0]


def test_softmax_equals_numpy():
    softmax = kernel("softmax", [tile("x", 2, 8, "in"), tile("y", 2, 8, "out")], "m = rowmax x",
                     "s = sub x m", "e = exp s", "d = rowsum e", "p = div e d", "store y p")
    tensors = [tensor("x", [6, 8], "input"), tensor("y", [6, 8], "output")]
    program = [loop(3, "parallel", task("softmax", x="x" + ROWS, y="y" + ROWS))]
    interpreter = Interpreter(workload(tensors, [softmax], program))
    inputs = interpreter.inputs()
    x = inputs["x"].astype(np.float64)
    e = np.exp(x - x.max(axis=1, keepdims=True))
    want = e / e.sum(axis=1, keepdims=True)
    for accuracy, size in ((REFERENCE, 1e-6), (KERNEL, 1e-5)):
        got = interpreter.run(inputs, accuracy)["y"]
        assert np.abs(got.v.reshape(6, 8) - want).max() < 1e-7
        assert (got.e < size).all() and (got.e > 0).all()


def test_stored_value_replaces_the_parameter():
    twice = kernel("k", [tile("y", 1, 4, "inout"), scalar("s")], "a = mul y s", "store y a",
                   "b = add y 1", "store y b")
    tensors = [tensor("y", [4], "inout", init={"arange": [0, 1]})]
    interpreter = Interpreter(workload(tensors, [twice],
                                       [loop(3, "sequential", task("k", y="y", s=2))]))
    assert interpreter.run(interpreter.inputs())["y"].v.tolist() == [[7, 15, 23, 31]]


SAMPLES = np.float32([0, -0.0, 1, -1, 0.3, 7.5, -2.25, 1e-3, 1e-40, -1e-42, 3e38, -3e38, 88.5, -100,
                      np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("op", sorted(arithmetic.BINARY))
def test_bounds_of_binary_ops_hold_and_are_tight(op):
    """Moving operands within their bounds never leaves the bound of the result; exact operands of
    exactly rounded ops give a bound of 0 or of a subnormal's rounding."""
    rng = np.random.default_rng(1)
    a, b = (g.reshape(1, -1) for g in np.meshgrid(SAMPLES, SAMPLES))
    exact = arithmetic.apply(op, [Value(a), Value(b)], REFERENCE)
    assert (exact.e <= 2 * 2.0**-149).all()
    with np.errstate(all="ignore"):
        f32 = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
               "max": np.maximum,
               "min": np.minimum}[op](a.astype(np.float32), b.astype(np.float32))
    assert not len(arithmetic.mismatch(f32, exact))
    for size in (1e-6, 1e-2, 1.0):
        a_error, b_error = size * np.abs(rng.normal(size=(2, *a.shape)))
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
    special = [rng.permutation(SAMPLES)[:4] for _ in range(60)]
    a = np.concatenate([special, rng.normal(size=(60, 4))])
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
    wrong = [[np.nextafter(np.float32(1), np.float32(2)), 0, -np.inf, 1e-45]]
    assert len(arithmetic.mismatch(wrong, want)) == 4
