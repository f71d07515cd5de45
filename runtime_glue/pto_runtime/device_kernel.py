# SPDX-License-Identifier: MIT
"""Compiles one kernel of a workload for a2a3, all its stages, and takes out their code.

    device_kernel.py KERNEL --tree DIR -o DIR --toolchain NAME --pto-isa DIR [--depfile FILE] -- CCEC...

reads TREE/kernels/device/kernel_KERNEL.list and makes, for each stage, kernel_<stage>.o and the bytes of
its .text, kernel_<stage>.bin; last KERNEL.stamp, which names them. CCEC is the compiler, with a launcher
before it where there is one.
"""
from __future__ import annotations

import argparse
import os
import subprocess
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _HERE)
sys.path.insert(0, os.path.join(_HERE, "builtin"))

import versions  # noqa: E402
from elf_parser import extract_text_section, find_symbol, machine_of  # noqa: E402

# Of host processors. That of an AI core is none of them.
_HOSTS = {3: "x86", 62: "x86-64", 183: "aarch64"}
_ADDRESS = 8  # bytes; an image of that size is taken as the address of a function


class Mistake(Exception):
    """What stands in the way, with the fix."""


class Stage:
    """A kernel for one core: a line of the list."""

    def __init__(self, line: str) -> None:
        self.core, self.name, self.path, _ = line.split()


def main() -> int:
    parser = argparse.ArgumentParser(prog="device_kernel.py", description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("kernel")
    parser.add_argument("--tree", required=True, metavar="DIR", help="what ptowsp-gen emitted")
    parser.add_argument("-o", "--output", required=True, metavar="DIR")
    parser.add_argument("--toolchain", required=True, metavar="NAME", help="what CCEC is")
    parser.add_argument("--pto-isa", required=True, metavar="DIR", help="a checkout of PTO-ISA")
    parser.add_argument("--depfile", metavar="FILE")
    parser.add_argument("ccec", nargs="+", metavar="CCEC")
    options = parser.parse_args()
    try:
        _make(options)
    except (Mistake, OSError, ValueError) as error:
        print(f"{options.kernel} for a2a3: error: {error}", file=sys.stderr)
        return 1
    return 0


def _make(options: argparse.Namespace) -> None:
    with open(os.path.join(options.tree, "kernels", "device", f"kernel_{options.kernel}.list"),
              encoding="utf-8") as file:
        stages = [Stage(line) for line in file if not line.startswith("#")]
    os.makedirs(options.output, exist_ok=True)
    stamp = os.path.join(options.output, options.kernel + ".stamp")
    old = _names(stamp)
    if os.path.exists(stamp):
        os.remove(stamp)
    # Never none: CMake writes no depfile from one without names, and the build would start again.
    read = {os.path.abspath(path) for path in (__file__, versions.__file__)}
    made = []
    for stage in stages:
        source = os.path.join(options.tree, stage.path)
        if not os.path.exists(source):
            marker = os.path.join(options.tree, "emit.stamp")
            raise Mistake(f"the emitted source {source} is not there any more\n"
                          f"  fix: remove {marker} and build again")
        target = os.path.join(options.output, "kernel_" + stage.name)
        _compile(options, stage, source, target + ".o")
        read |= _dependencies(target + ".d")
        code = _code(stage, target + ".o", options.toolchain)
        with open(target + ".bin", "wb") as file:
            file.write(code)
        made += [f"kernel_{stage.name}{end}" for end in (".o", ".d", ".bin")]
    for name in old - set(made):
        path = os.path.join(options.output, name)
        if os.path.exists(path):
            os.remove(path)
    if options.depfile:
        _write_depfile(options.depfile, stamp, read)
    with open(stamp, "w", encoding="utf-8") as file:
        file.write("".join(name + "\n" for name in made))


def _names(stamp: str) -> set[str]:
    """The files that an earlier run made."""
    if not os.path.exists(stamp):
        return set()
    with open(stamp, encoding="utf-8") as file:
        return {name for name in file.read().split("\n") if os.path.basename(name) == name and name}


def _compile(options: argparse.Namespace, stage: Stage, source: str, target: str) -> None:
    command = [*options.ccec, *versions.ccec_flags(stage.core, options.pto_isa),
               "-MD", "-MF", target[:-2] + ".d", "-o", target, source]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    except OSError as error:
        raise Mistake(f"cannot start {command[0]}: {error.strerror}\n  fix: configure again, with "
                      "ASCEND_HOME_PATH and the compiler launcher that are there") from None
    if done.returncode != 0:
        text = " ".join(command)
        raise Mistake(f"{stage.name}: the compiler ended with status {done.returncode}\n"
                      f"  note: {text}\n  fix: look at what it said, above; kernels are emitted for the "
                      "PTO-ISA that 3rdparty/README.md of PtoWsp names")


def _code(stage: Stage, object_file: str, toolchain: str) -> bytes:
    # A stand-in of tests compiles for the host, and says so in its name. Anything else that does is no
    # compiler for Ascend, and what it made must never get to a device.
    host = _HOSTS.get(machine_of(object_file))
    if host and not versions.is_stand_in(toolchain):
        raise Mistake(f"{object_file} is for {host}, which no AI core runs: the compiler is not ccec "
                      f"(toolchain {toolchain})\n  fix: set ASCEND_HOME_PATH to a CANN toolkit")
    code = extract_text_section(object_file)
    at = find_symbol(object_file, "kernel_" + stage.name)
    if at != 0:
        found = "it is not there" if at is None else f"it is at {at}"
        raise Mistake(f"kernel_{stage.name} has to be the first code in {object_file}, and {found}: the "
                      "runtime starts at the first byte\n  fix: report it with the kernel")
    if len(code) == _ADDRESS:
        raise Mistake(f"kernel_{stage.name} is {_ADDRESS} bytes of code, which the runtime takes for the "
                      "address of a function\n  fix: report it with the kernel")
    return code


def _dependencies(depfile: str) -> set[str]:
    """What a compiler's depfile names."""
    if not os.path.exists(depfile):
        raise Mistake(f"the compiler wrote no {depfile}, which tells what it read\n"
                      "  fix: a ccec that knows -MD -MF, or a launcher that passes them on")
    with open(depfile, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read().replace("\\\n", " ")
    _, _, text = text.partition(": ")
    text = text.replace("\\ ", "\0")
    return {os.path.abspath(name.replace("\0", " ").replace("\\#", "#").replace("$$", "$"))
            for name in text.split()}


def _write_depfile(path: str, target: str, files: set[str]) -> None:
    def escaped(name: str) -> str:
        return name.replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ")

    names = "".join(f" \\\n  {escaped(name)}" for name in sorted(files))
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{escaped(target)}:{names}\n")


if __name__ == "__main__":
    sys.exit(main())
