# SPDX-License-Identifier: MIT
"""A run of tier ci draws what the run before it drew: only tests/seed.h and tests/python/seed.py ask for new
numbers, and hypothesis is given a seed."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASK = {"tests/seed.h", "tests/python/seed.py", "tests/arrows/seeds_test.py"}
NEW = re.compile(r"random_device|SystemRandom|urandom|\bs?rand\(|default_rng\(\)|\bRandom\(\)")


def draws(root):
    found, files = [], 0
    for source in sorted((root / "tests").rglob("*")):
        name = source.relative_to(root).as_posix()
        if source.suffix not in {".h", ".cpp", ".py"} or name in ASK:
            continue
        files += 1
        text = source.read_text()
        found += [f"{name}: {match.group()}" for match in NEW.finditer(text)]
        if text.count("\n@given(") != text.count("\n@seed(SEED)\n"):
            found.append(f"{name}: @given without @seed(SEED)")
    return found, files


def test_no_test_draws_its_own_seed():
    found, files = draws(ROOT)
    assert files > 100, "the tests were not found"
    assert found == []


@pytest.mark.parametrize("name, text, found", [
    ("a.cpp", "std::mt19937 random(std::random_device{}());\n", "random_device"),
    ("a.cpp", "int x = rand() % 3;\n", "rand("),
    ("a.py", "rng = np.random.default_rng()\n", "default_rng()"),
    ("a.py", "\n@settings(\n    max_examples=3)\n@given(st.text())\ndef test_x(t): ...\n",
     "@given without @seed(SEED)"),
    ("a.py", "\n@seed(SEED)\n@settings(\n    max_examples=3)\n@given(st.text())\ndef test_x(t): ...\n", None),
    ("a.py", "rng = np.random.default_rng(3)\n", None)])
def test_one_that_does_is_found(tmp_path, name, text, found):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / name).write_text(text)
    assert draws(tmp_path)[0] == ([f"tests/{name}: {found}"] if found else [])
