# SPDX-License-Identifier: MIT
"""The stand-in toolchain: it notices wrong command lines, and cannot be taken for the real one."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from conftest import BUILD, STAND_IN, TOOLCHAIN, lay_out

BRIDGE = BUILD / "share/ptowsp/pto_runtime"
SOURCE = """#include <pto/pto-inst.hpp>
extern "C" void kernel_k(int64_t* args) { *(volatile float*)args[0] = *(volatile float*)args[1]; BODY }
"""
sys.path.insert(0, str(BRIDGE))

import versions  # noqa: E402

ISA = STAND_IN / "pto_isa"
ENVIRONMENT = {**os.environ, "PTOWSP_TEST_STAND_IN": "1"}


def source(folder, core="aiv", body="", name="k"):
    path = folder / core / f"kernel_{name}.cpp"
    path.parent.mkdir(exist_ok=True)
    path.write_text(SOURCE.replace("BODY", body))
    return path


def flags(core="aiv"):
    return versions.ccec_flags(core, str(ISA))


def ccec(folder, flags, path=None, environment=ENVIRONMENT):
    command = [STAND_IN / "toolkit/bin/ccec", *flags, "-MD", "-MF", folder / "k.d", "-o", folder / "k.o",
               path or source(folder)]
    return subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True,
                          timeout=60)


@pytest.mark.parametrize("core", ["aiv", "aic"])
def test_the_contracts_flags_are_taken(core, tmp_path):
    done = ccec(tmp_path, flags(core), source(tmp_path, core))
    assert (done.returncode, done.stderr) == (0, "")
    assert "pto-inst.hpp" in (tmp_path / "k.d").read_text()


@pytest.mark.parametrize("left_out", range(len(versions.ccec_flags("aiv", "isa"))))
def test_each_flag_that_is_missing_is_noticed(left_out, tmp_path):
    wrong = flags()
    del wrong[left_out]
    done = ccec(tmp_path, wrong)
    assert done.returncode == 1
    assert done.stderr.startswith("ccec (stand-in): error: ")


@pytest.mark.parametrize("change, message", [
    (lambda f: ["-O2" if word == "-O3" else word for word in f], "found -O2, expected -O3"),
    (lambda f: ["-D__AIC__" if word == "-D__AIV__" else word for word in f], "found -D__AIC__, expected -D__AIV__"),
    (lambda f: [word.replace("0x8000", "0x4000") for word in f],
     "found -cce-aicore-stack-size=0x4000, expected -cce-aicore-stack-size=0x8000"),
    (lambda f: [*f[:-1], f[-1] + "/nowhere"], "expected <pto-isa>/include and <pto-isa>/include/pto"),
    (lambda f: ["-v", *f], "found -v, expected -c"),
    (lambda f: [word.replace("c220-vec", "c310-vec") for word in f], "expected --cce-aicore-arch=dav-c220-vec or -cube"),
])
def test_wrong_flags_are_noticed(change, message, tmp_path):
    done = ccec(tmp_path, change(flags()))
    assert done.returncode == 1
    assert message in done.stderr


def test_a_kernel_for_the_other_core_is_noticed(tmp_path):
    done = ccec(tmp_path, flags("aic"))
    assert "is compiled for aic cores, and does not lie in a folder of that name" in done.stderr


@pytest.mark.parametrize("tool", ["bin/ccec", "bin/ld.lld", "tools/hcc/bin/aarch64-target-linux-gnu-g++",
                                  "tools/hcc/bin/aarch64-target-linux-gnu-gcc"])
def test_it_does_nothing_for_who_does_not_ask_for_a_stand_in(tool):
    done = subprocess.run([STAND_IN / "toolkit" / tool, "--version"], capture_output=True, text=True, timeout=60,
                          env={k: v for k, v in os.environ.items() if k != "PTOWSP_TEST_STAND_IN"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{pathlib.Path(tool).name} (stand-in): ")


@pytest.mark.parametrize("file, text, found", [
    ("aarch64-linux/ascend_toolkit_install.info", "package_name=Ascend-cann-toolkit\nversion=8.0.RC1\n", "8.0.RC1"),
    ("x86_64-linux/ascend_toolkit_install.info", "version=8.2\ninnerversion=V100\n", "8.2"),
    ("compiler/version.info", "Version=7.6.0.1.220:8.0.RC3\nversion_dir=8.0\n", "7.6.0.1.220"),
    ("version.info", "Version=[9.1]\n", "9.1"), (None, "", "of unknown version")])
def test_versions_of_toolkits(file, text, found, tmp_path):
    toolkit = lay_out(tmp_path / "stand_in") / "toolkit"
    assert versions.toolkit(str(toolkit)) == TOOLCHAIN
    (toolkit / "compiler/version.info").unlink()
    if file:
        (toolkit / file).parent.mkdir(exist_ok=True)
        (toolkit / file).write_text(text)
    assert versions.toolkit(str(toolkit)) == f"CANN {found}"


def test_toolkits_that_are_none(tmp_path):
    def said(folder):
        done = subprocess.run([sys.executable, BRIDGE / "versions.py", "--toolkit", folder], capture_output=True,
                              text=True, timeout=60)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr

    fix = "\n  fix: set it to a CANN toolkit (the folder that its set_env.sh names), or to OFF for none\n"
    assert said("/nowhere") == f"ASCEND_HOME_PATH is '/nowhere', and there is no such folder{fix}"
    (tmp_path / "half/bin").mkdir(parents=True)
    (tmp_path / "half/bin/ccec").write_text("")
    assert said(tmp_path / "half") == (
        f"ASCEND_HOME_PATH is '{tmp_path}/half', and it lacks bin/ld.lld, "
        f"tools/hcc/bin/aarch64-target-linux-gnu-gcc, tools/hcc/bin/aarch64-target-linux-gnu-g++{fix}")
    (tmp_path / "a b").symlink_to(STAND_IN / "toolkit")
    assert said(tmp_path / "a b") == (
        f"ASCEND_HOME_PATH is '{tmp_path}/a b', and pto-runtime's build takes no path with blanks\n"
        "  fix: name it by a link without any\n")


class Tree:
    """An emitted tree with one kernel, and device_kernel.py on it."""

    def __init__(self, folder):
        self.folder = folder
        self.stand_in = lay_out(folder / "stand_in")
        (folder / "kernels/device").mkdir(parents=True)
        (folder / "kernels/device/kernel_k.list").write_text(
            "# Generated\naiv k kernels/aiv/kernel_k.cpp 0123456789abcdef\n")

    def make(self, body="", toolchain=TOOLCHAIN, compiler=None, before="", whole=None, launcher=(), env=None):
        path = source(self.folder / "kernels", body=body)
        path.write_text(whole or before + path.read_text())
        return subprocess.run(
            [sys.executable, str(BRIDGE / "device_kernel.py"), "k", "--tree", str(self.folder), "-o",
             str(self.folder / "out"), "--toolchain", toolchain, "--pto-isa", str(ISA), "--depfile",
             str(self.folder / "k.d"), "--", *launcher, str(compiler or self.stand_in / "toolkit/bin/ccec")],
            env={**ENVIRONMENT, **(env or {})}, capture_output=True, text=True, timeout=60)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def test_a_kernel_that_is_good(tree):
    done = tree.make()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tree.folder / "out/k.stamp").read_text() == "kernel_k.o\nkernel_k.d\nkernel_k.bin\n"
    assert str(ISA / "include/pto/pto-inst.hpp") in (tree.folder / "k.d").read_text().replace("\\ ", " ")


@pytest.mark.skipif(shutil.which("ccache") is None, reason="there is no ccache")
@pytest.mark.parametrize("kind", ["auto", "clang"])
def test_ccache_starts_it(kind, tree):
    """Without keeping anything: it does not know the language, whatever it takes the compiler for."""
    environment = {"CCACHE_DIR": str(tree.folder / "ccache"), "CCACHE_COMPILERTYPE": kind,
                   "CCACHE_LOGFILE": str(tree.folder / "log")}
    done = tree.make(launcher=["ccache"], env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "Unsupported language: cce" in (tree.folder / "log").read_text()
    assert (tree.folder / "out/kernel_k.bin").exists()
    assert str(ISA / "include/pto/pto-inst.hpp") in (tree.folder / "k.d").read_text().replace("\\ ", " ")


@pytest.mark.skipif(shutil.which("distcc") is None, reason="there is no distcc")
def test_distcc_starts_it(tree):
    """Here: the stand-in does not preprocess, and then distcc compiles on this machine."""
    done = tree.make(launcher=["distcc"], env={"DISTCC_HOSTS": "127.0.0.1:1", "DISTCC_FALLBACK": "1",
                                               "DISTCC_DIR": str(tree.folder)})
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "ccec (stand-in): error: found -E, expected -c" in done.stderr and "running locally instead" in done.stderr
    assert (tree.folder / "out/kernel_k.bin").exists()


def refused(tree, text, **arguments):
    done = tree.make(**arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert text in done.stderr
    assert not (tree.folder / "out/k.stamp").exists() and not (tree.folder / "out/kernel_k.bin").exists()


def test_code_for_the_host_never_passes_for_a_devices(tree):
    machine = {"x86_64": "x86-64"}.get(os.uname().machine, os.uname().machine)
    refused(tree, f"k for a2a3: error: {tree.folder}/out/kernel_k.o is for {machine}, which no AI core runs: the "
            "compiler is not ccec (toolchain CANN 8.0)\n  fix: set ASCEND_HOME_PATH to a CANN toolkit\n",
            toolchain="CANN 8.0")


def test_what_would_be_lost_with_all_but_the_code_is_refused(tree):
    refused(tree, ".text has 1 relocations, which are lost when only its bytes are loaded",
            before="extern \"C\" void elsewhere();\n", body="elsewhere();")
    assert not list((tree.folder / "out").glob("*.bin"))


def test_a_function_before_the_kernel_is_refused(tree):
    refused(tree, "kernel_k has to be the first code in", before="extern \"C\" int first(int x) { return x * x; }\n")


def test_code_as_long_as_an_address_is_refused(tree):
    refused(tree, "kernel_k is 8 bytes of code, which the runtime takes for the address of a function\n",
            whole='asm(".globl kernel_k\\nkernel_k: .quad 0");\n')


def test_a_compiler_that_fails(tree):
    refused(tree, "k for a2a3: error: k: the compiler ended with status 1\n  note: ", body="no C++")
    refused(tree, "k for a2a3: error: cannot start /nowhere/ccec: No such file or directory\n", compiler="/nowhere/ccec")
    quiet = tree.folder / "quiet"
    quiet.write_text("#!/bin/sh\nexit 0\n")
    quiet.chmod(0o755)
    (tree.folder / "out/kernel_k.d").unlink(missing_ok=True)
    refused(tree, f"the compiler wrote no {tree.folder}/out/kernel_k.d, which tells what it read\n", compiler=quiet)
