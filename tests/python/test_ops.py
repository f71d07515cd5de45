# SPDX-License-Identifier: MIT
"""Every op, on every shape, stride and dtype: what ptowsp-gen eval gives, and what emitted kernels
give on the built-in runtime, is what numpy gives. Many cases share one workload, one compilation and
one run."""

import json
import random
import shutil

import numpy as np
import pytest

import arithmetic
from conftest import count
from interpreter import Interpreter
from op_support import DTYPES, SIM_DTYPES
from random_ops import join, make_case
from test_eval import compare
from toolchain import generator, kernel_levels, run, unity_artifact

KINDS = ("vector",) * 4 + ("matmul", "mixed")


def anything(op, dtype):
    return dtype in DTYPES[op]


def emitted(op, dtype):
    return dtype in SIM_DTYPES[op]


def kinds_emitted(folder):
    """What `emit` takes: matmul where the table says so, mixed kernels where it splits them."""
    kinds = ["vector"] * 4
    for kind in ("matmul", "mixed"):
        if SIM_DTYPES["matmul"]:
            path = folder / f"{kind}.json"
            path.write_text(json.dumps(join([make_case(1, "c", folder, emitted, kind)])))
            done = generator("emit", path, "-o", folder / kind, "--name", "w")
            if done.returncode == 0:
                kinds.append(kind)
            else:
                assert "[unsupported-feature]" in done.stderr, done.stderr
    return kinds


def eval_failure(folder):
    def failure(workload):
        interpreter = Interpreter(workload, folder)
        path = folder / "workload.json"
        path.write_text(json.dumps(workload))
        output = folder / "eval"
        shutil.rmtree(output, ignore_errors=True)
        done = generator("eval", path, "-o", output, timeout=120)
        if done.returncode != 0:
            return f"exit {done.returncode}\n{done.stderr}"
        return compare(output / "expected", interpreter, interpreter.inputs(),
                       arithmetic.REFERENCE)
    return failure


def run_failure(folder, seed):
    def failure(workload):
        rng = random.Random(seed)
        interpreter = Interpreter(workload, folder)
        path = folder / "workload.json"
        path.write_text(json.dumps(workload))
        artifact = folder / "artifact"
        shutil.rmtree(artifact, ignore_errors=True)
        try:
            unity_artifact(path, artifact, rng.choice(kernel_levels()),
                           rng.choice(count(("-O1",), ("-O1", "-O2", "-O3"))))
        except AssertionError as error:
            return f"build: {error}"
        outputs = folder / "outputs"
        shutil.rmtree(outputs, ignore_errors=True)
        done = run(artifact, outputs, 2, rng.getrandbits(31), timeout=300)
        # 1: beyond the default tolerance, which ill-conditioned cases may be; bounds are known here.
        if done.returncode not in (0, 1) or not outputs.exists():
            return f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        return compare(outputs, interpreter, interpreter.inputs(), arithmetic.KERNEL)
    return failure


def check_batch(cases, batch, failure, seed):
    """The whole batch at once; when that fails, the case that does, made smaller."""
    message = failure(join(batch))
    if message is None:
        return
    for case in batch:
        workload = join([case])
        if failure(workload) is not None:
            cases.check(workload, failure, seed, seconds=90)
    pytest.fail(f"the batch of seed {seed} fails as a whole, none of its cases alone:\n{message}")


def batch_of(seed, size, folder, supported, kinds):
    rng = random.Random(seed)
    return [make_case(rng.getrandbits(40), f"c{n}", folder, supported, rng.choice(kinds))
            for n in range(size)]


EVAL_BATCH, RUN_BATCH = 250, 50


def test_eval_equals_numpy(cases):
    for seed in cases.seeds(count(1000, 20000) // EVAL_BATCH):
        batch = batch_of(seed, EVAL_BATCH, cases.folder, anything, KINDS)
        check_batch(cases, batch, eval_failure(cases.folder), seed)


def test_kernels_equal_numpy(cases):
    kinds = kinds_emitted(cases.folder)
    for seed in cases.seeds(count(500, 20000) // RUN_BATCH):
        batch = batch_of(seed, RUN_BATCH, cases.folder, emitted, kinds)
        check_batch(cases, batch, run_failure(cases.folder, seed), seed)


def test_cases_are_varied_and_mean_something(cases):
    """Every op on every one of its dtypes; a comparison within an infinite bound says nothing."""
    batch = batch_of(cases.seeds(1)[0], 1500, cases.folder, anything, KINDS)
    workload = join(batch)
    interpreter = Interpreter(workload, cases.folder)
    seen, strided, kinds = set(), 0, set()
    for task in interpreter.tasks:
        dtypes = {p["name"]: p.get("scalar") or p["dtype"] for p in task.kernel["params"]}
        ops = {o["op"] for o in task.kernel["body"]} - {"store"}
        kinds.add(("matmul" in ops, len(ops - {"matmul"}) > 0))
        strided += any(len(i) > 1 and (np.diff(i[:, 0]) != i.shape[1]).any()
                       for i in task.tiles.values())
        for op in task.kernel["body"]:
            of = [dtypes[a] for a in op["args"] if isinstance(a, str)]
            seen.add((op["op"], of[0] if of else op["dtype"]))
            if op["op"] == "cast":
                seen.add(("cast", of[0], op["dtype"]))
            if "result" in op:
                dtypes[op["result"]] = op.get("dtype") or ("f32" if op["op"] == "matmul" else of[0])
    missing = {(op, dtype) for op, dtypes in DTYPES.items() for dtype in dtypes} - seen
    assert not missing
    assert {("cast", a, b) for a in DTYPES["cast"] for b in DTYPES["cast"]} <= seen
    assert kinds >= {(False, True), (True, False), (True, True)} and strided > 100
    loose = total = 0
    for value in interpreter.run(interpreter.inputs(), arithmetic.KERNEL).values():
        loose += np.isinf(value.e).sum()
        total += value.v.size
    assert loose < 0.2 * total, f"{loose} of {total}"


# --- the tests themselves: a wrong op is noticed ------------------------------------------------------


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A batch and the folder of what the reference, which is right about it, gives."""
    folder = tmp_path_factory.mktemp("evaluated")
    workload = join(batch_of(1, EVAL_BATCH, folder, anything, KINDS))
    assert eval_failure(folder)(workload) is None
    return Interpreter(workload, folder), folder / "eval" / "expected"


@pytest.mark.parametrize("op", sorted(set(DTYPES) - {"store", "constant", "matmul", "cast"}))
def test_a_wrong_op_is_noticed(evaluated, op, monkeypatch):
    """An interpreter whose `op` is off by one unit of bf16 must disagree with the reference."""
    right = arithmetic.apply

    def wrong(name, operands, accuracy, dtype=None):
        result = right(name, operands, accuracy, dtype)
        if name != op:
            return result
        if result.dtype == "i32":
            return arithmetic.Value(np.where(result.v == 3, 4, result.v), result.e, result.dtype)
        return arithmetic.Value(arithmetic.rounded(result.v * (1 + 2.0**-7), result.dtype),
                                result.e, result.dtype)

    interpreter, expected = evaluated
    monkeypatch.setattr(arithmetic, "apply", wrong)
    found = compare(expected, interpreter, interpreter.inputs(), arithmetic.REFERENCE)
    assert (found or "").startswith("values ")


@pytest.mark.parametrize("op, instead", [("add", "sub"), ("max", "min")])
def test_a_wrong_kernel_is_noticed_and_shrunk(cases, op, instead, monkeypatch):
    """An emitted tree with one op for another fails; what is shown of it is that op, in a file that
    reproduces the failure."""
    def spoilt(command, file, *arguments, **more):
        if command == "emit":
            text = file.read_text().replace(f'"op": "{op}"', f'"op": "{instead}"')
            file = file.with_name("spoilt.json")
            file.write_text(text)
        return generator(command, file, *arguments, **more)

    monkeypatch.setattr("toolchain.generator", spoilt)
    monkeypatch.setenv("PTOWSP_FAILURES", str(cases.folder / "failures"))
    batch = batch_of(2, 20, cases.folder, emitted, ("vector",))
    with pytest.raises(pytest.fail.Exception) as failed:
        check_batch(cases, batch, run_failure(cases.folder, 2), 2)
    assert "values " in str(failed.value)
    (file,) = (cases.folder / "failures").glob("*/shrunk.json")
    shrunk = json.loads(file.read_text())
    assert op in [o["op"] for o in shrunk["kernels"][0]["body"]]
    assert len(shrunk["kernels"][0]["body"]) <= 4
    for npy in file.parent.glob("*.npy"):
        shutil.copy(npy, cases.folder)
    assert run_failure(cases.folder, 2)(shrunk).startswith("values ")
    monkeypatch.undo()
    assert run_failure(cases.folder, 2)(shrunk) is None
