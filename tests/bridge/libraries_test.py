# SPDX-License-Identifier: MIT
"""A build tree's libraries of pto-runtime: built once, by its own builder, and there as long as it is wanted."""
import json
import re
import shutil

from conftest import GIVEN, ROOT, all_pass, needs_pto_runtime, run

pytestmark = needs_pto_runtime


def checkout(folder):
    shutil.copytree(GIVEN, folder, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    return folder


def passed(build):
    """Names of the tests, all of which have to pass."""
    return sorted(set(re.findall(r"(\S+) \.+ +Passed", all_pass(build))) - {"ptowsp.build"})


def test_they_are_built_once_and_follow_their_sources(project, tmp_path):
    root = checkout(tmp_path / "checkout")
    done = project(f"-DPTO_RUNTIME_PATH={root}")
    assert done.returncode == 0, done.stderr
    build = tmp_path / "build"
    assert passed(build) == ["scale.a2a3sim", "scale.a2a3sim.builtin"]
    assert "no work to do" in run("ninja", "-C", build, "ptowsp.workloads").stdout
    assert list(root.rglob("__pycache__")) == [], "nothing is written into the checkout"
    (root / "src/runtime/host_build_graph/aicpu/aicpu_executor.cpp").touch()
    again = run("ninja", "-C", build, "ptowsp.workloads")
    assert "Building the libraries of pto-runtime G1" in again.stdout
    (build / "ptowsp.pto_runtime/host.so").unlink()
    assert "Building the libraries" in run("ninja", "-C", build, "ptowsp.workloads").stdout
    assert (build / "ptowsp.pto_runtime/host.so").exists()


def test_one_build_tree_with_and_without_it(project, tmp_path):
    """Given, as a path with blanks, then wrong, then off, then back, beside another copy of it."""
    build, both, alone = tmp_path / "build", ["scale.a2a3sim", "scale.a2a3sim.builtin"], ["scale.a2a3sim"]
    (tmp_path / "source/CMakeLists.txt").open("a").write(
        f'ptowsp_add_workload(softmax SOURCE "{ROOT}/examples/softmax/softmax.py")\n')
    both += ["softmax.a2a3sim", "softmax.a2a3sim.builtin"]
    alone += ["softmax.a2a3sim"]
    first, second = checkout(tmp_path / "a pto runtime"), checkout(tmp_path / "another")
    assert project(f"-DPTO_RUNTIME_PATH={first}").returncode == 0
    assert passed(build) == both
    for wrong, message in ((tmp_path / "none", "and there is no such folder"),
                           (tmp_path / "source", "has no folders python and src, so it is no checkout of pto-runtime")):
        done = project(f"-DPTO_RUNTIME_PATH={wrong}")
        assert done.returncode != 0 and message in " ".join(done.stderr.split()), done.stderr
    assert project("-DPTO_RUNTIME_PATH=OFF").returncode == 0
    assert passed(build) == alone
    manifest = json.loads((build / "softmax.ptowsp/ready").read_text())
    assert list(manifest["orchestrations"]) == ["builtin"]
    assert project(f"-DPTO_RUNTIME_PATH={second}").returncode == 0
    assert passed(build) == both
    runtime = json.loads((build / "ptowsp.pto_runtime/runtime.json").read_text())
    assert runtime["root"] == str(second), "nothing of the first one is left"
    assert "no work to do" in run("ninja", "-C", build, "ptowsp.workloads").stdout
