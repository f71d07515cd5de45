# SPDX-License-Identifier: MIT
"""A workload's name is refused by ptowsp_add_workload() where ptowsp-gen would refuse it later, in the middle of a
build; and both know the same keywords and target names."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = (ROOT / "generator/verify/names.cpp").read_text()
CMAKE = ROOT / "cmake/PtoWspReservedNames.cmake"


def words_of_generator(array):
    words = re.search(rf"k{array}\[\] = \{{(.*?)\}};", GENERATOR, re.DOTALL)[1]
    return set(re.findall(r'"([^"]+)"', words))


def words_of_cmake(variable):
    return set(re.search(rf"set\({variable} ([^)]*)\)", CMAKE.read_text())[1].split())


SCRIPT = """cmake_minimum_required(VERSION 3.25)
include("{reserved}")
function(_ptowsp_fail)
  set_property(GLOBAL PROPERTY refused TRUE)
endfunction()
foreach(w_name IN ITEMS {names})
  set_property(GLOBAL PROPERTY refused FALSE)
  _ptowsp_check_name()
  get_property(refused GLOBAL PROPERTY refused)
  if(refused)
    message("${{w_name}}")
  endif()
endforeach()
"""


def refused_by_cmake(names, folder):
    script = folder / "names.cmake"
    script.write_text(SCRIPT.format(reserved=CMAKE, names=" ".join(sorted(names))))
    done = subprocess.run(["cmake", "-P", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_ordinary_names_are_good(tmp_path):
    assert refused_by_cmake({"softmax", "a", "scale_2", "Wavefront", "exp"}, tmp_path) == {"exp"}


@pytest.mark.parametrize("array", ["Keywords", "Macros", "Library", "CMake"])
def test_cmake_refuses_what_the_generator_refuses(array, tmp_path):
    names = words_of_generator(array)
    assert len(names) > 15
    assert names - refused_by_cmake(names, tmp_path) == set()


@pytest.mark.parametrize("array, variable", [("Keywords", "cpp"), ("CMake", "cmake")])
def test_both_know_the_same(array, variable):
    assert words_of_generator(array) == words_of_cmake(variable)
