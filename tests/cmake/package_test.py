# SPDX-License-Identifier: MIT
"""Every way to find PtoWsp: installed and moved, from a build tree, as a subproject."""

import subprocess

import pytest
from project import JOBS, Project, run, workload


def check(project, *options):
    project.put("w.json", workload(a=2.0))
    project.write("ptowsp_add_workload(w SOURCE w.json)")
    project.configure(*options)
    project.build()
    project.ctest("-L", "a2a3sim")
    assert project.nothing_to_do()


def test_installed_and_moved(project):
    check(project)
    cache = (project.build_folder / "CMakeCache.txt").read_text()
    assert str(project.package) in cache


def test_no_installed_file_knows_where_it_was_built(package, source_dir, build_dir):
    for path in package.rglob("*.cmake"):
        text = path.read_text()
        assert str(build_dir) not in text and str(source_dir) not in text, path
        assert str(package.parent) not in text, path


def test_build_tree(tmp_path, build_dir):
    project = Project(tmp_path / "pröject", "", "Ninja")
    check(project, f"-DPtoWsp_DIR={build_dir}")


def test_targets(tmp_path, package):
    project = Project(tmp_path / "p", package)
    project.put("main.cpp", "#include <ptowsp/device.h>\nint main() { ptowsp::Device device; }\n")
    project.write(
        "foreach(name ptowsp-gen ptowsp-run sim glue headers)\n"
        "  if(NOT TARGET PtoWsp::${name})\n    message(FATAL_ERROR ${name})\n  endif()\nendforeach()\n"
        "add_executable(main main.cpp)\ntarget_link_libraries(main PRIVATE PtoWsp::glue)\n"
        "add_test(NAME main COMMAND main)"
    )
    project.configure()
    project.build()
    project.ctest()


@pytest.mark.parametrize("version, accepted", [("0.1", True), ("0.1.0", True), ("0.1.1", False),
    ("0.0", False), ("0.2", False), ("1.0", False)])  # fmt: skip
def test_versions(tmp_path, package, version, accepted):
    project = Project(tmp_path / "p", package, find=f"find_package(PtoWsp {version} CONFIG REQUIRED)")
    project.write("")
    project.configure(succeed=accepted)


def test_found_twice(tmp_path, package):
    project = Project(tmp_path / "p", package)
    project.put("a/CMakeLists.txt", "find_package(PtoWsp CONFIG REQUIRED)\nptowsp_add_workload(w SOURCE ../w.json)\n")
    project.put("b/CMakeLists.txt", "find_package(PtoWsp CONFIG REQUIRED)\nptowsp_add_workload(v SOURCE ../w.json)\n")
    project.find = ""
    project.put("w.json", workload(a=2.0))
    project.write("add_subdirectory(a)\nadd_subdirectory(b)")
    project.configure()
    project.ctest("-L", "a2a3sim")


def test_a_missing_dependency_names_the_debian_package(tmp_path, source_dir):
    for package, debian in {"CLI11": "libcli11-dev", "fmt": "libfmt-dev",
                            "nlohmann_json": "nlohmann-json3-dev"}.items():  # fmt: skip
        result = run("cmake", "-S", source_dir, "-B", tmp_path / "build", "-G", "Ninja",
                     f"-DCMAKE_DISABLE_FIND_PACKAGE_{package}=ON", "-DPTOWSP_BUILD_TESTS=OFF",
                     succeed=False)  # fmt: skip
        expected = f"PtoWsp needs the CMake package {package}. On Debian: apt install {debian}"
        assert expected in result.words()
        run("cmake", "-S", source_dir, "-B", tmp_path / "build", "-U", "CMAKE_DISABLE_FIND_PACKAGE_*",
            succeed=None)  # fmt: skip


def test_a_missing_header_names_the_debian_package(tmp_path, source_dir):
    result = run("cmake", "-S", source_dir, "-B", tmp_path / "build", "-G", "Ninja", "-DPTOWSP_XXHASH_INCLUDE=OFF",
                 "-DPTOWSP_BUILD_TESTS=OFF", succeed=False)  # fmt: skip
    assert "PtoWsp needs the header xxhash.h. On Debian: apt install libxxhash-dev" in result.words()


def subproject(tmp_path, source_dir, how):
    """A project that has PtoWsp inside its own build."""
    # Only what git would commit: a copy must not carry build folders along.
    copy = tmp_path / "pröject" / "ptowsp"
    copy.mkdir(parents=True)
    files = subprocess.run(["git", "-C", source_dir, "ls-files", "-z", "--cached", "--others",
                            "--exclude-standard", "cmake", "generator", "runtime_glue",
                            "CMakeLists.txt"], check=True, capture_output=True).stdout  # fmt: skip
    subprocess.run(["cp", "--parents", "-t", copy, *[f for f in files.decode().split("\0") if f]],
                   cwd=source_dir, check=True)  # fmt: skip
    find = {
        "add_subdirectory": "add_subdirectory(ptowsp)",
        "FetchContent": "include(FetchContent)\nFetchContent_Declare(PtoWsp SOURCE_DIR "
        '"${CMAKE_CURRENT_SOURCE_DIR}/ptowsp")\nFetchContent_MakeAvailable(PtoWsp)',
    }[how]
    project = Project(tmp_path / "pröject", "", find=find)
    project.put("w.json", workload(a=2.0))
    project.write("ptowsp_add_workload(w SOURCE w.json)")
    return project


@pytest.mark.parametrize("how", ["add_subdirectory", "FetchContent"])
def test_a_subproject_brings_no_tests_and_no_install_rules(tmp_path, source_dir, how):
    project = subproject(tmp_path, source_dir, how)
    project.configure("-DCMAKE_BUILD_TYPE=Debug")
    assert sorted(project.tests()) == ["ptowsp.build", "w.a2a3sim"]
    assert "CMAKE_BUILD_TYPE:STRING=Debug" in (project.build_folder / "CMakeCache.txt").read_text()
    prefix = tmp_path / "prefix"
    run("cmake", "--install", project.build_folder, "--prefix", prefix)
    assert not prefix.exists()


@pytest.mark.nightly  # it compiles all of PtoWsp; the suite's own build has a workload besides
def test_a_subproject_builds(tmp_path, source_dir):
    project = subproject(tmp_path, source_dir, "add_subdirectory")
    copy = project.folder / "ptowsp"
    project.configure("-DCMAKE_BUILD_TYPE=Debug")
    project.ctest("-L", "a2a3sim", env={"CMAKE_BUILD_PARALLEL_LEVEL": JOBS})
    # The generator is compiled here: a mistake in it must not stop configuring, nor `clean`.
    main = copy / "generator/main.cpp"
    main.write_text("this is not C++\n" + main.read_text())
    project.put("w.json", workload(a=2.0, b=3.0))
    project.build(succeed=False)
    assert (project.artifact("w") / "kernel_list").read_text() == "aiv:a\naiv:b\n"
    assert project.ctest("-L", "a2a3sim", succeed=False).failed_tests == ["w.a2a3sim"]
    project.build("--target", "clean")
