# SPDX-License-Identifier: MIT
"""Every source of the product names its licence where tools that collect licences look: in its first two lines."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["generator", "runtime_glue", "cmake", "tests", "tools", "packaging", "examples"]
SOURCES = {".cpp", ".h", ".py", ".cmake", ".in", ".j2", ".js", ".css", ".map"}
# Small inputs of tests, of which texts and line numbers are compared.
INPUTS = ["tests/golden/cases", "tests/error", "tests/dsl/mistakes"]
LICENCE = "SPDX-License-Identifier: MIT"


def sources():
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if any(name.startswith(folder + "/") for folder in INPUTS) or any(
                    p.startswith("build") or p == "__pycache__" for p in path.relative_to(ROOT).parts):
                continue
            if path.is_file() and (path.suffix in SOURCES or path.name == "CMakeLists.txt"):
                yield path


def names_licence(text):
    return any(LICENCE in line for line in text.splitlines()[:2])


def test_sources_name_their_licence():
    found = list(sources())
    assert len(found) > 500
    assert [p.relative_to(ROOT).as_posix() for p in found if not names_licence(p.read_text(encoding="utf-8"))] == []


def test_licence_that_is_missing_or_late_is_noticed():
    assert not names_licence("#pragma once\n")
    assert not names_licence("// A\n// B\n// " + LICENCE + "\n")
    assert names_licence("#!/bin/sh\n# " + LICENCE + "\n")
