# SPDX-License-Identifier: MIT
"""Links between pages lead to files that are there, and to headings that they have."""

import re
import string
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def pages(root):
    for path in sorted(root.rglob("*.md")):
        if not any(part.startswith("build") or part == "node_modules" for part in path.relative_to(root).parts):
            yield path


def anchors(page):
    """Of each heading: lower case, blanks as hyphens, without punctuation."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE):
        text = heading.lower().replace(" ", "-")
        found.add("".join(c for c in text if c not in set(string.punctuation) - {"-", "_"}))
    return found


def broken_links(root):
    broken = []
    for page in pages(root):
        for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            target = page.parent / name if name else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(root)}: {link}")
    return broken


def test_links_lead_somewhere():
    assert len(list(pages(ROOT))) > 20
    assert broken_links(ROOT) == []


@pytest.mark.parametrize("link, broken", [("other.md", False), ("other.md#a-heading-2", False), ("https://example.org/x", False),
                                          ("missing.md", True), ("other.md#no-heading", True), ("#nothing", True)])
def test_a_broken_link_is_found(tmp_path, link, broken):
    (tmp_path / "other.md").write_text("# A heading: 2\n", encoding="utf-8")
    (tmp_path / "page.md").write_text(f"# Page\n[x]({link})\n", encoding="utf-8")
    assert broken_links(tmp_path) == ([f"page.md: {link}"] if broken else [])
