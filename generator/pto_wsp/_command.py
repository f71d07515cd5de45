# SPDX-License-Identifier: MIT
"""The command line: python3 -m pto_wsp trace|check|run FILE. Only here is anything printed."""
from __future__ import annotations

import os
import sys

from pto_wsp.errors import CompileError, PtoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Sequence
    from pto_wsp._file import Parameters

_MISTAKE, _USAGE = 1, 2


def _parser() -> argparse.ArgumentParser:
    import argparse
    parser = argparse.ArgumentParser(
        prog="python3 -m pto_wsp", description="Traces, checks or runs a workload in a Python "
                                               "file.",
        epilog="Exit status: 0 done, 1 a mistake in the workload or a failed run, 2 wrong usage.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    trace = commands.add_parser(
        "trace", help="write the workload file (JSON)",
        description="Writes the workload file, its locations sidecar, and a .npy for each array "
        "that tasks read. Without -o the workload file goes to standard output, alone.")
    trace.add_argument("-o", "--output", metavar="FILE.json", help="the workload file")
    trace.add_argument("--expected", metavar="DIR", help="write what the module's golden(**inputs) "
                       "gives there, TENSOR.npy for each output")
    trace.add_argument("--seed", type=int, default=0, help="of random inputs for golden (0)")
    trace.add_argument("--kernel-list", metavar="FILE", help="write the kernel list, as "
                       "ptowsp-gen list does")
    trace.add_argument("--build-list", metavar="FILE", help="write what a build system needs "
                       "besides: npy:FILE for each array that was written and reads:FILE for each "
                       "that is to be read, relative to the workload file, and dependences:KIND as "
                       "the workload wants them")
    trace.add_argument("--depfile", metavar="FILE", help="write a depfile: every file of the "
                       "user's that was imported or read")
    trace.add_argument("--depfile-target", metavar="FILE", help="the file that the depfile is of; "
                       "the workload file unless given")
    trace.add_argument("--defer-errors", action="store_true", help="put a mistake into the "
                       "workload file, as {\"ptowsp\": 1, \"error\": TEXT}, keep the kernel list, "
                       "and exit 0")
    check = commands.add_parser("check", help="find mistakes, and say how large the graph is",
                                description="Traces the workload and has ptowsp-gen check it.")
    check.add_argument("--platform", action="append", default=[], choices=["a2a3sim", "a2a3"],
                       help="what it is checked for, besides a2a3sim: a2a3 has limits of its own")
    run = commands.add_parser("run", help="build and run it, and compare with the expected results",
                              description="Builds the workload in the cache folder and runs it on "
                              "the arrays of the file.")
    run.add_argument("--target", default="pto_runtime_a2a3sim", help="default: %(default)s")
    for command in (trace, check, run):
        command.add_argument("file", metavar="FILE", help="a Python file with @workload functions")
        command.add_argument("--workload", metavar="NAME", help="which one, if there are several")
        command.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE",
                             help="an argument of the @workload function; may be repeated")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Does what the arguments say; the exit status."""
    options = _parser().parse_args(arguments)
    from pto_wsp import _file
    try:
        parameters = _file.parse_parameters(options.parameter)
    except ValueError as error:
        print(f"pto_wsp: error: {error}", file=sys.stderr)
        return _USAGE
    try:
        if options.command == "trace":
            return _trace(options, parameters)
        module = _file.load(options.file)
        if options.command == "check":
            from pto_wsp._check import check
            traced = module.trace(options.workload, parameters)
            report = check(traced, *(word for platform in options.platform
                                     for word in ("--platform", platform)))
            for warning in report.warnings:
                print(warning, file=sys.stderr)
            print(report.summary["text"], end="")
            return 0
        from pto_wsp import program
        return program.run_command(module, module.workload(options.workload, parameters),
                                   options.target)
    except PtoError as error:
        print(error, file=sys.stderr)
    except _file.UserError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"pto_wsp: error: {error}", file=sys.stderr)
    return _MISTAKE


def _trace(options: argparse.Namespace, parameters: Parameters) -> int:
    from pto_wsp import _file
    from pto_wsp.trace import write_if_changed
    if options.output is None:
        if options.expected or options.kernel_list or options.build_list or options.depfile \
                or options.defer_errors:
            print("pto_wsp: error: --expected, --kernel-list, --build-list, --depfile and "
                  "--defer-errors need --output", file=sys.stderr)
            return _USAGE
        sys.stdout.write(_file.load(options.file).trace(options.workload, parameters).json_text)
        return 0
    outputs = [path for path in (options.output, options.expected, options.kernel_list,
                                 options.build_list, options.depfile) if path]
    reads = _file.Reads(options.file)
    failed = True
    try:
        module = _file.load(options.file)
        traced = module.trace(options.workload, parameters)
        expected = []
        if options.expected:
            expected = _file.write_expected(traced, module, options.expected, options.seed)
        written = traced.write(options.output)
        if options.build_list:
            folder = os.path.dirname(os.path.abspath(options.output))
            lines = [f"npy:{os.path.relpath(path, folder)}\n" for path in [*written, *expected]
                     if path.endswith(".npy")]
            lines += [f"reads:{os.path.relpath(tensor.init_file, folder)}\n"
                      for tensor in traced.tensors if tensor.init_file]
            lines.append(f"dependences:{traced.dependences}\n")
            write_if_changed(options.build_list, "".join(lines).encode())
        if options.kernel_list:
            write_if_changed(options.kernel_list,
                             "".join(f"{cores}:{name}\n" for name, cores in
                                     traced.kernel_cores().items()).encode())
        failed = False
    except (CompileError, _file.UserError) as error:
        if not options.defer_errors:
            raise
        from pto_wsp import _json
        write_if_changed(options.output,
                         (_json.text({"ptowsp": 1, "error": str(error)}) + "\n").encode())
    finally:
        if options.depfile:
            os.makedirs(os.path.dirname(os.path.abspath(options.depfile)), exist_ok=True)
            text = reads.depfile(options.depfile_target or options.output, outputs, failed)
            write_if_changed(options.depfile, text.encode("utf-8", "surrogateescape"))
    return 0
