# SPDX-License-Identifier: MIT
"""Versions of pto-runtime that PtoWsp knows, by their interface. All that is specific to one
version is here, in launch.py, and behind RUNTIME_MAX_... in ptowsp/orchestration.h.

    versions.py FOLDER             prints name and include folders of the version, or what differs
                                   (exit 1)
    versions.py --toolkit FOLDER   prints name and version of a CANN toolkit, or what it lacks (exit 1)
"""
from __future__ import annotations

import os
import re
import shlex
import sys

PINNED = "0db0ea4bd84e1078d0a3a66ceba205b6c5224c33"


class Version:
    """name: of the contract. facts: (file, pattern, what it means). includes: folders for
    orchestrations, on either platform, whose class Runtime is the same. most_blocks: blocks of cores in one
    launch. leftovers: files that a killed process of that version leaves, {pid} stands for its number. a2a3sim
    only: waiting: what is in each line that a scheduler prints while it waits for cores; pause: milliseconds
    that it is kept in the first one, and twice as long in each next, but no longer than longest_pause; see
    child_process.h."""

    def __init__(self, name: str, facts: list[tuple[str, str, str]], includes: list[str],
                 most_blocks: int, leftovers: list[str], waiting: str, pause: int,
                 longest_pause: int) -> None:
        self.name = name
        self.facts = facts
        self.includes = includes
        self.most_blocks = most_blocks
        self.leftovers = leftovers
        self.waiting = waiting
        self.pause = pause
        self.longest_pause = longest_pause


_RUNTIME_H = "src/runtime/host_build_graph/runtime/runtime.h"
_C_API = "src/platform/include/host/pto_runtime_c_api.h"

VERSIONS = [
    Version(
        "G1",
        [(_RUNTIME_H, r"#define\s+RUNTIME_MAX_TASKS\s+1024\b", "task table of 1024"),
         (_RUNTIME_H, r"#define\s+RUNTIME_MAX_FANOUT\s+512\b", "fanout of 512"),
         (_RUNTIME_H, r"\bint\s+add_task\s*\(\s*uint64_t\s*\*\s*args\s*,\s*int\s+num_args\s*,"
          r"\s*int\s+func_id\s*,\s*int\s+core_type\b",
          "member add_task(args, num_args, func_id, core_type)"),
         (_C_API, r"\bint\s+register_kernel\s*\(\s*int\s+func_id\b", "function register_kernel"),
         (_C_API, r"\bint\s+launch_runtime\s*\(", "function launch_runtime"),
         ("python/bindings.py", r"def\s+register_kernel\s*\(\s*func_id\b", "register_kernel in "
                                                                           "bindings"),
         ("python/runtime_builder.py", r"class\s+RuntimeBuilder\b", "RuntimeBuilder"),
         ("src/platform/a2a3sim/host/device_runner.cpp", r"==\s*sizeof\(uint64_t\)",
          "kernel images of 8 bytes as functions")],
        ["src/runtime/host_build_graph/runtime", "src/platform/a2a3sim/host"],
        24,
        ["/tmp/orch_so_{pid}.so", "/tmp/aicpu_sim_{pid}.so", "/tmp/aicore_sim_{pid}.so"],
        # A scheduler gives up after a million polls without news, some 4 ms: as long as a time
        # slice, so that a core which was not scheduled looks like one that hangs. It prints ten
        # such lines before. Most waits are short, and a scheduler that is held up is late for the
        # next task; so it begins with little, and gives up after 0.9 s.
        "idle iterations, progress", 2, 200),
]


# The file that is there where a device is; {id} stands for its number. PTOWSP_DEVICE_FILE names another,
# as containers may have it.
DEVICE_FILE = "/dev/davinci{id}"


def ccec_flags(core: str, pto_isa: str) -> list[str]:
    """How pto-runtime has a device kernel compiled: the contract's flags, in its order."""
    machine, define = {"aiv": ("vec", "__AIV__"), "aic": ("cube", "__AIC__")}[core]
    return ["-c", "-O3", "-g", "-x", "cce", "-Wall", "-std=c++17", "--cce-aicore-only",
            f"--cce-aicore-arch=dav-c220-{machine}", f"-D{define}",
            "-mllvm", "-cce-aicore-stack-size=0x8000",
            "-mllvm", "-cce-aicore-function-stack-size=0x8000",
            "-mllvm", "-cce-aicore-record-overflow=false",
            "-mllvm", "-cce-aicore-addr-transform",
            "-mllvm", "-cce-aicore-dcci-insert-for-scalar=false",
            "-DMEMORY_BASE", f"-I{pto_isa}/include", f"-I{pto_isa}/include/pto"]


_TOOLS = ("bin/ccec", "bin/ld.lld", "tools/hcc/bin/aarch64-target-linux-gnu-gcc",
          "tools/hcc/bin/aarch64-target-linux-gnu-g++")
_VERSION_FILES = ("aarch64-linux/ascend_toolkit_install.info",
                  "x86_64-linux/ascend_toolkit_install.info", "compiler/version.info", "version.info")


class UnusableToolkit(Exception):
    """ASCEND_HOME_PATH names no toolkit that kernels and runtime can be built with; says what to do."""


def toolkit(root: str) -> str:
    """Name and version of the CANN toolkit in a folder, as its own files say."""
    fix = "\n  fix: set it to a CANN toolkit (the folder that its set_env.sh names), or to OFF for none"
    if not os.path.isdir(root):
        raise UnusableToolkit(f"ASCEND_HOME_PATH is '{root}', and there is no such folder{fix}")
    lacking = [tool for tool in _TOOLS if not os.path.exists(os.path.join(root, tool))]
    if lacking:
        raise UnusableToolkit(f"ASCEND_HOME_PATH is '{root}', and it lacks {', '.join(lacking)}{fix}")
    if any(c.isspace() for c in root):
        raise UnusableToolkit(f"ASCEND_HOME_PATH is '{root}', and pto-runtime's build takes no path with "
                              "blanks\n  fix: name it by a link without any")
    for name in _VERSION_FILES:
        try:
            with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
                found = re.search(r"^[Vv]ersion=\[?([^\]:\n]+)", file.read(), re.MULTILINE)
        except OSError:
            continue
        if found:
            return f"CANN {found[1].strip()}"
    return "CANN of unknown version"


def is_stand_in(toolchain: str) -> bool:
    """Whether a toolchain is one of tests, which compiles for the host, by its name."""
    return "stand-in" in toolchain


class UnknownVersion(Exception):
    """No version that PtoWsp knows; says what differs and what to do."""


def detect(root: str) -> Version:
    """The version in a checkout."""
    if not all(os.path.isdir(os.path.join(root, part)) for part in ("python", "src")):
        empty = os.path.isdir(root) and not os.listdir(root)
        raise UnknownVersion(
            f"{root} " + ("is empty" if empty else "has no folders python and src")
            + ", so it is no checkout of pto-runtime\n  fix: set PTO_RUNTIME_PATH to one, or to OFF "
            "for the built-in runtime" + ("; of a submodule: git submodule update --init --recursive"
                                          if empty else ""))
    differing = []
    for version in VERSIONS:
        lacking = _lacking(root, version)
        if not lacking:
            return version
        differing.append(f"  {version.name} differs: no " + "; no ".join(lacking))
    raise UnknownVersion(
        f"the pto-runtime in {root} is of a version that PtoWsp does not know\n"
        + "\n".join(differing) +
        f"\n  fix: git -C {shlex.quote(root)} checkout {PINNED[:8]}, or set PTO_RUNTIME_PATH to a checkout of "
        "that commit, or to OFF for the built-in runtime")


def _lacking(root: str, version: Version) -> list[str]:
    texts: dict[str, str] = {}
    lacking = []
    for file, pattern, meaning in version.facts:
        if file not in texts:
            try:
                with open(os.path.join(root, file), encoding="utf-8", errors="replace") as source:
                    texts[file] = source.read()
            except OSError:
                texts[file] = ""
        if not re.search(pattern, texts[file]):
            lacking.append(f"{meaning} ({file})")
    return lacking


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--toolkit"] and len(arguments) == 2:
        try:
            print(toolkit(os.path.abspath(arguments[1])))
        except UnusableToolkit as error:
            print(error, file=sys.stderr)
            return 1
        return 0
    if len(arguments) != 1:
        print("usage: versions.py FOLDER, or versions.py --toolkit FOLDER", file=sys.stderr)
        return 2
    root = os.path.abspath(arguments[0])
    try:
        version = detect(root)
    except UnknownVersion as error:
        print(error, file=sys.stderr)
        return 1
    print(version.name)
    for folder in version.includes:
        print(os.path.join(root, folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
