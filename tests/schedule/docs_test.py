# SPDX-License-Identifier: MIT
"""docs/capabilities.md is what the generator renders, and docs/future/pto_runtime_gaps.md names only
what there is."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GEN = os.environ["PTOWSP_GEN"]
GAPS = (ROOT / "docs" / "future" / "pto_runtime_gaps.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", GAPS.split("# Gaps of pto-runtime")[1],
                           re.M | re.S))


def test_capabilities_page_is_current():
    found = subprocess.run([GEN, "capabilities"], capture_output=True, text=True, check=True).stdout
    page = ROOT / "docs" / "capabilities.md"
    assert page.read_text(encoding="utf-8") == found, \
        "write it again: ptowsp-gen capabilities -o docs/capabilities.md"


def test_there_is_a_section_for_each_gap():
    assert list(SECTIONS) == [
        "AICPU scheduler assignment", "Dynamic channels and their deadlock diagnosis",
        "Task-buffer backpressure", "Policy registry", "Slots and tensor-to-slot values",
        "Package manifest", "Import ergonomics"]


def symbols(section):
    text = re.search(r"\*\*Symbols\*\*:(.*?)(?=^- \*\*|\Z)", SECTIONS[section], re.M | re.S)
    return re.findall(r"`(\w+)`", text[1])


@pytest.fixture(scope="module")
def code():
    """What this repository's own code and what it emits say, as one text."""
    files = [path for folder in ("generator", "runtime_glue") for path in (ROOT / folder).rglob("*")
             if path.suffix in {".h", ".cpp", ".py"}]
    emitted = ROOT / "tests" / "golden" / "cases" / "round_robin" / "kernels"
    files += list(emitted.rglob("*.cpp"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@pytest.mark.parametrize("section", SECTIONS)
def test_section_is_whole_and_names_what_there_is(section, code):
    for part in ("Users lose", "Instead", "Symbols", "To change"):
        assert f"- **{part}**: " in SECTIONS[section]
    assert symbols(section)
    for symbol in symbols(section):
        assert re.search(rf"\b{symbol}\b", code), f"{symbol} is nowhere in the code"
