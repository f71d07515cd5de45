# SPDX-License-Identifier: MIT
"""docs/troubleshooting.md quotes messages as they are: each quoted piece stands in the sources, each rule in docs/ir.md."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["cmake", "generator", "runtime_glue"]
# Messages of other programs are marked with the program's name.
OTHERS = re.compile(r"\((?:CMake|Ninja|ctest|Python|the linker)'s\)")


def sources():
    """All sources as one text, with string literals that continue on the next line joined."""
    text = "\n".join(path.read_text(encoding="utf-8") for folder in FOLDERS
                     for path in sorted((ROOT / folder).rglob("*"))
                     if path.suffix in {".cpp", ".h", ".cmake", ".py"})
    return re.sub(r'"\s*\n\s*f?"', "", text)


def messages():
    """(quoted text, rule or None) of the first column of each table."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    for line in page.splitlines():
        cell = re.match(r"\| ((?:[^|`]|`(?:\\`|[^`])*`)+) \|", line)
        if not cell or OTHERS.search(cell[1]):
            continue
        for quoted in re.findall(r"`((?:\\`|[^`])*)`", cell[1]):
            yield quoted


ALL = list(messages())


def test_page_has_messages():
    assert len(ALL) > 30


@pytest.mark.parametrize("quoted", [q for q in ALL if not q.startswith("[")])
def test_message_is_one_of_ours(quoted):
    text = sources()
    # What differs from case to case is an ellipsis here and something computed there.
    for piece in re.split(r"'?…'?", quoted.replace("\\`", "`")):
        assert piece.strip(" '") in text, piece


@pytest.mark.parametrize("rule", [q[1:-1] for q in ALL if q.startswith("[")])
def test_rule_is_documented(rule):
    assert f"| `{rule}` |" in (ROOT / "docs" / "ir.md").read_text(encoding="utf-8") or rule == "unsupported-feature"
