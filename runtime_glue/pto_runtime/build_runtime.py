# SPDX-License-Identifier: MIT
"""Builds the libraries of a pto-runtime with its own RuntimeBuilder, once for a build tree.

    build_runtime.py FOLDER -o DIRECTORY [--depfile FILE] [--platform a2a3 --toolchain NAME]

for a2a3sim, or for a2a3 with the CANN toolkit that ASCEND_HOME_PATH names (NAME: which that is), makes
host.so, aicpu.so, aicore.so and, last, runtime.json, which tells ptowsp-run how to use them.
What the build says goes to DIRECTORY/build.log, and is shown when it fails.
"""
from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import versions  # noqa: E402

RUNTIME = "host_build_graph"
_SHOWN = 60  # lines of the log


def main() -> int:
    parser = argparse.ArgumentParser(prog="build_runtime.py",
                                     description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("folder", help="a checkout of pto-runtime")
    parser.add_argument("-o", "--output", required=True, metavar="DIRECTORY")
    parser.add_argument("--depfile", metavar="FILE", help="write what the libraries are made of")
    parser.add_argument("--platform", choices=["a2a3sim", "a2a3"], default="a2a3sim")
    parser.add_argument("--toolchain", default="", metavar="NAME", help="a2a3: what it is built with")
    options = parser.parse_args()
    if (options.platform == "a2a3") != bool(options.toolchain):
        parser.error("--toolchain belongs to --platform a2a3")
    root, output = os.path.abspath(options.folder), os.path.abspath(options.output)
    try:
        version = versions.detect(root)
    except versions.UnknownVersion as error:
        print(error, file=sys.stderr)
        return 1
    os.makedirs(output, exist_ok=True)
    ready = os.path.join(output, "runtime.json")
    if os.path.exists(ready):
        os.remove(ready)
    log = os.path.join(output, "build.log")
    try:
        libraries = _build(root, log, options.platform)
    except Exception as error:  # whatever its code raises is a build that failed
        _report(root, log, error, options.platform)
        return 1
    for name, content in libraries.items():
        with open(os.path.join(output, name), "wb") as file:
            file.write(content)
    if options.depfile:
        _write_depfile(options.depfile, ready, root)
    description = {
        "ptowsp_runtime": 1, "name": "pto-runtime", "version": version.name,
        "platform": options.platform,
        "root": root, "python": sys.executable,
        "launcher": os.path.join(os.path.dirname(os.path.abspath(__file__)), "launch.py"),
        "bindings": os.path.join(root, "python"),
        "host": "host.so", "aicpu": "aicpu.so", "aicore": "aicore.so",
        "most_blocks": version.most_blocks, "leftovers": version.leftovers,
        "waiting": version.waiting, "pause": version.pause, "longest_pause": version.longest_pause}
    if options.platform == "a2a3":  # its scheduler prints nothing here, and has a processor of its own
        description |= {"waiting": "", "pause": 0, "longest_pause": 0, "toolchain": options.toolchain,
                        "device_file": versions.DEVICE_FILE}
    partial = ready + ".partial"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(description, file, indent=1)
        file.write("\n")
    os.replace(partial, ready)
    return 0


def _build(root: str, log: str, platform: str) -> dict[str, bytes]:
    # Its prints and those of the compilers that it starts.
    sys.dont_write_bytecode = True
    sys.stdout.flush()
    kept = [os.dup(1), os.dup(2)]
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    copied = _copy_without_blanks(root)
    python = os.path.join(copied or root, "python")
    sys.path.insert(0, python)
    try:
        from runtime_builder import RuntimeBuilder
        host, aicpu, aicore = RuntimeBuilder(platform=platform).build(RUNTIME)
    finally:
        sys.path.remove(python)
        if copied:
            shutil.rmtree(copied)
        sys.stdout.flush()
        for number, copy in enumerate(kept, 1):
            os.dup2(copy, number)
            os.close(copy)
    for name, content in (("host", host), ("AICPU", aicpu), ("AICore", aicore)):
        if not content.startswith(b"\x7fELF"):
            raise RuntimeError(f"its {name} library is no shared library")
    return {"host.so": host, "aicpu.so": aicpu, "aicore.so": aicore}


def _copy_without_blanks(root: str) -> str | None:
    """A copy of the checkout's sources to build from where its own path has blanks, at which its builder cuts the
    command line of CMake. It resolves links, so that one would not do. In /tmp, where it builds, too."""
    if not any(c.isspace() for c in root):
        return None
    folder = tempfile.mkdtemp(prefix="pto_runtime_", dir="/tmp")
    for part in ("python", "src"):
        shutil.copytree(os.path.join(root, part), os.path.join(folder, part),
                        ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _report(root: str, log: str, error: Exception, platform: str) -> None:
    device = " for a2a3" if platform == "a2a3" else ""
    print(f"building the libraries of pto-runtime in {root}{device} failed: {type(error).__name__}: "
          f"{error}",
          file=sys.stderr)
    with open(log, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    for line in ["..."] * (len(lines) > _SHOWN) + lines[-_SHOWN:]:
        print(f"  | {line}", file=sys.stderr)
    fix = "look whether CMake, make and g++ work, or set PTO_RUNTIME_PATH to OFF for the built-in runtime"
    if device:
        fix = "look whether CMake, make and the CANN toolkit in ASCEND_HOME_PATH work, or set " \
            "ASCEND_HOME_PATH to OFF: a2a3 is skipped then"
    print(f"  note: all of it is in {log}\n  fix: {fix}", file=sys.stderr)


def _write_depfile(path: str, target: str, root: str) -> None:
    files = [os.path.abspath(__file__), os.path.abspath(versions.__file__)]
    for part in ("python", "src"):
        for folder, folders, names in os.walk(os.path.join(root, part)):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            files += [os.path.join(folder, name) for name in sorted(names)]

    def escaped(name: str) -> str:
        return name.replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ")

    with open(path, "w", encoding="utf-8") as file:
        names = " \\\n".join(f"  {escaped(name)}" for name in files)
        file.write(f"{escaped(target)}: \\\n{names}\n")


if __name__ == "__main__":
    sys.exit(main())
