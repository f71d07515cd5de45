# SPDX-License-Identifier: MIT
"""Includes point one way: main -> emit -> analyze -> verify -> ir -> base, and runtime_glue never sees generator."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What each folder may include, besides itself. Folders that are not listed may not be included at all.
ALLOWED = {
    "generator/base": [],
    "generator/ops": [],
    "generator/ir": ["generator/base"],
    "generator/verify": ["generator/ir", "generator/ops", "generator/base", "ptowsp"],
    "generator/analyze": ["generator/verify", "generator/ir", "generator/ops", "generator/base", "ptowsp"],
    "generator/emit": ["generator/analyze", "generator/verify", "generator/ir", "generator/ops", "generator/base", "ptowsp"],
    "generator/reference": ["generator/verify", "generator/ir", "generator/ops", "generator/base", "ptowsp"],
    "generator": ["generator/emit", "generator/reference", "generator/analyze", "generator/verify", "generator/ir", "generator/base", "ptowsp"],
    "runtime_glue/include/ptowsp": ["ptowsp"],
    "runtime_glue/sim": ["ptowsp"],
    "runtime_glue/glue": ["ptowsp"],
    "runtime_glue/report": ["ptowsp"],
    "runtime_glue/run": ["ptowsp", "runtime_glue/glue", "runtime_glue/report"],
}
SOURCES = {".h", ".cpp", ".in", ".j2"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)


def folder_of(path, root):
    """The longest listed folder that holds the file."""
    relative = path.relative_to(root).as_posix()
    return max((f for f in ALLOWED if relative.startswith(f + "/")), key=len, default=None)


def target_of(include, source, root):
    """The folder that an include names, or None when it is no file of this project."""
    if include.startswith(("generator/", "runtime_glue/")):
        # The longest listed folder; else the folder as written, which no rule allows.
        known = [f for f in ALLOWED if include.startswith(f + "/")]
        return max(known, key=len, default=include.rsplit("/", 1)[0])
    if include.startswith("ptowsp/"):
        return "ptowsp"
    beside = source.parent / include
    return folder_of(beside.resolve(), root) if beside.is_file() else None


def broken_arrows(root):
    found, files = [], 0
    for top in ("generator", "runtime_glue"):
        for source in sorted((root / top).rglob("*")):
            if source.suffix not in SOURCES or not source.is_file() or "pto_wsp" in source.parts:
                continue
            files += 1
            folder = folder_of(source, root)
            for include in INCLUDE.findall(source.read_text()):
                target = target_of(include, source, root)
                if target is not None and target != folder and target not in ALLOWED.get(folder, []):
                    found.append(f"{source.relative_to(root).as_posix()} includes {include}")
    return found, files


def test_no_include_breaks_an_arrow():
    found, files = broken_arrows(ROOT)
    assert files > 20, "the sources were not found"
    assert found == []


@pytest.mark.parametrize(
    "path, include",
    [
        ("generator/ir/reader.cpp", "generator/verify/program.h"),
        ("generator/analyze/analyze.cpp", "generator/emit/tree.h"),
        ("runtime_glue/sim/executor.cpp", "generator/base/diagnostic.h"),
        ("runtime_glue/include/ptowsp/npy.h", "runtime_glue/glue/artifact.h"),
        ("generator/base/file.cpp", "../ir/workload.h"),
    ],
)
def test_a_violation_is_found(tmp_path, path, include):
    (tmp_path / "generator/ir").mkdir(parents=True)
    (tmp_path / "generator/ir/workload.h").write_text("#pragma once\n")
    source = tmp_path / path
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(f'#include "{include}"\n')
    found, _ = broken_arrows(tmp_path)
    assert found == [f"{path} includes {include}"]
