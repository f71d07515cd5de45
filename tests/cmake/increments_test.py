# SPDX-License-Identifier: MIT
"""Builds redo exactly what changed, and one `cmake --build` is always enough."""

import filecmp
import json
import os
import time

import pytest
from project import Project, renamed, workload

BOTH = "ptowsp_add_workload(one SOURCE one.json)\nptowsp_add_workload(two SOURCE two.json)"


@pytest.fixture
def built(project):
    """Two workloads of two kernels each, built."""
    project.put("one.json", workload(a=2.0, b=3.0))
    project.put("two.json", workload(c=4.0, d=5.0))
    project.write(BOTH)
    project.configure("-DCMAKE_BUILD_TYPE=Release")
    project.build()
    return project


def edit(project, name, content):
    # make compares times, and a file system may keep them in coarse steps.
    if not project.ninja:
        time.sleep(0.02)
    project.put(name, content)


def test_first_build_is_complete_and_the_next_does_nothing(built):
    assert built.nothing_to_do()
    assert built.ctest("-L", "a2a3sim").failed_tests == []
    assert built.nothing_to_do()


def test_a_changed_kernel_is_one_compile_and_one_link(built):
    edit(built, "one.json", workload(a=2.0, b=7.0))
    result = built.build()
    assert (result.compiled, result.linked) == (["b"], ["b"])
    assert built.nothing_to_do()
    built.ctest("-L", "a2a3sim")


def mixed(op):
    """y = op(x x): a cube stage and a vector stage; without op a kernel for a cube core."""
    body = [{"op": "matmul", "args": ["x", "x"], "result": "s"}]
    if op:
        body += [{"op": op, "args": ["s"], "result": "e"}]
    body += [{"op": "store", "args": ["y", "e" if op else "s"]}]
    tensors = [{"name": name, "dtype": "f32", "shape": [8, 8], "role": role}
               for name, role in (("x_all", "input"), ("y_all", "output"))]
    params = [{"name": name, "tile": [8, 8], "dtype": "f32", "access": access}
              for name, access in (("x", "in"), ("y", "out"))]
    return json.dumps({"ptowsp": 1, "name": "one", "tensors": tensors,
                       "kernels": [{"name": "square", "params": params, "body": body}],
                       "program": [{"task": "square", "args": {"x": "x_all", "y": "y_all"}}]})


def test_a_changed_stage_of_a_split_kernel_is_one_compile_and_one_link(built):
    edit(built, "one.json", mixed("neg"))
    built.build()
    kernels = built.artifact("one") / "kernels"
    stages = [kernels / "aic_sim/kernel_square_s0.cpp", kernels / "aiv_sim/kernel_square_s1.cpp"]
    assert all(stage.exists() for stage in stages)
    assert built.nothing_to_do()
    edit(built, "one.json", mixed("exp"))
    result = built.build()
    assert (result.compiled, result.linked) == (["square"], ["square"])
    assert built.nothing_to_do()
    assert built.ctest("-L", "a2a3sim").failed_tests == []

    # One core again: the stages go.
    edit(built, "one.json", mixed(None))
    built.build()
    assert not any(stage.exists() for stage in stages)
    assert (kernels / "aic_sim/kernel_square.cpp").exists()
    assert built.nothing_to_do()
    assert built.ctest("-L", "a2a3sim").failed_tests == []


def test_one_build_converges_when_kernels_come_and_go(built):
    edit(built, "one.json", workload(a=2.0, b=3.0, added=9.0))
    assert "added" in built.build().linked
    assert (built.binaries("one") / "kernel_added.so").exists()
    assert built.nothing_to_do()
    built.ctest("-R", "^one")

    edit(built, "one.json", workload(a=2.0, renamed=3.0, added=9.0))
    result = built.build()
    assert [k for k in result.compiled if k != "pto_wsp_orch"] == ["renamed"]
    assert not (built.binaries("one") / "kernel_b.so").exists()
    assert not (built.artifact("one") / "kernels/aiv_sim/kernel_b.cpp").exists()
    assert built.nothing_to_do()
    built.ctest("-R", "^one")

    edit(built, "one.json", workload(renamed=3.0))
    result = built.build()
    assert [k for k in result.compiled if k != "pto_wsp_orch"] == []
    assert sorted(f.name for f in built.binaries("one").glob("kernel_*.so")) == ["kernel_renamed.so"]
    assert built.nothing_to_do()
    built.ctest("-L", "a2a3sim")


def test_a_broken_workload_fails_alone_and_keeps_its_list(built):
    kernel_list = built.artifact("one") / "kernel_list"
    before = kernel_list.read_text()
    edit(built, "one.json", '{"ptowsp": 1, "kernels": [')
    edit(built, "two.json", workload(c=4.0, d=6.0))
    result = built.build(succeed=False, keep_going=True)
    assert "one.json:" in result.text and "error" in result.text
    assert "d" in result.linked
    assert kernel_list.read_text() == before == "aiv:a\naiv:b\n"
    assert built.ctest("-L", "a2a3sim", succeed=False).failed_tests == ["one.a2a3sim"]

    edit(built, "one.json", workload(a=2.0, b=3.0))
    result = built.build()
    assert result.compiled == [], "the old sources are right again"
    built.ctest("-L", "a2a3sim")
    assert built.nothing_to_do()


def test_broken_from_the_start_then_mended(project):
    project.put("one.json", "[" * 5000)
    project.put("two.json", workload(c=4.0))
    project.write(BOTH)
    project.configure()
    result = project.build(succeed=False, keep_going=True)
    assert "c" in result.linked
    assert project.ctest("-L", "a2a3sim", succeed=False).failed_tests == ["one.a2a3sim"]
    edit(project, "one.json", workload(a=2.0))
    assert "a" in project.build().linked
    assert project.nothing_to_do()
    project.ctest("-L", "a2a3sim")


@pytest.mark.parametrize("path", ["kernels/aiv_sim/kernel_a.cpp", "kernels/sim_support/ptowsp_vector.h",
    "kernels/orchestration/pto_wsp_orch.cpp", "kernels/orchestration/ptowsp/task_graph.h",
    "kernels/kernel_config.py", "manifest.json"])  # fmt: skip
def test_a_deleted_file_comes_back(ninja_project, path):
    deleted_file_comes_back(ninja_project, [path])


def test_deleted_files_come_back_with_each_generator(project):
    deleted_file_comes_back(project, ["kernels/aiv_sim/kernel_a.cpp", "kernels/sim_support/ptowsp_vector.h",
        "kernels/orchestration/ptowsp/orchestration.h", "kernels/kernel_config.py", "manifest.json"])  # fmt: skip


def deleted_file_comes_back(project, paths):
    project.put("one.json", workload(a=2.0, b=3.0))
    project.write("ptowsp_add_workload(one SOURCE one.json)")
    project.configure()
    project.build()
    files = [project.artifact("one") / path for path in paths]
    content = [file.read_bytes() for file in files]
    for file in files:
        file.unlink()
    result = project.build()
    assert [file.read_bytes() for file in files] == content
    if paths == ["kernels/aiv_sim/kernel_a.cpp"]:
        assert (result.compiled, result.linked) == (["a"], ["a"])
    project.ctest("-L", "a2a3sim")
    assert project.nothing_to_do()


def test_a_rebuilt_generator_that_emits_the_same_compiles_nothing(built):
    os.utime(built.package / "bin/ptowsp-gen")
    result = built.build()
    assert "Emitting one" in result.text
    assert (result.compiled, result.linked) == ([], [])
    assert built.nothing_to_do()
    built.ctest("-L", "a2a3sim")


def test_a_touched_workload_compiles_nothing(built):
    edit(built, "one.json", workload(a=2.0, b=3.0))
    result = built.build()
    assert (result.compiled, result.linked) == ([], [])
    assert built.nothing_to_do()


def test_a_renamed_workload_file_is_followed(project):
    """One build configures again, though the file that it knew is gone."""
    renamed(project, workload(a=2.0), "json")


def test_two_folders_emit_the_same_bytes(tmp_path, package):
    trees = []
    for name in ["here", "thére er"]:
        project = Project(tmp_path / name, package)
        project.put("one.json", workload(a=2.0, b=3.0))
        project.write("ptowsp_add_workload(one SOURCE one.json SEED 5)")
        project.configure()
        project.build()
        trees.append(project.artifact("one"))
    files = sorted(str(p.relative_to(trees[0])) for d in ["kernels", "inputs", "expected"]
                   for p in (trees[0] / d).rglob("*") if p.is_file())  # fmt: skip
    assert len(files) >= 8
    same, different, missing = filecmp.cmpfiles(*trees, [*files, "manifest.json", "kernel_list"], shallow=False)
    assert (different, missing) == ([], [])
    for tree in trees:
        for name in same:
            assert str(tmp_path).encode() not in (tree / name).read_bytes(), name


def test_data_files_are_followed(built):
    """INPUTS are in the rules, `init` files in the depfile; a bad one takes the artifact away."""
    numpy = pytest.importorskip("numpy")
    numpy.save(built.folder / "x.npy", numpy.ones((16, 16), numpy.float32))
    built.write("ptowsp_add_workload(one SOURCE one.json INPUTS x=x.npy)\n"
                "ptowsp_add_workload(two SOURCE two.json)")  # fmt: skip
    described = workload(c=4.0, d=5.0)
    described["tensors"][0]["init"] = {"npy": "x.npy"}
    edit(built, "two.json", described)
    built.build()
    assert built.nothing_to_do()
    time.sleep(0.02)
    numpy.save(built.folder / "x.npy", numpy.full((16, 16), 3, numpy.float32))
    result = built.build()
    assert "Evaluating one" in result.text and "Evaluating two" in result.text
    assert "Emitting" not in result.text and result.compiled == []
    for name in ["one", "two"]:
        assert (numpy.load(built.artifact(name) / "inputs/x.npy") == 3).all()
    time.sleep(0.02)
    numpy.save(built.folder / "x.npy", numpy.ones((4, 4), numpy.float32))
    result = built.build(succeed=False, keep_going=True)
    assert "x.npy" in result.text
    assert built.ctest("-L", "a2a3sim", succeed=False).failed_tests == ["one.a2a3sim", "two.a2a3sim"]


@pytest.mark.nightly
@pytest.mark.parametrize("generator", ["Ninja", "Unix Makefiles"])
def test_two_hundred_workloads(tmp_path, package, generator):
    project = Project(tmp_path / "many", package, generator)
    calls = []
    for i in range(200):
        project.put(f"w{i}.json", workload(a=1.0 + i, b=2.0 + i))
        calls.append(f"ptowsp_add_workload(w{i} SOURCE w{i}.json)")
    project.write("\n".join(calls))
    project.configure("-DCMAKE_BUILD_TYPE=Release")
    project.build()
    assert project.nothing_to_do()
    project.put("w7.json", workload(a=1.0, other=2.0))
    assert "other" in project.build().linked
    assert project.ctest("-L", "a2a3sim", "-j2").failed_tests == []
