# SPDX-License-Identifier: MIT
"""Cross compiling: which generator is used, and a product and workloads for aarch64 that run in qemu.

What needs no other processor pretends: a toolchain file's CMAKE_SYSTEM_NAME makes a cross build for this machine.
"""

import json
import os
import shutil

import numpy
import pytest
from package_test import subproject
from project import JOBS, Project, run, workload

W = "ptowsp_add_workload(w)"
COMPILERS = ["aarch64-linux-gnu-g++", *[f"aarch64-linux-gnu-g++-{v}" for v in (12, 13, 14)]]
COMPILER = next(filter(shutil.which, COMPILERS), None)
EMULATOR = next(filter(shutil.which, ["qemu-aarch64", "qemu-aarch64-static"]), None)
aarch64 = pytest.mark.skipif(
    not (COMPILER and EMULATOR),
    reason="no cross compiler or no emulator: apt install g++-12-aarch64-linux-gnu qemu-user",
)


# ---- which generator ----------------------------------------------------------------------------


def pretended(tmp_path, package, generator="Ninja"):
    """A project that is cross compiled for this very machine, and the options for that. No ptowsp-gen is on PATH."""
    project = Project(tmp_path / "c é", "", generator)
    project.put("w.json", workload(a=2.0))
    project.write("ptowsp_add_workload(w SOURCE w.json)")
    machine = run("uname", "-m").text.strip()
    options = ["-DCMAKE_SYSTEM_NAME=Linux", f"-DCMAKE_SYSTEM_PROCESSOR={machine}",
               f"-DPtoWsp_DIR={next(package.glob('**/PtoWspConfig.cmake')).parent}"]  # fmt: skip
    return project, options


needs_none_installed = pytest.mark.skipif(
    shutil.which("ptowsp-gen") is not None, reason="a ptowsp-gen is installed on this machine"
)


def generator_that_says(project, text, folder="host"):
    program = project.put(f"{folder}/bin/ptowsp-gen", f"#!/bin/sh\necho {text}\n")
    program.chmod(0o755)
    return program


@needs_none_installed
def test_none(tmp_path, package):
    project, options = pretended(tmp_path, package)
    expected = (
        f"{W}: cross compiling needs ptowsp-gen 0.1.0 for the build machine, and {{}}; install PtoWsp 0.1.0 for the "
        "build machine and set PtoWsp_HOST_ROOT to its prefix"
    )
    seen = "there is none in bin of CMAKE_PREFIX_PATH, on PATH, in /usr/local/bin or /usr/bin"
    assert expected.format(seen) in project.configure(*options, succeed=False).words()

    program = generator_that_says(project, "ptowsp-gen 0.1.01")
    seen = f"found, of another version, were only {program} ('ptowsp-gen 0.1.01')"
    path = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    assert expected.format(seen) in project.configure(*options, succeed=False, env=path).words()


@pytest.mark.parametrize("where", ["variable", "environment"])
def test_one_that_is_named_has_to_be_right(tmp_path, package, where):
    project, options = pretended(tmp_path, package)
    root = project.folder / "host"

    def refused():
        if where == "variable":
            return project.configure(*options, f"-DPtoWsp_HOST_ROOT={root}", succeed=False).words()
        return project.configure(*options, succeed=False, env={"PtoWsp_HOST_ROOT": str(root)}).words()

    fix = (
        "set PtoWsp_HOST_ROOT to the prefix of a PtoWsp 0.1.0 for the build machine, or to nothing, to have one "
        "searched for"
    )
    assert f"{W}: PtoWsp_HOST_ROOT is '{root}', and there is no bin/ptowsp-gen in it; {fix}" in refused()
    program = generator_that_says(project, "ptowsp-gen 0.1.01")
    assert f"{W}: the host generator {program} says 'ptowsp-gen 0.1.01', but this PtoWsp is 0.1.0; {fix}" in refused()
    program.write_bytes(b"\x7fELF of another processor")
    machine = run("uname", "-m").text.strip()
    assert f"{W}: the host generator {program} does not run on the build machine ({machine}); {fix}" in refused()


@pytest.mark.parametrize("how", ["named", "in a prefix", "on PATH"])
def test_an_installed_one(tmp_path, package, how):
    """The package that the project uses has one, too; it is passed over, being the target's."""
    project, options = pretended(tmp_path, package)
    host = tmp_path / "hôst"
    (host / "bin").mkdir(parents=True)
    shutil.copy(package / "bin/ptowsp-gen", host / "bin/ptowsp-gen")
    env = {}
    if how == "named":
        options.append(f"-DPtoWsp_HOST_ROOT={host}")
    elif how == "in a prefix":
        options.append(f"-DCMAKE_PREFIX_PATH={package};{host}")
    else:
        env = {"PATH": f"{host}/bin:{package}/bin:{os.environ['PATH']}"}
    told = project.configure(*options, env=env).text
    assert ("generator of the build machine" in told) == (how != "named")
    project.build()
    assert str(host / "bin/ptowsp-gen") in (project.build_folder / "build.ninja").read_text().replace("$ ", " ")
    assert project.binaries("w").joinpath("ready").exists()
    assert project.nothing_to_do()


# Stands in for the host's compiler: hands everything on but the generator itself, which takes minutes to
# compile. What it "links" is the generator of this very build.
QUICK = """#!/bin/sh
case " $* " in
  *" -o bin/ptowsp-gen "*) exec cp "{program}" bin/ptowsp-gen ;;
  *" -o ../bin/ptowsp-gen "*) exec cp "{program}" ../bin/ptowsp-gen ;;
  *CMakeFiles/ptowsp_*.dir/*) while [ "$1" != -o ]; do shift; done; : > "$2"; exit ;;
esac
exec c++ "$@"
"""


@pytest.mark.parametrize("generator", ["Ninja", "Ninja Multi-Config", "Unix Makefiles"])
def test_one_that_is_built(tmp_path, build_dir, generator):
    """Where the sources are at hand. The flags and the compiler of the target are kept from it."""
    project, options = pretended(tmp_path, build_dir, generator)
    compiler = project.put("quick c++", QUICK.format(program=build_dir / "bin/ptowsp-gen"))
    compiler.chmod(0o755)
    told = project.configure(*options, "-DPtoWsp_HOST_ROOT=BOOTSTRAP", f"-DPTOWSP_HOST_CXX_COMPILER={compiler}").text
    folder = project.build_folder / "ptowsp.host"
    assert f"generator of the build machine: will be built in {folder}" in told
    hostile = {"CXX": "false", "CXXFLAGS": "-fthere-is-no-such-flag", "LDFLAGS": "-fnor-such"}
    told = project.build(env=hostile).text
    assert "Building ptowsp-gen for the build machine" in told
    assert told.count("generator/") > 20, "its progress is seen"
    assert (project.binaries("w") / "ready").exists()
    assert project.nothing_to_do()
    # It is built again when one of its sources is newer, and what it emits is the same.
    depends = (folder / "host.d").read_text()
    assert "/generator/main.cpp" in depends and "/include/ptowsp/task_graph.h" in depends
    (folder / "host.stamp").unlink()
    again = project.build(env=hostile)
    assert "Building ptowsp-gen for the build machine" in again.text
    assert [again.compiled, again.linked] == [[], []]
    assert project.nothing_to_do()


@pytest.mark.parametrize("script, expected", [
    ("exit 1\n", "{which} could not be configured. {fix}"),
    ('case " $* " in *CMakeFiles/ptowsp_*) echo no such header; exit 1; esac\nexec c++ "$@"\n',
     "{which} could not be built. {fix}"),
    (QUICK.format(program="/dev/null").removeprefix("#!/bin/sh\n"),
     "{program} was built with {compiler} and does not run here ({reason}). Set PTOWSP_HOST_CXX_COMPILER to the "
     "build machine's own compiler."),
], ids=["configure", "build", "run"])  # fmt: skip
def test_one_that_cannot_be_built(tmp_path, build_dir, script, expected):
    project, options = pretended(tmp_path, build_dir)
    compiler = project.put("c++", f"#!/bin/sh\n{script}")
    compiler.chmod(0o755)
    project.configure(*options, "-DPtoWsp_HOST_ROOT=BOOTSTRAP", f"-DPTOWSP_HOST_CXX_COMPILER={compiler}")
    folder = project.build_folder / "ptowsp.host"
    text = project.build(succeed=False).words()
    expected = expected.format(
        which=f"ptowsp-gen for the build machine (in {folder})", program=f"{folder}/bin/ptowsp-gen", compiler=compiler,
        reason="Permission denied",
        fix="Its output stands above. Mend that, or set PtoWsp_HOST_ROOT to the prefix of a PtoWsp that is installed "
        "for the build machine; PTOWSP_HOST_CXX_COMPILER names another compiler.",
    )  # fmt: skip
    assert expected in text, text


def test_a_toolchain_file_that_does_not_say_for_what(tmp_path, package):
    project, options = pretended(tmp_path, package)
    options[1] = f"-DPtoWsp_HOST_ROOT={package}"
    assert (
        f"{W}: CMAKE_SYSTEM_PROCESSOR is empty; set it in the toolchain file, to x86_64 or aarch64"
        in project.configure(*options, succeed=False).words()
    )


# ---- aarch64 ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def toolchain(tmp_path_factory):
    file = tmp_path_factory.mktemp("toolchain") / "aarch64.cmake"
    file.write_text(
        f"set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR aarch64)\nset(CMAKE_CXX_COMPILER {COMPILER})\n"
        f"set(CMAKE_CROSSCOMPILING_EMULATOR {EMULATOR} -L /usr/aarch64-linux-gnu)\n"
    )
    return f"--toolchain={file}"


@pytest.fixture(scope="session")
def product(tmp_path_factory, source_dir, toolchain):
    """A build tree of PtoWsp for aarch64: runner and runtime; without optimisation, which takes longer than qemu."""
    folder = tmp_path_factory.mktemp("aarch64") / "build"
    run("cmake", "-G", "Ninja", "-S", source_dir, "-B", folder, toolchain, "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DPTOWSP_WERROR=ON")  # fmt: skip
    run("cmake", "--build", folder, "--parallel", JOBS, "--target", "ptowsp_run", "ptowsp_sim")
    return folder


def machine_of(file):
    """e_machine of an ELF file: 183 is aarch64, 62 x86-64."""
    return int.from_bytes(file.read_bytes()[18:20], "little")


@aarch64
@pytest.mark.parametrize("generator", ["Ninja", "Unix Makefiles"])
def test_a_workload_for_aarch64(tmp_path, package, product, toolchain, source_dir, generator):
    project = Project(tmp_path / "aarch64 é", package, generator)
    project.put("w.json", workload(a=2.0))
    softmax = source_dir / "examples/softmax/softmax.py"
    project.write(f'ptowsp_add_workload(w SOURCE w.json)\nptowsp_add_workload(softmax SOURCE "{softmax}")')
    told = project.configure(toolchain, f"-DPtoWsp_DIR={product}").text
    assert f"generator of the build machine: {package}/bin/ptowsp-gen" in told
    project.build()
    result = project.ctest("-L", "a2a3sim")
    assert result.failed_tests == [] and "100% tests passed" in result.text
    assert project.nothing_to_do()

    artifact = project.artifact("w")
    assert {machine_of(file) for file in artifact.glob("*.so")} == {183}
    assert json.loads((artifact / "ready").read_text())["kernel_arch"] == ["aarch64"]
    outputs = tmp_path / "outputs"
    emulator = [EMULATOR, "-L", "/usr/aarch64-linux-gnu", product / "bin/ptowsp-run"]
    run(*emulator, artifact, "--outputs", outputs)
    x = numpy.load(artifact / "inputs/x.npy")
    assert abs(x).max() > 0 and (numpy.load(outputs / "y_a.npy") == 2 * x).all()
    run(*emulator, project.artifact("softmax"), "--outputs", outputs)
    x = numpy.load(project.artifact("softmax") / "inputs/x.npy").astype(numpy.float64)
    e = numpy.exp(x - x.max(axis=1, keepdims=True))
    numpy.testing.assert_allclose(numpy.load(outputs / "y.npy"), e / e.sum(axis=1, keepdims=True), rtol=1e-5, atol=1e-7)


@aarch64
def test_what_is_for_aarch64_is_for_nothing_else(tmp_path, package, product, toolchain):
    """Neither package takes the place of the other, and the runner knows kernels that it cannot run."""
    project = Project(tmp_path / "p", "")
    project.put("w.json", workload(a=2.0))
    project.write("ptowsp_add_workload(w SOURCE w.json)")
    here = next(package.glob("**/PtoWspConfig.cmake"))
    machine = run("uname", "-m").text.strip()
    refused = project.configure(toolchain, f"-DPtoWsp_DIR={here.parent}", succeed=False).words()
    assert f"considered but not accepted: {here}, version: 0.1.0 (for {machine})" in refused
    project.remove_build()
    refused = project.configure(f"-DPtoWsp_DIR={product}", succeed=False).words()
    assert f"considered but not accepted: {product}/PtoWspConfig.cmake, version: 0.1.0 (for aarch64)" in refused

    project.remove_build()
    options = [toolchain, f"-DPtoWsp_DIR={product}", f"-DPtoWsp_HOST_ROOT={package}"]
    refused = project.configure(*options, "-DPTOWSP_KERNEL_ARCH=x86-64-v3", succeed=False).words()
    assert f"{W}: PTOWSP_KERNEL_ARCH is 'x86-64-v3', expected aarch64 or multi" in refused
    project.configure(*options, "-DPTOWSP_KERNEL_ARCH=multi")
    project.build()
    ready = json.loads((project.artifact("w") / "ready").read_text())
    assert ready["kernel_arch"] == ["aarch64"] and ready["kernels"]["a"] == {"aarch64": "kernel_a.so"}
    refused = run(package / "bin/ptowsp-run", project.artifact("w"), succeed=False).words()
    assert "/ready: error: found kernels for aarch64, expected a level that this CPU runs: " in refused
    assert refused.endswith(" fix: run it on such a processor, or build the project for this one")


@aarch64
@pytest.mark.nightly  # it compiles everything
def test_the_whole_product_for_aarch64(tmp_path, source_dir, toolchain):
    """Generator included, from fmt's headers alone; installed, it finds itself."""
    folder, prefix = tmp_path / "build", tmp_path / "prefix"
    run("cmake", "-G", "Ninja", "-S", source_dir, "-B", folder, toolchain, "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--build", folder, "--parallel", JOBS)
    run("cmake", "--install", folder, "--prefix", prefix)
    emulator = [EMULATOR, "-L", "/usr/aarch64-linux-gnu"]
    assert run(*emulator, prefix / "bin/ptowsp-gen", "--version").text.startswith("ptowsp-gen 0.1.0")
    example = source_dir / "examples/scale/scale.json"
    assert "tasks 4" in run(*emulator, prefix / "bin/ptowsp-gen", "check", example).words()


@aarch64
@pytest.mark.nightly  # it compiles the generator for this machine and the runtime for the other
def test_a_subproject_with_a_generator_built_for_it(tmp_path, source_dir, toolchain):
    project = subproject(tmp_path, source_dir, "add_subdirectory")
    project.configure(toolchain, "-DCMAKE_BUILD_TYPE=Release", "-DPtoWsp_HOST_ROOT=BOOTSTRAP")
    told = project.build().text
    assert "Building ptowsp-gen for the build machine" in told
    assert project.ctest("-L", "a2a3sim").failed_tests == []
    assert machine_of(project.build_folder / "ptowsp/bin/ptowsp-run") == 183
    assert machine_of(project.build_folder / "ptowsp.host/bin/ptowsp-gen") != 183
    assert not (project.build_folder / "ptowsp/bin/ptowsp-gen").exists(), "nobody needs that one here"
    assert project.nothing_to_do()
