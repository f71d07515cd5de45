# SPDX-License-Identifier: MIT
"""What README, getting started and porting show: the files as printed there build and pass, and the messages come."""

import re

import pytest
from project import Project


def blocks(page, language):
    """The fenced blocks of a page in that language, in order."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for word, block in fenced if word == language]


@pytest.fixture
def shown(source_dir, package, tmp_path):
    """A function: the project that a page shows, its files in `written`, not yet configured."""

    def make(page, source, language, parts=1):
        page = source_dir / page
        project = Project(tmp_path / "pröject with blanks", package)
        (project.folder / source).write_text("\n".join(blocks(page, language)[:parts]), encoding="utf-8")
        (project.folder / "CMakeLists.txt").write_text(blocks(page, "cmake")[0], encoding="utf-8")
        return project

    return make


@pytest.mark.parametrize("page, source, language, parts", [
    ("README.md", "scale.json", "json", 1),
    ("docs/porting.md", "formula.py", "python", 4),
])
def test_project_passes(shown, page, source, language, parts):
    project = shown(page, source, language, parts)
    project.configure()
    project.build()
    assert project.ctest("-L", "a2a3sim").failed_tests == []


def test_getting_started(shown, source_dir):
    page = source_dir / "docs/getting_started.md"
    project = shown(page, "blur.py", "python")
    project.configure()
    project.build()
    assert project.ctest("-L", "a2a3sim").failed_tests == []

    text = page.read_text(encoding="utf-8")
    edit, wrong = re.search(r"Change `(.*?)` to `(.*?)` and build", text).groups()
    kernel = re.search(r"make the kernel wrong instead: `(.*?)`", text)[1]
    out_of_bounds, difference = blocks(page, "")[-2:]
    file = project.folder / "blur.py"
    right = file.read_text(encoding="utf-8")

    file.write_text(right.replace(edit, wrong), encoding="utf-8")
    said = project.build(succeed=False).text
    for line in out_of_bounds.strip().splitlines():
        assert line.replace("…/build/", "").split("…/")[-1] in said

    file.write_text(right.replace("(above + here + below)", kernel), encoding="utf-8")
    project.build()
    tested = project.ctest("-L", "a2a3sim", succeed=False)
    assert tested.failed_tests == ["blur.a2a3sim"]
    for line in difference.strip().splitlines():
        assert line in tested.text
