# SPDX-License-Identifier: MIT
"""ptowsp-gen's check of a traced workload, and its report as errors with the user's lines."""
from __future__ import annotations

import os
import subprocess

from pto_wsp.errors import CompileError, PtoError, Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from pto_wsp.trace import Traced


def find_tool(name: str, variable: str) -> str:
    """The path of one of PtoWsp's programs: from the environment variable; from the package that
    PtoWsp_DIR names, as CMake does; from the tree that this Python package belongs to (a build tree
    or an install tree); or from PATH."""
    given = os.environ.get(variable)
    if given:
        return given
    configured = os.environ.get("PtoWsp_DIR")
    if configured:
        # <build>, <prefix>/lib/cmake/PtoWsp, <prefix>/lib/<architecture>/cmake/PtoWsp
        for up in ("", "../../..", "../../../.."):
            path = os.path.join(os.path.realpath(configured), up, "bin", name)
            if os.access(path, os.X_OK) and os.path.isfile(path):
                return os.path.normpath(path)
        raise PtoError(f"error: PtoWsp_DIR is '{configured}', and {name} is not in a PtoWsp there\n"
                       "  fix: set it to the folder of PtoWspConfig.cmake, or unset it")
    package = os.path.dirname(os.path.abspath(__file__))
    # <build>/python/pto_wsp and <prefix>/share/ptowsp/python/pto_wsp
    trees = [os.path.join(package, "..", ".."), os.path.join(package, "..", "..", "..", "..")]
    folders = [os.path.join(tree, "bin") for tree in trees]
    for folder in folders + os.environ.get("PATH", "").split(os.pathsep):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return os.path.normpath(path)
    raise PtoError(f"error: {name} was not found beside this package or on PATH\n"
                   f"  fix: set {variable} to its path, PtoWsp_DIR to the folder of "
                   "PtoWspConfig.cmake, or add PtoWsp's bin folder to PATH")


class Report:
    """What ptowsp-gen check says: `summary` (an object, see its --json), `warnings` as texts."""

    def __init__(self, summary: dict[str, Any], warnings: list[str]) -> None:
        self.summary = summary
        self.warnings = warnings


def check(traced: Traced, *options: str) -> Report:
    """Has ptowsp-gen check a workload. CompileError with all mistakes, the first one's place.

    options: more of its options, such as "--races", "allow".
    """
    import tempfile
    with tempfile.TemporaryDirectory(prefix="ptowsp-") as folder:
        path = os.path.join(folder, "workload.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(traced.json_text)
        with open(os.path.join(folder, "workload.locations.json"), "w", encoding="utf-8",
                  errors="surrogateescape") as file:
            file.write(traced.locations_text(path))
        done = subprocess.run([find_tool("ptowsp-gen", "PTOWSP_GEN"), "check", path, "--json",
                               "--dependences", traced.dependences, *options],
                              capture_output=True, check=False)
    return read_report(done.stdout, traced, done.stderr.decode(errors="replace"))


def read_report(report: bytes, traced: Traced, messages: str = "") -> Report:
    """The report of `ptowsp-gen check --json` on a traced workload. CompileError when it has
    errors."""
    import json
    try:
        root = json.loads(report)
    except ValueError:
        raise PtoError(f"error: ptowsp-gen failed\n{messages}".rstrip()) from None
    errors = [d for d in root["diagnostics"] if d["severity"] == "error"]
    warnings = [_text(d, traced) for d in root["diagnostics"] if d["severity"] != "error"]
    if errors:
        first = errors[0]
        raise CompileError(first["message"], rule=first["rule"], fix=first["fix"],
                           site=_site(first, traced),
                           text="\n".join(_text(d, traced) for d in errors))
    return Report(root["summary"], warnings)


def _site(place: dict[str, Any], traced: Traced) -> Site | None:
    # The nearest enclosing place, as ptowsp-gen looks it up.
    pointer = place["place"]
    while pointer:
        if pointer in traced.locations:
            return traced.locations[pointer]
        pointer = pointer.rpartition("/")[0]
    return None


def _text(diagnostic: dict[str, Any], traced: Traced) -> str:
    site = _site(diagnostic, traced)
    place = f"{site}: " if site else f"{traced.name}: "
    lines = [f"{place}{diagnostic['severity']}: {diagnostic['message']} [{diagnostic['rule']}]"]
    if diagnostic["fix"]:
        lines.append(f"  fix: {diagnostic['fix']}")
    for related in diagnostic["related"]:
        at = _site(related, traced)
        lines.append(f"  note: {related['message']}" + (f", at {at}" if at else ""))
    return "\n".join(lines)
