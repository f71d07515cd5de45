# SPDX-License-Identifier: MIT
"""Workloads as packages: one project installs them, others find and call them where there is no PtoWsp."""

import json
import os
import re
import shutil

import numpy
import pytest
from project import Project, run, workload

I = "ptowsp_install_workload(twice)"
TWO = """project(consumer VERSION 1.4 LANGUAGES CXX)
ptowsp_add_workload(twice SOURCE twice.json)
ptowsp_add_workload(softmax SOURCE softmax.py)
ptowsp_install_workload(twice TEST_DATA)
ptowsp_install_workload(softmax NAMESPACE tiles:: DESTINATION share/wörkloads VERSION 2.0.1)
"""

# Reads x from a file, writes what both workloads make of it.
APP = """
#include <cstdio>
#include <fstream>
#include <softmax.h>
#include <twice.h>
#include <vector>
std::vector<float> read(const char* path, size_t count) {
  std::vector<float> values(count);
  std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(values.data()), count * sizeof(float));
  return values;
}
void write(const char* path, const std::vector<float>& values) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}
int main(int, char** argv) try {
  ptowsp::Device device;
  twice::Workload twice(device);
  softmax::Workload softmax(device);
  std::vector<float> x = read(argv[1], 256), y(256), s = read(argv[2], 64 * 256), p(64 * 256);
  twice(x, y);
  softmax(s, p);
  write(argv[3], y);
  write(argv[4], p);
  return 0;
} catch (const ptowsp::Error& error) {
  std::printf("%s", error.what());
  return 3;
}
"""
FINDS = """find_package(twice 1.2 CONFIG REQUIRED)
find_package(softmax CONFIG REQUIRED)
add_executable(app app.cpp)
target_link_libraries(app PRIVATE twice tiles::softmax)
if(COMMAND ptowsp_add_workload OR TARGET PtoWsp::ptowsp-gen)
  message(FATAL_ERROR "PtoWsp is here, too")
endif()
"""


def made(tmp_path, package, source_dir, generator):
    """The prefix that project A installs, moved to a path with a blank and é."""
    project = Project(tmp_path / "A", package, generator)
    project.put("twice.json", workload(a=2.0))
    shutil.copy(source_dir / "examples/softmax/softmax.py", project.folder)
    project.write(TWO)
    project.configure("-DCMAKE_BUILD_TYPE=Release")
    project.build()
    config = ["--config", "Release"] if project.multi_config else []
    run("cmake", "--install", project.build_folder, *config, "--prefix", tmp_path / "first")
    moved = tmp_path / "moved é place"
    (tmp_path / "first").rename(moved)
    return project, moved


@pytest.fixture(params=["Ninja", "Ninja Multi-Config", "Unix Makefiles"], ids=["ninja", "ninja-multi", "make"])
def installed(request, tmp_path, package, source_dir):
    project, prefix = made(tmp_path, package, source_dir, request.param)
    project.remove_build()
    return prefix, request.param


@pytest.fixture(scope="module")
def prefix(tmp_path_factory, package, source_dir):
    return made(tmp_path_factory.mktemp("install"), package, source_dir, "Ninja")[1]


def user(tmp_path, prefix, generator="Ninja", calls=FINDS, before=""):
    project = Project(tmp_path / "B é", prefix, generator, find="")
    project.put("app.cpp", APP)
    project.write(calls, before=before)
    return project


def program(project):
    return project.build_folder / ("Release/app" if project.multi_config else "app")


def check_numbers(project, tmp_path, **environment):
    """Runs the program on random arrays; what it must give is numpy's."""
    random = numpy.random.default_rng(8)
    x = random.uniform(-3, 3, 256).astype(numpy.float32)
    s = random.uniform(-3, 3, (64, 256)).astype(numpy.float32)
    paths = [tmp_path / name for name in ("x", "s", "y", "p")]
    x.tofile(paths[0])
    s.tofile(paths[1])
    run(program(project), *paths, cwd="/", env=environment)
    assert (numpy.fromfile(paths[2], numpy.float32) == 2 * x).all()
    e = numpy.exp(s.astype(numpy.float64))
    got = numpy.fromfile(paths[3], numpy.float32).reshape(64, 256)
    numpy.testing.assert_allclose(got, e / e.sum(axis=1, keepdims=True), rtol=1e-5, atol=1e-8)


def test_another_project_finds_and_calls_them(installed, tmp_path):
    prefix, generator = installed
    project = user(tmp_path, prefix, generator)
    project.configure("-DCMAKE_BUILD_TYPE=Release")
    project.build()
    check_numbers(project, tmp_path)


def test_what_is_installed(prefix, package, tmp_path):
    files = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    files = {re.sub(r"^lib(/[^/]*-linux-gnu)?/", "lib/", file) for file in files}
    headers = {file for file in files if file.startswith("lib/ptowsp/runtime-0.1.0/include/ptowsp/")}
    assert {"workload.h", "device.h", "glue_c.h"} <= {os.path.basename(header) for header in headers}
    twice = {"include/twice.h", "manifest.json", "ready", "orchestration.builtin.so", "kernel_a.so",
             "inputs/x.npy", "expected/y_a.npy"}  # fmt: skip
    softmax = {"include/softmax.h", "manifest.json", "ready", "orchestration.builtin.so", "kernel_softmax_rows.so"}
    assert files - headers == {
        *(f"lib/ptowsp/twice.ptowsp/{file}" for file in twice),
        *(f"share/wörkloads/softmax.ptowsp/{file}" for file in softmax),
        *(f"lib/ptowsp/runtime-0.1.0/libptowsp_{library}.so" for library in ("glue_c", "sim")),
        *(f"lib/cmake/{name}/{name}Config{kind}.cmake" for name in ("twice", "softmax") for kind in ("", "Version")),
    }
    for path in prefix.rglob("*"):
        if path.suffix in (".cmake", ".json", ".h") or path.name == "ready":
            assert str(prefix.parent) not in path.read_text(), path
    # With its test data it is an artifact like any other.
    artifact = next(prefix.glob("lib*/**/twice.ptowsp"))
    assert "twice: right. 2 tasks" in run(package / "bin/ptowsp-run", artifact).text


def test_beside_ptowsp_itself(prefix, package, tmp_path):
    """In whichever order they are found: then programs link its library and not the copy."""
    for number, calls in enumerate((
        "find_package(PtoWsp CONFIG REQUIRED)\nfind_package(twice CONFIG REQUIRED)\nfind_package(softmax REQUIRED)",
        "find_package(twice CONFIG REQUIRED)\nfind_package(softmax REQUIRED)\nfind_package(PtoWsp CONFIG REQUIRED)",
    )):  # fmt: skip
        programs = "add_executable(app app.cpp)\ntarget_link_libraries(app PRIVATE twice tiles::softmax)"
        project = user(tmp_path / str(number), prefix, calls=f"{calls}\n{programs}")
        project.configure(f"-DCMAKE_PREFIX_PATH={prefix};{package}")
        if number == 0:
            project.build()
            check_numbers(project, tmp_path)
        ninja = (project.build_folder / "build.ninja").read_text().replace("$ ", " ")
        assert f"{package}/lib" in ninja and "runtime-0.1.0/libptowsp" not in ninja


def built_against_copy(tmp_path, prefix):
    """The copy, which the test may change, and the project."""
    copy = tmp_path / "copy"
    shutil.copytree(prefix, copy)
    project = user(tmp_path, copy)
    project.configure()
    project.build()
    return copy, project


def test_a_program_finds_them_where_it_is_installed(prefix, tmp_path):
    """It was built against one prefix, which is gone; PTOWSP_ARTIFACT_PATH names the others."""
    copy, project = built_against_copy(tmp_path, prefix)
    copy.rename(tmp_path / "elsewhere")
    places = [str(path.parent) for path in (tmp_path / "elsewhere").rglob("*.ptowsp")]
    library = next((tmp_path / "elsewhere").rglob("libptowsp_glue_c.so")).parent
    check_numbers(project, tmp_path, PTOWSP_ARTIFACT_PATH=":".join(places), LD_LIBRARY_PATH=str(library))


# ---- what does not fit together -----------------------------------------------------------------


def refused(tmp_path, prefix, calls, *options):
    project = user(tmp_path, prefix, calls=calls)
    text = project.configure(*options, succeed=False).words()
    project.remove_build()
    return text


def test_versions_refuse_each_other(prefix, package, tmp_path):
    other = 'set_property(GLOBAL PROPERTY PTOWSP_VERSION 0.2.0)\nfind_package(twice CONFIG REQUIRED)'
    assert (
        "workload twice was made by PtoWsp 0.1.0, and this project uses PtoWsp 0.2.0; install twice as built with "
        "PtoWsp 0.2.0, or use PtoWsp 0.1.0"
    ) in refused(tmp_path, prefix, other)
    other = 'set_property(GLOBAL PROPERTY PTOWSP_WORKLOADS "matmul 0.2.0")\nfind_package(twice CONFIG REQUIRED)'
    assert (
        "workload twice was made by PtoWsp 0.1.0, and workload matmul by PtoWsp 0.2.0; one program needs both as built "
        "with the same version"
    ) in refused(tmp_path, prefix, other)
    other = 'set_property(GLOBAL PROPERTY PTOWSP_WORKLOADS "matmul 0.2.0")\nfind_package(PtoWsp CONFIG REQUIRED)'
    assert (
        "this is PtoWsp 0.1.0, and workload matmul, which this project has found already, by PtoWsp 0.2.0; install it "
        "as built with PtoWsp 0.1.0, or use its version"
    ) in refused(tmp_path, package, other)
    # The workload's own version is its project's, or what VERSION says.
    assert "version: 1.4" in refused(tmp_path, prefix, "find_package(twice 2.0 CONFIG REQUIRED)")
    assert "version: 2.0.1" in refused(tmp_path, prefix, "find_package(softmax 1.0 CONFIG REQUIRED)")
    processor = {"x86_64": "aarch64"}.get(os.uname().machine, "x86_64")
    cross = ["-DCMAKE_SYSTEM_NAME=Linux", f"-DCMAKE_SYSTEM_PROCESSOR={processor}"]
    text = refused(tmp_path, prefix, "find_package(twice CONFIG REQUIRED)", *cross)
    assert f"version: 1.4 (for {os.uname().machine})" in text


def test_a_program_refuses_an_artifact_of_another_version(prefix, tmp_path):
    """Which somebody installed over the right one."""
    copy, project = built_against_copy(tmp_path, prefix)
    ready = next(copy.rglob("twice.ptowsp")) / "ready"
    described = json.loads(ready.read_text())
    ready.write_text(json.dumps({**described, "version": "0.2.0"}))
    nothing = tmp_path / "nothing"
    nothing.touch()
    result = run(program(project), nothing, nothing, nothing, nothing, succeed=False)
    assert result.code == 3
    assert "found version 0.2.0, expected 0.1.0, the version of this program" in result.text


@pytest.mark.parametrize("call, expected", [
    ("ptowsp_install_workload(other)", "ptowsp_install_workload(other): there is no workload of that name; call "
     "ptowsp_add_workload(other ...) before"),
    ("add_library(lib INTERFACE)\nptowsp_install_workload(lib)", "ptowsp_install_workload(lib): there is no workload of "
     "that name; call ptowsp_add_workload(lib ...) before"),
    ("ptowsp_install_workload(twice EXPORT x)", f"{I}: unknown argument 'EXPORT'; the keywords are NAMESPACE, "
     "DESTINATION, VERSION, COMPONENT and TEST_DATA"),
    ("ptowsp_install_workload(twice VERSION)", f"{I}: VERSION needs a value"),
    ("ptowsp_install_workload(twice VERSION one)", f"{I}: VERSION is 'one', expected numbers with dots"),
    ("ptowsp_install_workload(twice NAMESPACE mine)", f"{I}: NAMESPACE is 'mine', expected an identifier and two colons, "
     "like mine::"),
    ("ptowsp_install_workload(twice DESTINATION /opt)", f"{I}: DESTINATION is '/opt', expected a folder below the prefix, "
     "which can be moved"),
    ("ptowsp_install_workload(twice DESTINATION a/../../b)", f"{I}: DESTINATION is 'a/../../b', expected a folder below "
     "the prefix, which can be moved"),
])  # fmt: skip
def test_misuse(ninja_project, call, expected):
    ninja_project.put("twice.json", workload(a=2.0))
    ninja_project.write(f"ptowsp_add_workload(twice SOURCE twice.json)\n{call}")
    assert expected in ninja_project.configure(succeed=False).words()


def test_what_was_not_built_is_not_installed(ninja_project, tmp_path):
    ninja_project.put("twice.json", workload(a=2.0))
    ninja_project.write("ptowsp_add_workload(twice SOURCE twice.json)\nptowsp_install_workload(twice COMPONENT tiles)")
    ninja_project.configure()
    install = ["cmake", "--install", ninja_project.build_folder, "--prefix", tmp_path / "prefix"]
    ready = ninja_project.artifact("twice") / "ready"
    assert (
        f"{I}: the workload has not been built, there is no {ready}; build the target twice, then install"
    ) in run(*install, succeed=False).words()
    ninja_project.build()
    shutil.rmtree(tmp_path / "prefix", ignore_errors=True)
    run(*install, "--component", "another")
    assert not (tmp_path / "prefix").exists()
    run(*install, "--component", "tiles", env={"DESTDIR": str(tmp_path / "stage")})
    staged = tmp_path / "stage" / str(tmp_path / "prefix").lstrip("/")
    assert {"ready", "manifest.json", "kernel_a.so"} <= {
        str(path.relative_to(folder)) for folder in staged.rglob("twice.ptowsp") for path in folder.rglob("*")
    }
    assert not (tmp_path / "prefix").exists()
