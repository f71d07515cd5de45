# SPDX-License-Identifier: MIT
"""What users get wrong: each file in mistakes/ beside the whole text of its error.

PTOWSP_UPDATE_GOLDENS=1 writes the texts anew.
"""
import os
import pathlib
import re

import pytest

from pto_wsp import CompileError
from pto_wsp._check import check
from pto_wsp._file import load

FOLDER = pathlib.Path(__file__).parent / "mistakes"
CASES = sorted(path.stem for path in FOLDER.glob("*.py"))


def test_there_are_cases():
    assert len(CASES) > 50


@pytest.mark.parametrize("case", CASES)
def test_mistake(case, monkeypatch):
    monkeypatch.chdir(FOLDER)
    with pytest.raises(CompileError) as caught:
        check(load(f"{case}.py").trace("wl", {}))
    error = caught.value
    assert os.path.basename(error.file) == f"{case}.py"
    text = f"{error}\n"
    expected = FOLDER / f"{case}.txt"
    if os.environ.get("PTOWSP_UPDATE_GOLDENS"):
        expected.write_text(text)
    assert text == expected.read_text()
    place = re.match(r"(.*):(\d+): error: ", text)
    assert place and place.group(1) == f"{case}.py" and int(place.group(2)) == error.line
    assert text.splitlines()[0].endswith(f" [{error.rule}]")
    if error.rule == "unsupported-feature":
        assert "docs/future/pto_runtime_gaps.md" in text
