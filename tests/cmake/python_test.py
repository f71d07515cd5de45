# SPDX-License-Identifier: MIT
"""Workloads in Python: exact builds, mistakes, golden(), what is imported, parameters, the interpreter."""

import json
import time

import numpy
import pytest
from project import Project, renamed, run, workload

HEAD = """import numpy as np
from pto_wsp import DType, In, Out, P, Tensor, Tile, kernel, pto, workload
from factors import factor
"""


def script(golden="", before="", **factors):
    """A Python file with one kernel for each keyword: y_<kernel> = factor * x, in two tasks."""
    text = HEAD + before + "x = Tensor(data=np.arange(256, dtype=np.float32).reshape(16, 16))\n"
    for k, value in factors.items():
        text += f"""
y_{k} = Tensor(shape=(16, 16), dtype=DType.F32)

@kernel
def {k}(u: In[Tile[8, 16, DType.F32]], v: Out[Tile[8, 16, DType.F32]]):
    pto.store(v, u * {value})
"""
    text += "\n@workload\ndef sample():\n    for r in P(2):\n"
    for k in factors:
        text += f"        {k}(x[8*r:8*r+8], y_{k}[8*r:8*r+8])\n"
    return text + golden


GOLDEN = """
def golden(x):
    return {"y_a": x * %s}
"""


def edit(project, name, content):
    if not project.ninja:
        time.sleep(0.02)  # make compares times
    project.put(name, content)


def built(project, calls="ptowsp_add_workload(one SOURCE sub/one.py)"):
    project.put("sub/one.py", script(a=2.0, b="factor"))
    project.put("sub/factors.py", "factor = 3.0\n")
    project.write(calls)
    project.configure("-DCMAKE_BUILD_TYPE=Release")
    project.build()
    return project


def test_increments(project):
    built(project)
    assert project.nothing_to_do()
    assert project.ctest("-L", "a2a3sim").failed_tests == []
    assert project.nothing_to_do()

    edit(project, "sub/one.py", script(a=2.5, b="factor"))
    result = project.build()
    assert (result.compiled, result.linked) == (["a"], ["a"])
    assert project.nothing_to_do()

    edit(project, "sub/one.py", script(a=2.5, b="factor", before="# a line that moves all others\n"))
    result = project.build()
    assert (result.compiled, result.linked) == ([], [])
    assert project.nothing_to_do()

    edit(project, "sub/factors.py", "factor = 7.0\n")
    result = project.build()
    assert (result.compiled, result.linked) == (["b"], ["b"]), "what is imported is traced again"
    assert project.nothing_to_do()

    edit(project, "sub/one.py", script(renamed=2.5, b="factor", added=4.0))
    result = project.build()
    assert [k for k in result.compiled if k != "pto_wsp_orch"] == ["added", "renamed"]
    assert not (project.binaries("one") / "kernel_a.so").exists()
    assert project.nothing_to_do()

    edit(project, "sub/one.py", script(b="factor"))
    assert [k for k in project.build().compiled if k != "pto_wsp_orch"] == []
    assert sorted(f.name for f in project.binaries("one").glob("kernel_*.so")) == ["kernel_b.so"]
    assert project.nothing_to_do()
    project.ctest("-L", "a2a3sim")
    assert not list(project.folder.rglob("__pycache__")), "nothing is written into the source folder"


def test_deleted_traces_come_back(project):
    project.put("factors.py", "factor = 3.0\n")
    project.put("one.py", script(a=2.0, golden=GOLDEN % 2))
    project.write("ptowsp_add_workload(one SOURCE one.py)")
    project.configure()
    project.build()
    for file in ["one.json", "one.locations.json", "one.x.npy", "golden/y_a.npy"]:
        path = project.artifact("one") / file
        before = path.read_bytes()
        path.unlink()
        assert project.build().compiled == []
        assert path.read_bytes() == before
        assert project.nothing_to_do()
    project.ctest("-L", "a2a3sim")


def test_golden_is_what_the_test_compares_with(project):
    project.put("factors.py", "factor = 3.0\n")
    project.put("one.py", script(a=2.0, golden=GOLDEN % 2))
    project.write("ptowsp_add_workload(one SOURCE one.py)")
    project.configure()
    project.ctest("-L", "a2a3sim")
    expected = project.artifact("one") / "expected/y_a.npy"
    x = numpy.arange(256, dtype=numpy.float32).reshape(16, 16)
    assert (numpy.load(project.artifact("one") / "inputs/x.npy") == x).all()

    edit(project, "one.py", script(a=2.0, golden=GOLDEN % 5))
    result = project.ctest("-L", "a2a3sim", succeed=False)
    assert result.failed_tests == ["one.a2a3sim"]
    assert (numpy.load(expected) == 5 * x).all()
    assert project.nothing_to_do()

    edit(project, "one.py", script(a=2.0))
    project.ctest("-L", "a2a3sim")
    assert (numpy.load(expected) == 2 * x).all(), "without golden() the reference evaluation is right"
    assert project.nothing_to_do()

    edit(project, "one.py", script(a=2.0).replace("np.arange(256,", "np.arange(1, 257,"))
    result = project.build()
    assert result.compiled == []
    project.ctest("-L", "a2a3sim")
    assert (numpy.load(expected) == 2 * x + 2).all(), "new data reaches the test"
    assert project.nothing_to_do()


def test_a_file_that_init_names_is_followed(project):
    numpy.save(project.folder / "x.npy", numpy.full((16, 16), 2, numpy.float32))
    project.put("sub/factors.py", "factor = 3.0\n")
    project.put("sub/one.py", script(a=2.0).replace(
        "data=np.arange(256, dtype=np.float32).reshape(16, 16)",
        'shape=(16, 16), dtype=DType.F32, init={"npy": "../x.npy"}'))
    project.write("ptowsp_add_workload(one SOURCE sub/one.py)")
    project.configure()
    project.ctest("-L", "a2a3sim")
    expected = project.artifact("one") / "expected/y_a.npy"
    assert (numpy.load(expected) == 4).all()
    assert project.nothing_to_do()
    time.sleep(0.02)
    numpy.save(project.folder / "x.npy", numpy.full((16, 16), 3, numpy.float32))
    assert project.build().compiled == []
    assert (numpy.load(expected) == 6).all()
    assert project.nothing_to_do()
    project.ctest("-L", "a2a3sim")


def test_a_broken_file_fails_alone_and_is_tried_again(project):
    project.put("two.json", workload(c=4.0))
    built(project, "ptowsp_add_workload(one SOURCE sub/one.py)\nptowsp_add_workload(two SOURCE two.json)")
    before = (project.artifact("one") / "kernel_list").read_text()

    edit(project, "sub/one.py", script(a=2.0, b="factor").replace("pto.store", "pto.stroe", 1))
    edit(project, "two.json", workload(c=5.0))
    result = project.build(succeed=False, keep_going=True)
    assert "one.py:10: error: there is no op 'pto.stroe' [unknown-name]\n  fix: did you mean 'pto.store'?\n" \
        in result.text  # fmt: skip
    assert "c" in result.linked
    assert (project.artifact("one") / "kernel_list").read_text() == before == "aiv:a\naiv:b\n"
    assert project.ctest("-L", "a2a3sim", succeed=False).failed_tests == ["one.a2a3sim"]

    imports = "import factor\nfrom more import later"
    edit(project, "sub/one.py", script(a=2.0, b="later").replace("import factor", imports))
    result = project.build(succeed=False, keep_going=True)
    assert "ModuleNotFoundError: No module named 'more'" in result.text and "-DPTOWSP_PYTHON=" in result.text
    edit(project, "sub/more.py", "later = 3.0\n")
    result = project.build()
    assert result.compiled == [], "the old sources are right again"
    assert project.nothing_to_do()
    project.ctest("-L", "a2a3sim")

    # An interpreter that crashes is a mistake of this one workload too, and so is one that ends too early.
    for ending in ["os.abort()", "os._exit(0)"]:
        edit(project, "sub/more.py", f"later = 3.0\nimport os\n{ending}\n")
        result = project.build(succeed=False, keep_going=True)
        assert "one.py: error: the Python interpreter ended with" in result.text
        assert "one.a2a3sim" in project.ctest("-L", "a2a3sim", succeed=False).failed_tests
    edit(project, "sub/more.py", "later = 3.0\n")
    project.build()
    assert project.nothing_to_do()
    project.ctest("-L", "a2a3sim")


@pytest.mark.parametrize("generator", ["Ninja", "Unix Makefiles"])
def test_broken_from_the_start_then_mended(generator, tmp_path, package):
    project = Project(tmp_path / "pröject", package, generator)
    project.put("factors.py", "factor = 3.0\n")
    project.put("one.py", "def (")
    project.put("two.json", workload(c=4.0))
    project.write("ptowsp_add_workload(one SOURCE one.py)\nptowsp_add_workload(two SOURCE two.json)")
    project.configure()
    result = project.build(succeed=False, keep_going=True)
    assert "SyntaxError" in result.text and "one.py" in result.text and "c" in result.linked
    edit(project, "one.py", script(a=2.0))
    assert "a" in project.build().linked
    assert project.nothing_to_do()
    project.ctest("-L", "a2a3sim")


def test_later_errors_point_into_the_script(ninja_project):
    ninja_project.put("factors.py", "factor = 3.0\n")
    text = script(a=2.0).replace("y_a[8*r:8*r+8]", "y_a[0:8]")
    ninja_project.put("one.py", text)
    ninja_project.write("ptowsp_add_workload(one SOURCE one.py)")
    ninja_project.configure()
    result = ninja_project.build(succeed=False)
    line = 1 + next(i for i, content in enumerate(text.splitlines()) if "y_a[0:8]" in content)
    assert f"one.py:{line}\n" in result.text and "[race]" in result.text


def test_dependences_of_the_script(ninja_project):
    ninja_project.put("factors.py", "factor = 3.0\n")
    manifest = ninja_project.artifact("one") / "manifest.json"
    edges = {}
    plain = script(a=2.0)
    ordered = plain.replace("workload\nfrom", "workload, Deps\nfrom")
    ordered += "\nordered = sample().task_graph(deps=Deps.program_order())\n"
    call = "ptowsp_add_workload(one SOURCE one.py WORKLOAD {})"
    for name, text, called in [
        ("sample", plain, "sample"),
        ("ordered", ordered, "ordered"),
        ("said", ordered, "ordered DEPENDENCIES dataflow"),
    ]:
        ninja_project.put("one.py", text)
        ninja_project.write(call.format(called))
        ninja_project.configure()
        ninja_project.build()
        assert ninja_project.nothing_to_do()
        result = run(ninja_project.package / "bin/ptowsp-run", ninja_project.artifact("one"), "--json")
        edges[name] = json.loads(result.text)["stats"]["edges"]
    assert manifest.exists() and edges == {"sample": 0, "ordered": 1, "said": 0}


def test_workload_and_parameters(ninja_project):
    ninja_project.put("factors.py", "factor = 3.0\n")
    text = script(a=2.0).replace("def sample():", "def first(rows=1, name='', scale=0.0):").replace("P(2)", "P(rows)")
    text = text.replace("    for r", "    assert (name, scale) == ('it\\'s $HOME', 0.5)\n    for r")
    ninja_project.put("one.py", text + "\n@workload\ndef second():\n    a(x[0:8], y_a[0:8])\n")
    call = "ptowsp_add_workload(one SOURCE one.py WORKLOAD {})"
    right = "first PARAMETERS rows=2 \"name=it's $HOME\" scale=0.5"
    ninja_project.write(call.format(right))
    ninja_project.configure()
    ninja_project.build()
    assert '"extent": 2' in (ninja_project.artifact("one") / "one.json").read_text()
    ninja_project.ctest("-L", "a2a3sim")

    ninja_project.write(call.format(right.replace("rows=2", "rows=1")))
    ninja_project.build()
    assert '"extent": 1' in (ninja_project.artifact("one") / "one.json").read_text()
    assert ninja_project.nothing_to_do()

    ninja_project.write(call.format("frist"))
    result = ninja_project.build(succeed=False)
    assert "one.py has no workload 'frist'" in result.text and "did you mean 'first'?" in result.text


def test_the_interpreter(ninja_project, tmp_path):
    ninja_project.put("w.json", workload(a=2.0))
    ninja_project.put("one.py", script(a=2.0))
    ninja_project.put("factors.py", "factor = 3.0\n")
    ninja_project.write("ptowsp_add_workload(w SOURCE w.json)")
    ninja_project.configure("-DPTOWSP_PYTHON=/nowhere/python3")  # JSON needs none

    ninja_project.write("ptowsp_add_workload(one SOURCE one.py)")
    result = ninja_project.configure(succeed=False)
    assert "PTOWSP_PYTHON is '/nowhere/python3', which does not run or is older than Python 3.9" in result.words()

    # One without numpy: said, with the fix, by the workload that imports it.
    bare = tmp_path / "bare"
    run("/usr/bin/python3", "-m", "venv", "--without-pip", bare)
    ninja_project.configure(f"-DPTOWSP_PYTHON={bare}/bin/python3")
    result = ninja_project.build(succeed=False)
    assert "ModuleNotFoundError: No module named 'numpy'" in result.text
    assert f"  fix: install it for {bare}/bin/python3, or use another interpreter, in CMake by -DPTOWSP_PYTHON=..." \
        in result.text  # fmt: skip

    # The search prefers one that has numpy; what the caller's environment says does not matter.
    (tmp_path / "path").mkdir()
    (tmp_path / "path/python3").symlink_to(bare / "bin/python3")
    env = {"PYTHONPATH": str(tmp_path), "PATH": f"{bare}/bin:/usr/bin:/bin"}
    ninja_project.configure("-DPTOWSP_PYTHON=", env=env)
    ninja_project.build(env=env)
    ninja_project.ctest("-L", "a2a3sim", env=env)
    assert ninja_project.nothing_to_do()

    # Not even one in which no Python starts.
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit(3)")
    env |= {"PYTHONHOME": "/nowhere", "PYTHONOPTIMIZE": "2"}
    ninja_project.remove_build()
    ninja_project.configure("-DPTOWSP_PYTHON=", env=env)
    ninja_project.build(env=env)
    ninja_project.ctest("-L", "a2a3sim", env=env)


def test_a_renamed_workload_file_is_followed(project):
    project.put("factors.py", "factor = 3.0\n")
    renamed(project, script(a=2.0), "py")
