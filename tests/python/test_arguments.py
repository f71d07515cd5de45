# SPDX-License-Identifier: MIT
"""Tasks with more than 16 arguments, most of which travel in argument blocks on the device."""

import json
import os
import subprocess

import numpy as np
import pytest

from toolchain import compile_artifact, expect_success, kernel_levels, run
from workloads import kernel, loop, scalar, task, tensor, tile, workload

RUN = os.environ["PTOWSP_RUN"]
TASKS = 6


def weighted_sum(tiles, scalars):
    """y[i] = sum of a_k[i] + sum of s_k * a_0[i]; strided tiles, so that strides lie in blocks too."""
    names = [f"a{k}" for k in range(tiles)]
    factors = [f"s{k}" for k in range(scalars)]
    ops, total = [], names[0]
    for k, name in enumerate(names[1:]):
        ops.append(f"t{k} = add {total} {name}")
        total = f"t{k}"
    for k, factor in enumerate(factors):
        ops += [f"p{k} = mul a0 {factor}", f"q{k} = add {total} p{k}"]
        total = f"q{k}"
    params = [*(tile(n, 2, 3, "in") for n in names), tile("y", 2, 3, "out"), *map(scalar, factors)]
    args = {name: f"x[{k}, 2*i:2*i+2, 1:4]" for k, name in enumerate(names)}
    args |= {factor: k + 0.5 for k, factor in enumerate(factors)}
    return workload(
        [tensor("x", (tiles, 2 * TASKS, 5), "input"), tensor("y", (2 * TASKS, 3), "output")],
        [kernel("weighted_sum", params, *ops, f"store y {total}")],
        [loop(TASKS, "parallel", task("weighted_sum", y="y[2*i:2*i+2, :]", **args))])


def expected(x, scalars):
    x = x.astype(np.float64)[:, :, 1:4]
    return x.sum(axis=0) + x[0] * sum(k + 0.5 for k in range(scalars))


# Of n tiles and s scalars: 2 n + 1 + s + 3 arguments, the rows of y being adjacent.
@pytest.mark.parametrize("tiles, scalars", [(6, 0), (5, 3), (6, 1), (7, 0), (9, 2), (3, 12), (18, 0)])
def test_any_number_of_arguments(tmp_path, tiles, scalars):
    source = tmp_path / "w.json"
    source.write_text(json.dumps(weighted_sum(tiles, scalars)))
    artifact = compile_artifact(source, tmp_path / "artifact", kernel_levels()[0])
    call = (artifact / "kernels/orchestration/pto_wsp_orch.cpp").read_text()
    count = 2 * tiles + 4 + scalars
    function = "add" if count <= 16 else "addWithBlock"
    assert f'graph.{function}("weighted_sum", args, {count}, 0' in call
    expect_success(run(artifact, tmp_path / "outputs", workers=2))
    found = np.load(tmp_path / "outputs/y.npy")
    want = expected(np.load(artifact / "inputs/x.npy"), scalars)
    np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5)


def test_a_single_task_of_many_arguments_runs_alone(tmp_path):
    """--only copies a task's arguments and finds the elements that it writes: blocks included."""
    source = tmp_path / "w.json"
    source.write_text(json.dumps(weighted_sum(9, 2)))
    artifact = compile_artifact(source, tmp_path / "artifact", kernel_levels()[0])
    done = expect_success(subprocess.run(
        [RUN, artifact, "--only", "weighted_sum[i=4]"], capture_output=True, text=True))
    assert "Only task 4, weighted_sum[i=4]" in done.stdout
    assert "6 elements compared" in done.stdout


def test_a_wrong_element_of_many_arguments_names_its_task(tmp_path):
    source = tmp_path / "w.json"
    source.write_text(json.dumps(weighted_sum(9, 2)))
    artifact = compile_artifact(source, tmp_path / "artifact", kernel_levels()[0])
    want = np.load(artifact / "expected/y.npy")
    want[7, 1] += 1
    np.save(artifact / "expected/y.npy", want)
    done = subprocess.run([RUN, artifact], capture_output=True, text=True)
    assert done.returncode == 1
    assert "y[7, 1]" in done.stderr
    assert "written by task 3, weighted_sum[i=3]" in done.stderr
