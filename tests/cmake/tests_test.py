# SPDX-License-Identifier: MIT
"""The tests that ptowsp_add_workload() makes: what ctest sees, and that no old build passes for a new one."""

import json
import re

import numpy
import pytest
from project import workload


def two_workloads(project, options=""):
    project.put("one.json", workload(a=2.0, b=3.0))
    project.put("two.json", workload(c=4.0))
    project.write(f"ptowsp_add_workload(one SOURCE one.json {options})\nptowsp_add_workload(two SOURCE two.json)")


def test_ctest_alone_builds_an_empty_tree(project):
    two_workloads(project)
    project.configure()
    result = project.ctest("-L", "a2a3sim")
    assert result.failed_tests == [] and "100% tests passed" in result.text
    assert project.nothing_to_do()


def test_the_fixture_builds_workloads_and_nothing_else(ninja_project):
    two_workloads(ninja_project)
    (ninja_project.folder / "CMakeLists.txt").open("a").write(
        'file(WRITE "${CMAKE_BINARY_DIR}/bad.cpp" "this is not C++")\n'
        'add_library(bad "${CMAKE_BINARY_DIR}/bad.cpp")\n'
    )
    ninja_project.configure()
    assert ninja_project.ctest("-L", "a2a3sim", "-j2").failed_tests == []


def test_a_failed_build_does_not_pass_on_the_old_one(project):
    two_workloads(project)
    project.configure()
    project.ctest("-L", "a2a3sim")

    # The compiler fails for all: configured again, with flags that no compiler takes.
    project.configure("-DCMAKE_CXX_FLAGS=-fthere-is-no-such-flag")
    assert project.ctest("-L", "a2a3sim", succeed=False).failed_tests == ["one.a2a3sim", "two.a2a3sim"]
    project.configure("-DCMAKE_CXX_FLAGS=")
    project.ctest("-L", "a2a3sim")

    # The configuration itself fails.
    project.put("CMakeLists.txt", (project.folder / "CMakeLists.txt").read_text() + "\nmessage(FATAL_ERROR no)\n")
    assert project.ctest("-L", "a2a3sim", succeed=False).failed_tests == ["one.a2a3sim", "two.a2a3sim"]


def test_without_a_build_an_edited_workload_fails(ninja_project):
    two_workloads(ninja_project)
    ninja_project.configure()
    ninja_project.ctest("-L", "a2a3sim")
    ninja_project.put("two.json", workload(c=5.0))
    result = ninja_project.ctest("-L", "a2a3sim", "-FS", "ptowsp.build", succeed=False)
    assert result.failed_tests == ["two.a2a3sim"]
    assert "two.json" in result.text


def test_properties(ninja_project):
    ninja_project.put("w.json", workload(a=2.0))
    ninja_project.write(
        "ptowsp_add_workload(plain SOURCE w.json)\n"
        "ptowsp_add_workload(labelled SOURCE w.json LABELS quick nightly TIMEOUT 7 BLOCK_DIM 1)\n"
        "ptowsp_add_workload(untested SOURCE w.json NO_TEST)\n"
        "ptowsp_add_workload(bare SOURCE w.json NO_DATA)"
    )
    ninja_project.configure()
    tests = ninja_project.tests()
    assert sorted(tests) == ["labelled.a2a3sim", "plain.a2a3sim", "ptowsp.build"]
    assert tests["plain.a2a3sim"]["LABELS"] == ["a2a3sim"]
    assert tests["plain.a2a3sim"]["SKIP_RETURN_CODE"] == 77
    assert tests["plain.a2a3sim"]["FIXTURES_REQUIRED"] == ["ptowsp.build"]
    assert 1 <= tests["plain.a2a3sim"]["PROCESSORS"] <= 4
    assert tests["labelled.a2a3sim"]["LABELS"] == ["a2a3sim", "nightly", "quick"]
    assert tests["labelled.a2a3sim"]["TIMEOUT"] == 37
    assert tests["ptowsp.build"]["FIXTURES_SETUP"] == ["ptowsp.build"]
    assert ninja_project.ctest("-L", "quick").failed_tests == []
    assert not ninja_project.artifact("untested").joinpath("ready").exists(), "only tested ones are built"
    ninja_project.build("--target", "bare")
    assert ninja_project.artifact("bare").joinpath("ready").exists()
    assert not list(ninja_project.artifact("bare").glob("*/*.npy")), "NO_DATA evaluates nothing"


def test_one_fixture_for_folders_of_a_project(ninja_project):
    ninja_project.put("a/w.json", workload(a=2.0))
    ninja_project.put("b/w.json", workload(a=3.0))
    ninja_project.put("a/CMakeLists.txt", "ptowsp_add_workload(one SOURCE w.json)\n")
    ninja_project.put("b/CMakeLists.txt", "ptowsp_add_workload(two SOURCE w.json)\n")
    ninja_project.write("add_subdirectory(a)\nadd_subdirectory(b)")
    ninja_project.configure()
    assert sorted(ninja_project.tests()) == ["one.a2a3sim", "ptowsp.build", "two.a2a3sim"]
    ninja_project.ctest("-L", "a2a3sim", "-j2")
    assert ninja_project.nothing_to_do()


def test_exclude_from_all_and_the_target(project):
    project.put("w.json", workload(a=2.0))
    project.put("app.cpp", "int main() {}\n")
    project.write(
        "ptowsp_add_workload(left_out SOURCE w.json EXCLUDE_FROM_ALL)\n"
        "ptowsp_add_workload(used SOURCE w.json EXCLUDE_FROM_ALL)\n"
        "add_executable(app app.cpp)\ntarget_link_libraries(app PRIVATE used)"
    )
    project.configure()
    project.build()
    assert not project.binaries("left_out").joinpath("ready").exists()
    assert project.binaries("used").joinpath("ready").exists(), "who links a workload has it built"
    project.build("--target", "left_out")
    assert project.binaries("left_out").joinpath("ready").exists()


def test_a_folder_that_is_excluded(project):
    project.put("lib/w.json", workload(a=2.0))
    project.put("lib/CMakeLists.txt", "ptowsp_add_workload(left_out SOURCE w.json)\n")
    project.put("w.json", workload(a=2.0))
    project.write("add_subdirectory(lib EXCLUDE_FROM_ALL)\nptowsp_add_workload(w SOURCE w.json)")
    project.configure()
    result = project.build()
    assert result.compiled == ["a", "pto_wsp_orch"] and "Emitting left_out" not in result.text
    assert project.nothing_to_do()
    project.ctest("-L", "a2a3sim")  # what is tested is built for it
    assert "left_out.a2a3sim" in project.tests()


def test_expected_and_tolerances(ninja_project):
    ninja_project.put("w.json", workload(a=2.0))
    ones = numpy.ones((16, 16), numpy.float32)
    for name, values in {"x": ones, "right": 2 * ones, "near": 2.01 * ones}.items():
        numpy.save(ninja_project.folder / f"{name}.npy", values.astype(numpy.float32))
    ninja_project.write(
        "ptowsp_add_workload(right SOURCE w.json INPUTS x=x.npy EXPECTED y_a=right.npy)\n"
        "ptowsp_add_workload(near_rel SOURCE w.json INPUTS x=x.npy EXPECTED y_a=near.npy RTOL 0.02)\n"
        "ptowsp_add_workload(near_abs SOURCE w.json INPUTS x=x.npy EXPECTED y_a=near.npy ATOL 2e-2)\n"
        "ptowsp_add_workload(wrong SOURCE w.json INPUTS x=x.npy EXPECTED y_a=near.npy)"
    )
    ninja_project.configure()
    result = ninja_project.ctest("-L", "a2a3sim", succeed=False)
    assert result.failed_tests == ["wrong.a2a3sim"]
    assert "y_a" in result.text


def test_seed_and_output_directory(ninja_project):
    ninja_project.put("w.json", workload(a=2.0))
    ninja_project.write(
        "ptowsp_add_workload(first SOURCE w.json)\n"
        "ptowsp_add_workload(same SOURCE w.json SEED 0)\n"
        'ptowsp_add_workload(other SOURCE w.json SEED 1 OUTPUT_DIRECTORY "an öther place")\n'
        "ptowsp_add_workload(ten SOURCE w.json SEED 10)\n"
        "ptowsp_add_workload(decimal SOURCE w.json SEED 010)"
    )
    ninja_project.configure()
    ninja_project.ctest("-L", "a2a3sim")
    first, same = (numpy.load(ninja_project.artifact(n) / "inputs/x.npy") for n in ["first", "same"])
    other = numpy.load(ninja_project.build_folder / "an öther place/inputs/x.npy")
    assert (first == same).all() and not (first == other).any()
    ten, decimal = (numpy.load(ninja_project.artifact(n) / "inputs/x.npy") for n in ["ten", "decimal"])
    assert (ten == decimal).all() and not (ten == other).any()


def test_dependencies_races_and_platform_size(ninja_project):
    racy = workload(a=2.0)
    racy["program"][0]["body"][0]["args"]["v"] = "y_a[8:16, :]"
    racy["tensors"][1]["role"] = "inout"
    ninja_project.put("racy.json", racy)
    ninja_project.put("w.json", workload(a=2.0, b=3.0))
    ninja_project.write(
        "ptowsp_add_workload(refused SOURCE racy.json)\n"
        "ptowsp_add_workload(allowed SOURCE racy.json RACES allow)\n"
        "ptowsp_add_workload(chained SOURCE w.json DEPENDENCIES program_order)\n"
        "ptowsp_add_workload(flowing SOURCE w.json)\n"
        "ptowsp_add_workload(wide SOURCE w.json BLOCK_DIM 4 AICPU_THREADS 2)\n"
        "ptowsp_add_workload(many SOURCE w.json DEPENDENCIES explicit AICPU_THREADS 64)"
    )
    ninja_project.configure()
    result = ninja_project.build(succeed=False, keep_going=True)
    assert re.search(r"racy\.json:\d+:\d+: error: ", result.text)
    assert ninja_project.ctest("-L", "a2a3sim", succeed=False).failed_tests == ["refused.a2a3sim"]
    graphs = {n: json.loads((ninja_project.artifact(n) / "manifest.json").read_text())["graph"]
              for n in ["chained", "flowing", "many"]}  # fmt: skip
    assert [graphs[n]["dependences"] for n in graphs] == ["program_order", "dataflow", "explicit"]
    assert (graphs["chained"]["edges"], graphs["flowing"]["edges"]) == (3, 0)
    ready = json.loads((ninja_project.artifact("wide") / "ready").read_text())
    assert (ready["block_dim"], ready["aicpu_threads"]) == (4, 2)
    ready = json.loads((ninja_project.artifact("many") / "ready").read_text())
    assert (ready["block_dim"], ready["aicpu_threads"]) == (0, 64)


@pytest.mark.parametrize("name", ["inputs", "expected"])
def test_an_unknown_tensor_is_an_error_of_that_workload(ninja_project, name):
    ninja_project.put("w.json", workload(a=2.0))
    numpy.save(ninja_project.folder / "z.npy", numpy.ones((16, 16), numpy.float32))
    ninja_project.write(
        f"ptowsp_add_workload(bad SOURCE w.json {name.upper()} z=z.npy)\n"
        "ptowsp_add_workload(good SOURCE w.json)"
    )
    ninja_project.configure()
    assert "'z'" in ninja_project.build(succeed=False, keep_going=True).text
    assert ninja_project.ctest("-L", "a2a3sim", succeed=False).failed_tests == ["bad.a2a3sim"]


def test_a_second_test_runs_within_the_limits_of_the_pinned_runtime(project):
    """1500 tasks: two launches in the second form."""
    description = workload(a=2.0)
    for tensor in description["tensors"]:
        tensor["shape"] = [8 * 1500, 16]
    description["program"][0]["extent"] = 1500
    project.put("one.json", description)
    project.write("ptowsp_add_workload(one SOURCE one.json)")
    project.configure("-DPTOWSP_TEST_PINNED_LIMITS=ON")
    project.build()
    assert project.ctest("-L", "a2a3sim").failed_tests == []
    assert {"one.a2a3sim", "one.a2a3sim.limits"} <= set(project.tests())
    assert project.nothing_to_do()
    graph = json.loads((project.artifact("one") / "manifest.json").read_text())["graph"]
    assert (graph["tasks"], graph["segments"]) == (1500, 2)

    project.configure("-DPTOWSP_TEST_PINNED_LIMITS=OFF")
    project.build()
    assert "one.a2a3sim.limits" not in project.tests()
