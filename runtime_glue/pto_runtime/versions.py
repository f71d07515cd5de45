# SPDX-License-Identifier: MIT
"""Versions of pto-runtime that PtoWsp knows, by their interface. All that is specific to one
version is here, in launch.py, and behind RUNTIME_MAX_... in ptowsp/orchestration.h.

    versions.py FOLDER   prints name and include folders of the version, or what differs (exit 1)
"""
from __future__ import annotations

import os
import re
import sys

PINNED = "0db0ea4bd84e1078d0a3a66ceba205b6c5224c33"


class Version:
    """name: of the contract. facts: (file, pattern, what it means). includes: folders for
    orchestrations on a2a3sim. most_blocks: blocks of cores in one launch. leftovers: files that a
    killed process of that version leaves, {pid} stands for its number. waiting: what is in each
    line that a scheduler prints while it waits for cores; pause: milliseconds that it is kept in
    each, see child_process.h."""

    def __init__(self, name: str, facts: list[tuple[str, str, str]], includes: list[str],
                 most_blocks: int, leftovers: list[str], waiting: str, pause: int) -> None:
        self.name = name
        self.facts = facts
        self.includes = includes
        self.most_blocks = most_blocks
        self.leftovers = leftovers
        self.waiting = waiting
        self.pause = pause


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
        # such lines before.
        "idle iterations, progress", 10),
]


class UnknownVersion(Exception):
    """No version that PtoWsp knows; says what differs and what to do."""


def detect(root: str) -> Version:
    """The version in a checkout."""
    if not os.path.isfile(os.path.join(root, "python", "bindings.py")):
        raise UnknownVersion(f"{root} has no python/bindings.py, so it is no checkout of "
                             "pto-runtime\n  fix: set PTO_RUNTIME_PATH to one, or to OFF for the "
                             "built-in runtime")
    differing = []
    for version in VERSIONS:
        lacking = _lacking(root, version)
        if not lacking:
            return version
        differing.append(f"  {version.name} differs: no " + "; no ".join(lacking))
    raise UnknownVersion(
        f"the pto-runtime in {root} is of a version that PtoWsp does not know\n"
        + "\n".join(differing) +
        f"\n  fix: git -C {root} checkout {PINNED[:8]}, or set PTO_RUNTIME_PATH to a checkout of "
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
    if len(arguments) != 1:
        print("usage: versions.py FOLDER", file=sys.stderr)
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
