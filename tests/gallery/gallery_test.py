# SPDX-License-Identifier: MIT
"""The workloads of the examples in Python: the reference evaluation and their own numpy goldens, two
independent answers, agree, and a wrong op anywhere in a kernel is beyond the example's tolerance. And the
pictures of task graphs are of today's graphs.
"""
import copy
import json
import os
import pathlib
import subprocess
import sys

import numpy
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GENERATOR = os.environ["PTOWSP_GEN"]
BUILD = pathlib.Path(os.environ["PTOWSP_BUILD_DIR"])
EXAMPLES = sorted(path.stem for path in ROOT.glob("examples/*/*.py") if path.stem == path.parent.name)
TOLERANCE = {"f32": (1e-4, 1e-5)}

# An op's stand-in when it is to be wrong. A product is off by a thousandth instead, or lacks what it is added to.
WRONG = {"add": "sub", "sub": "add", "mul": "add", "div": "mul", "max": "add", "min": "add", "exp": "neg",
         "log": "neg", "sqrt": "abs", "rsqrt": "sqrt", "neg": "abs", "abs": "neg", "relu": "abs",
         "tanh": "sigmoid", "sigmoid": "tanh", "silu": "gelu", "gelu": "silu", "rowsum": "rowmax",
         "rowmax": "rowsum", "rowmin": "rowmax", "rowmean": "rowsum", "colsum": "colmax",
         "colmax": "colsum", "colmin": "colmax"}  # fmt: skip


def wrong_kernels(kernel):
    """The kernel with each of its ops, but stores, made wrong in turn: (what was done, kernel)."""
    for i, op in enumerate(kernel["body"]):
        wrong = copy.deepcopy(kernel)
        if op["op"] == "matmul":
            wrong["body"][i]["result"] = "not_quite"
            wrong["body"].insert(i + 1, {"op": "mul", "args": ["not_quite", 1.001], "result": op["result"]})
            yield f"{op} times 1.001", wrong
            if len(op["args"]) == 3:
                wrong = copy.deepcopy(kernel)
                del wrong["body"][i]["args"][2]
                yield f"{op} with nothing added", wrong
        elif op["op"] != "store":
            wrong["body"][i]["op"] = WRONG[op["op"]]
            yield f"{op} as {WRONG[op['op']]}", wrong


@pytest.fixture(scope="module", params=EXAMPLES)
def traced(request, tmp_path_factory):
    """Name, trace, and golden's results of an example."""
    folder = tmp_path_factory.mktemp(request.param)
    source = ROOT / "examples" / request.param / f"{request.param}.py"
    subprocess.run([sys.executable, "-m", "pto_wsp", "trace", source, "-o", folder / "workload.json",
                    "--expected", folder / "golden"], check=True,
                   env={**os.environ, "PYTHONPATH": str(BUILD / "python")})  # fmt: skip
    return request.param, folder, json.loads((folder / "workload.json").read_text())


def evaluate(folder, workload):
    """The reference's results by tensor, or None where it refuses the workload."""
    file = folder / "tried.json"
    file.write_text(json.dumps(workload))
    done = subprocess.run([GENERATOR, "eval", file, "-o", folder / "tried"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)  # fmt: skip
    assert done.returncode in (0, 1), done.stdout
    if done.returncode:
        return None
    return {path.stem: numpy.load(path) for path in (folder / "tried/expected").glob("*.npy")}


def wrong_elements(folder, workload, results):
    """How many elements of the results are beyond their tensor's tolerance, measured from golden's."""
    count = 0
    for tensor in workload["tensors"]:
        if tensor["role"] in ("output", "inout"):
            default = TOLERANCE[tensor["dtype"]]
            rtol, atol = tensor.get("rtol", default[0]), tensor.get("atol", default[1])
            golden = numpy.load(folder / "golden" / f"{tensor['name']}.npy").astype(numpy.float64)
            with numpy.errstate(invalid="ignore", over="ignore"):
                error = numpy.abs(results[tensor["name"]].astype(numpy.float64) - golden)
            count += numpy.count_nonzero(~((error <= atol) | (error <= rtol * numpy.abs(golden))))
    return count


def test_reference_and_golden_agree(traced):
    _, folder, workload = traced
    results = evaluate(folder, workload)
    assert results is not None and wrong_elements(folder, workload, results) == 0


def without_warnings(workload):
    """Among them would be that a kernel's tiles do not fit the buffers of a real core."""
    done = subprocess.run([GENERATOR, "check", workload], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode == 0 and done.stderr == ""


def test_there_are_no_warnings(traced):
    assert without_warnings(traced[1] / "workload.json")


@pytest.mark.parametrize("workload", sorted(ROOT.glob("examples/*/*.json")), ids=lambda path: path.stem)
def test_there_are_no_warnings_in_json(workload):
    assert without_warnings(workload)


def test_a_wrong_op_is_noticed(traced):
    name, folder, workload = traced
    tried = 0
    for k, kernel in enumerate(workload["kernels"]):
        for what, wrong_kernel in wrong_kernels(kernel):
            wrong = {**workload, "kernels": [*workload["kernels"][:k], wrong_kernel, *workload["kernels"][k + 1 :]]}
            results = evaluate(folder, wrong)
            assert results is not None, f"{name}, {kernel['name']}: {what} is no workload"
            assert wrong_elements(folder, wrong, results) > 0, f"{name}, {kernel['name']}: {what} goes unnoticed"
            tried += 1
    assert tried > 0


def test_pictures_are_of_todays_graphs():
    done = subprocess.run([sys.executable, ROOT / "tools/graphs", "--check", "--build", BUILD],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_a_picture_of_another_graph_is_named(tmp_path):
    """The check can fail: of a copy of the project in which one picture is another's."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/graphs").write_text((ROOT / "tools/graphs").read_text())
    for name in ("scale", "diamond"):
        folder = tmp_path / "examples" / name
        folder.mkdir(parents=True)
        (folder / "CMakeLists.txt").touch()
        (folder / f"{name}.json").write_text((ROOT / "examples" / name / f"{name}.json").read_text())
        (folder / "graph.svg").write_text((ROOT / "examples/diamond/graph.svg").read_text())
    done = subprocess.run([sys.executable, tmp_path / "tools/graphs", "--check", "--build", BUILD],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == (
        "graph.svg is not of today's task graph: scale\n"
        "  fix: tools/graphs scale   (needs graphviz), and look at what it draws\n"
    )
    assert (tmp_path / "examples/scale/graph.svg").read_text() == (ROOT / "examples/diamond/graph.svg").read_text()


@pytest.mark.parametrize("options, text", [
    (["--build", "/nowhere"], "tools/graphs: there is no bin/ptowsp-gen in /nowhere\n  fix: build PtoWsp "
     "(cmake --workflow --preset release), or say where it is: --build DIR\n"),
    (["--build", BUILD], "tools/graphs: there is no dot here, which draws\n  fix: apt install graphviz, or "
     "only --check\n"),
])  # fmt: skip
def test_what_is_missing_is_named(options, text):
    done = subprocess.run([sys.executable, ROOT / "tools/graphs", *options], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, "PATH": "/nowhere"})  # fmt: skip
    assert (done.returncode, done.stdout) == (1, text)


def test_every_example_has_a_picture_and_shows_it():
    for folder in sorted(path.parent for path in ROOT.glob("examples/*/CMakeLists.txt")):
        if folder.name != "cpp_app":  # which has no workload of its own
            assert "(graph.svg)" in (folder / "README.md").read_text(), folder
        listed = f"[{folder.name}]({folder.name})"
        assert listed in (ROOT / "examples/README.md").read_text(), f"examples/README.md does not list {listed}"
