# SPDX-License-Identifier: MIT
"""python3 -m pto_wsp: what it writes, prints and returns; golden(), parameters, depfiles."""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import pto_wsp

PACKAGE = str(pathlib.Path(pto_wsp.__file__).parents[1])
KERNEL = '''
import numpy as np
from pto_wsp import DType, In, Out, P, Tensor, Tile, kernel, pto, workload

@kernel
def twice(a: In[Tile[4, 8, DType.F32]], b: Out[Tile[4, 8, DType.F32]]):
    pto.store(b, a * 2.0)
'''
ONE = KERNEL + '''
x = Tensor(data=np.arange(32, dtype=np.float32).reshape(4, 8))
y = Tensor(shape=(4, 8))

@workload
def wl():
    twice(x, y)
'''
SIZED = KERNEL + '''
@workload
def wl(rows, scale=1.5):
    x, y = Tensor(shape=(rows, 8)), Tensor(shape=(rows, 8))
    for i in P(rows // 4):
        twice(x[4*i:4*i+4], y[4*i:4*i+4])
'''


@pytest.fixture
def run(tmp_path):
    def run(*arguments, source=None, status=0):
        if source is not None:
            (tmp_path / "wl.py").write_text(source)
        environment = {**os.environ, "PYTHONPATH": PACKAGE}
        done = subprocess.run([sys.executable, "-m", "pto_wsp", *map(str, arguments)], cwd=tmp_path,
                              capture_output=True, text=True, env=environment)
        assert done.returncode == status, done.stderr + done.stdout
        return done
    return run


def test_trace_to_standard_output(run, tmp_path):
    done = run("trace", "wl.py", source=ONE)
    assert json.loads(done.stdout)["name"] == "wl" and done.stderr == ""
    assert os.listdir(tmp_path) == ["wl.py"]


def test_check(run):
    assert run("check", "wl.py", source=ONE).stdout.splitlines()[:4] == \
        ["wl", "  tensors        2", "  kernels        1", "  tasks          1"]
    done = run("check", "wl.py", source=ONE.replace("twice(x, y)", "twice(x[1], y)"), status=1)
    assert done.stderr == (
        "wl.py:14: error: view 'x[1]' is 1 x 8, parameter 'a' of kernel 'twice' is a tile of 4 x 8 "
        "[tile-mismatch]\n  fix: change the view or the tile\n")


def test_check_for_the_device(run):
    done = run("check", "wl.py", "--platform", "a2a3", source=ONE)
    assert done.stdout.endswith(
        "\n  a2a3: kernels can be emitted. PtoWsp has never run one on hardware: see docs/a2a3.md\n")
    large = ONE.replace("4, 8", "512, 96").replace("arange(32", "arange(49152")
    assert run("check", "wl.py", source=large).stdout
    done = run("check", "wl.py", "--platform", "a2a3", source=large, status=1)
    assert done.stderr.startswith("wl.py:7: error: kernel 'twice' takes 393216 bytes of the unified buffer, which has ")
    assert "[tile-too-large]" in done.stderr


def test_parameters(run):
    assert json.loads(run("trace", "wl.py", "-p", "rows=16", source=SIZED).stdout)["tensors"][0][
        "shape"] == [16, 8]
    assert run("trace", "wl.py", status=1).stderr == (
        "wl.py:9: error: workload 'wl' needs the parameter rows [missing-argument]\n"
        "  fix: give -p rows=..., or PARAMETERS rows=... in CMake\n")
    assert run("trace", "wl.py", "-p", "row=16", status=1).stderr == (
        "wl.py:9: error: workload 'wl' has no parameter 'row' [unknown-argument]\n"
        "  fix: did you mean 'rows'?\n")
    assert run("trace", "wl.py", "-p", "rows", status=2).stderr == \
        "pto_wsp: error: a parameter is NAME=VALUE, found 'rows'\n"
    from pto_wsp._file import parse_parameters
    assert parse_parameters(["a=1", "b=2.5", "c=True", "d=x=y", "e="]) == \
        {"a": 1, "b": 2.5, "c": True, "d": "x=y", "e": ""}


def test_which_workload(run):
    two = ONE + "\n@workload\ndef other():\n    twice(y, x)\n"
    assert run("trace", "wl.py", source=two, status=1).stderr == (
        "error: wl.py has several workloads: wl, other [unknown-name]\n"
        "  fix: say which one: --workload wl, or WORKLOAD wl in CMake\n")
    assert json.loads(run("trace", "wl.py", "--workload", "other").stdout)["name"] == "other"
    assert "did you mean 'other'?" in run("trace", "wl.py", "--workload", "othr", status=1).stderr
    assert run("trace", "wl.py", source=KERNEL, status=1).stderr == (
        "error: wl.py has no workload [unknown-name]\n  fix: put @workload above a function\n")
    assert "cannot be read" in run("trace", "missing.py", status=1).stderr


def test_workloads_of_imported_files_are_not_this_files(run, tmp_path):
    (tmp_path / "library.py").write_text(ONE.replace("def wl", "def library_workload"))
    source = "from library import *\n" + ONE
    assert json.loads(run("trace", "wl.py", source=source).stdout)["name"] == "wl"


def test_exceptions_of_the_users_code(run):
    done = run("trace", "wl.py", source=ONE + "\n1 / 0\n", status=1)
    assert done.stderr.startswith("Traceback (most recent call last):\n  File \"")
    assert 'wl.py", line 16' in done.stderr.splitlines()[1]
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert "SyntaxError" in run("trace", "wl.py", source="def", status=1).stderr
    inside = ONE.replace("twice(x, y)", "twice(undefined, y)")
    assert run("trace", "wl.py", source=inside, status=1).stderr.endswith(
        "NameError: name 'undefined' is not defined\n")


GOLDEN = ONE + '''
def golden(x):
    return {"y": x * 2}
'''


def test_golden(run, tmp_path):
    run("trace", "wl.py", "-o", "wl.json", "--expected", "expected", source=GOLDEN)
    np.testing.assert_array_equal(np.load(tmp_path / "expected" / "y.npy"),
                                  np.arange(32, dtype=np.float32).reshape(4, 8) * 2)
    for returned in ("x * 2", "(x * 2,)", "[(x * 2).astype(np.float64)]"):
        run("trace", "wl.py", "-o", "wl.json", "--expected", "expected",
            source=GOLDEN.replace('{"y": x * 2}', returned).replace("golden(x)", "golden(**inputs)")
            .replace("return ", "x = inputs['x']; return "))
        assert np.load(tmp_path / "expected" / "y.npy").dtype == np.float32
    run("trace", "wl.py", "-o", "wl.json", "--expected", "expected", source=ONE)
    assert os.listdir(tmp_path / "expected") == []


@pytest.mark.parametrize("returned, message", [
    ('{"z": x}', "golden() returns 'z', which is no output [bad-golden]\n  fix: did you mean 'y'?\n"),
    ("(x, x)", "golden() returns 2 arrays for 1 outputs: y [bad-golden]\n"
               "  fix: return a dictionary, {\"y\": array}\n"),
    ('{"y": x[0]}', "golden() gives float32[8] for 'y', expected f32[4, 8] [bad-golden]\n")])
def test_mistakes_in_golden(run, returned, message):
    done = run("trace", "wl.py", "-o", "wl.json", "--expected", "expected", status=1,
               source=GOLDEN.replace('{"y": x * 2}', returned))
    assert done.stderr == "wl.py:16: error: " + message


def test_golden_gets_the_random_inputs_that_the_test_gets(run, tmp_path):
    source = KERNEL + '''
x, y = Tensor(shape=(4, 8)), Tensor(shape=(4, 8))

@workload
def wl():
    twice(x, y)

def golden(x):
    return x * 2
'''
    run("trace", "wl.py", "-o", "wl.json", "--expected", "given", "--seed", "3", source=source)
    subprocess.run([os.environ["PTOWSP_GEN"], "eval", "wl.json", "-o", "eval", "--seed", "3"],
                   cwd=tmp_path, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "given" / "y.npy"),
                                  np.load(tmp_path / "eval" / "expected" / "y.npy"))


def test_depfile_and_kernel_list(run, tmp_path):
    (tmp_path / "helper.py").write_text("import numpy as np\nvalues = np.load('data.npy')\n")
    np.save(tmp_path / "data.npy", np.zeros(3))
    (tmp_path / "out").mkdir()
    run("trace", "wl.py", "-o", "out/wl.json", "--depfile", "out/wl.json.d", "--kernel-list",
        "out/kernels", "--expected", "out/expected", source="import helper\n" + GOLDEN)
    words = (tmp_path / "out" / "wl.json.d").read_text().replace("\\\n", "").split()
    assert words == [f"{tmp_path}/out/wl.json:"] + [
        f"{tmp_path}/{name}" for name in ("data.npy", "helper.py", "wl.py")]
    listed = subprocess.run([os.environ["PTOWSP_GEN"], "list", "out/wl.json"], cwd=tmp_path,
                            capture_output=True, text=True, check=True).stdout
    assert (tmp_path / "out" / "kernels").read_text() == listed == "aiv:twice\n"
    assert sorted(os.listdir(tmp_path / "out")) == \
        ["expected", "kernels", "wl.json", "wl.json.d", "wl.locations.json", "wl.x.npy"]
    # An unchanged source writes nothing, and reads what it wrote without depending on it.
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    run("trace", "wl.py", "-o", "out/wl.json", "--depfile", "out/wl.json.d", "--kernel-list",
        "out/kernels", "--expected", "out/expected")
    assert words == (tmp_path / "out" / "wl.json.d").read_text().replace("\\\n", "").split()
    assert stamps == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}


def test_deferred_errors(run, tmp_path):
    run("trace", "wl.py", "-o", "wl.json", "--kernel-list", "kernels", "--depfile", "wl.d",
        "--defer-errors", source=ONE)
    run("trace", "wl.py", "-o", "wl.json", "--kernel-list", "kernels", "--depfile", "wl.d",
        "--defer-errors", source=ONE.replace("a * 2.0", "pto.exq(a)"))
    assert json.loads((tmp_path / "wl.json").read_text()) == {
        "ptowsp": 1, "error": "wl.py:7: error: there is no op 'pto.exq' [unknown-name]\n"
        "  fix: did you mean 'pto.exp'?"}
    assert (tmp_path / "kernels").read_text() == "aiv:twice\n"
    assert "wl.py" in (tmp_path / "wl.d").read_text()
    # What is imported may be what is missing: the next build tries again.
    assert f"{tmp_path}/wl.json.retry" in (tmp_path / "wl.d").read_text()
    run("trace", "wl.py", "--defer-errors", status=2)


def test_the_documentations_example(run, tmp_path):
    text = (pathlib.Path(__file__).parents[2] / "docs" / "python.md").read_text()
    source = text.split("```python\n")[1].split("```")[0]
    assert "  tasks          8" in run("check", "wl.py", source=source).stdout
    run("trace", "wl.py", "-o", "wl.json", "--expected", "given")
    subprocess.run([os.environ["PTOWSP_GEN"], "eval", "wl.json", "-o", "eval"], cwd=tmp_path, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "given" / "y.npy"),
                               np.load(tmp_path / "eval" / "expected" / "y.npy"), rtol=1e-5)
    mistake = run("check", "wl.py", source=source.replace("rowmax", "rowmx"), status=1).stderr
    assert mistake == text.split("and the fix:\n\n```\n")[1].split("```")[0].replace("softmax.py:9",
                                                                                  "wl.py:9")


def test_help_and_usage(run):
    assert "trace" in run("--help").stdout and "--workload NAME" in run("check", "--help").stdout
    assert "usage:" in run("chek", "wl.py", status=2).stderr


def test_the_package_is_quick_to_import_and_needs_no_numpy():
    code = ("import sys, time; t = time.process_time(); import pto_wsp; "
            "t = time.process_time() - t; "
            "print(t, *(m for m in ('numpy', 'json', 're', 'typing', 'inspect') if m in sys.modules))")
    environment = {"PYTHONPATH": PACKAGE}
    seconds = []
    for _ in range(5):
        words = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True,
                               check=True, env=environment).stdout.split()
        assert words[1:] == []
        seconds.append(float(words[0]))
    assert min(seconds) < 0.05
