# SPDX-License-Identifier: MIT
"""A workload builds in any project: whatever flags, properties, launchers and levels it sets."""

import json
import os

import pytest
from project import Project, run, workload

LEVELS = {"x86_64": ["x86-64-v2", "x86-64-v3", "x86-64-v4"], "aarch64": ["aarch64"]}[
    run("uname", "-m").text.strip()
]


def sample(project, before="", **options):
    project.put("w.json", workload(a=2.0, b=3.0))
    project.write("ptowsp_add_workload(w SOURCE w.json)", before=before)
    return project.configure(**options)


def test_hostile_settings(project):
    sample(project, before="""
set(CMAKE_CXX_FLAGS "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wmissing-declarations -Werror -march=x86-64 -fstack-protector-all" )
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(CMAKE_CXX_FLAGS "-Wall -Wextra -Wconversion -Werror -fstack-protector-all")
endif()
add_compile_options(-Wundef -Werror)
set(CMAKE_CXX_STANDARD 11)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_UNITY_BUILD ON)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
set(CMAKE_SHARED_MODULE_PREFIX "weird")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/elsewhere")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY_RELEASE "${CMAKE_BINARY_DIR}/elsewhere")
set(CMAKE_RELEASE_POSTFIX _r)
set(CMAKE_DEBUG_POSTFIX _d)
set(CMAKE_CXX_CLANG_TIDY false)
set(CMAKE_CXX_CPPLINT false)
set(CMAKE_CXX_INCLUDE_WHAT_YOU_USE false)
set(w_kernels nonsense)
set(w_SEED nonsense)
set(w_OUTPUT_DIRECTORY nonsense)
set(BUILD_SHARED_LIBS ON)
""")  # fmt: skip
    project.build()
    project.ctest("-L", "a2a3sim")
    assert project.nothing_to_do()


@pytest.mark.parametrize("build_type", ["", "Debug", "MinSizeRel"])
def test_build_types(ninja_project, build_type):
    ninja_project.put("w.json", workload(a=2.0))
    ninja_project.write("ptowsp_add_workload(w SOURCE w.json)")
    ninja_project.configure(f"-DCMAKE_BUILD_TYPE={build_type}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    ninja_project.ctest("-L", "a2a3sim")
    commands = json.loads((ninja_project.build_folder / "compile_commands.json").read_text())
    kernel = next(c["command"].split() for c in commands if c["file"].endswith("kernel_a.cpp"))
    assert [flag for flag in kernel if flag.startswith("-O")][-1:] == ([] if build_type == "Debug" else ["-O3"])


def test_configurations_side_by_side(tmp_path, package):
    project = Project(tmp_path / "multi", package, "Ninja Multi-Config")
    sample(project)
    for config in ["Debug", "Release"]:
        project.build(config=config)
        project.ctest("-L", "a2a3sim", config=config)
    assert "no work to do" in project.build(config="Debug").text
    # What changes the artifact takes the other configuration's `ready` away as well.
    project.put("w.json", workload(a=2.0, b=9.0))
    project.build(config="Release")
    assert not project.binaries("w", "Debug").joinpath("ready").exists()
    project.ctest("-L", "a2a3sim", config="Debug")


@pytest.mark.parametrize("flags", ["-fsanitize=undefined", "-fsanitize=address", "--coverage"])
def test_instrumented(ninja_project, flags):
    ninja_project.put("w.json", workload(a=2.0))
    ninja_project.write("ptowsp_add_workload(w SOURCE w.json)")
    ninja_project.configure(f"-DCMAKE_CXX_FLAGS={flags}")
    ninja_project.build()
    if flags == "-fsanitize=address":
        runtime = run("c++", "-print-file-name=libasan.so").text.strip()
        env = {"LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"}
        ninja_project.ctest("-L", "a2a3sim", "-FS", "ptowsp.build", env=env)
    else:
        ninja_project.ctest("-L", "a2a3sim")


def test_compile_commands_and_launcher(project, tmp_path):
    log = tmp_path / "launched"
    launcher = project.put("launch", f'#!/bin/sh\necho "$@" >> "{log}"\nexec "$@"\n')
    launcher.chmod(0o755)
    project.put("w.json", workload(a=2.0, b=3.0))
    project.write("ptowsp_add_workload(w SOURCE w.json)")
    project.configure(f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    project.build()
    expected = {"pto_wsp_orch.cpp", "kernel_a.cpp", "kernel_b.cpp"}
    compiled = {os.path.basename(word) for line in log.read_text().splitlines() for word in line.split()
                if word.endswith(".cpp")}  # fmt: skip
    assert compiled >= expected
    commands = json.loads((project.build_folder / "compile_commands.json").read_text())
    assert {os.path.basename(c["file"]) for c in commands} == expected
    assert all(os.path.exists(c["file"]) for c in commands)


def test_all_levels(project):
    project.put("w.json", workload(a=2.0, b=3.0))
    project.write("ptowsp_add_workload(w SOURCE w.json)")
    project.configure("-DPTOWSP_KERNEL_ARCH=multi")
    project.build()
    ready = json.loads((project.binaries("w") / "ready").read_text())
    assert ready["kernel_arch"] == LEVELS
    assert sorted(ready["kernels"]["a"]) == LEVELS
    project.ctest("-L", "a2a3sim")
    project.put("w.json", workload(a=2.0))
    project.build()
    assert not list(project.binaries("w").glob("kernel_b*"))
    assert project.nothing_to_do()


def test_the_level_is_one_of_this_machine_and_recorded(ninja_project):
    sample(ninja_project)
    ninja_project.build()
    ready = json.loads((ninja_project.artifact("w") / "ready").read_text())
    assert len(ready["kernel_arch"]) == 1 and ready["kernel_arch"][0] in LEVELS
    symbols = run("nm", "-D", ninja_project.artifact("w") / "kernel_a.so").text
    assert " U " not in symbols, "a kernel needs no library"
    assert "kernel_a" in symbols and "kernel_entry" in symbols


@pytest.mark.skipif(run("sh", "-c", "command -v clang++", succeed=None).code != 0, reason="no clang++")
def test_clang(ninja_project):
    sample(ninja_project, env={"CXX": "clang++"})
    ninja_project.build()
    ninja_project.ctest("-L", "a2a3sim")
