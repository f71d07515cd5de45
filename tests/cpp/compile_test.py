# SPDX-License-Identifier: MIT
"""What the compiler refuses, and the sentence that it prints; each case beside one that it takes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BUILD = Path(os.environ["PTOWSP_BUILD_DIR"])
ROOT = Path(__file__).resolve().parents[2]
COMPILERS = [c for c in ("g++", "clang++", "clang++-19") if shutil.which(c)]

FRAME = """
#include <cpp_scale.h>
#include <cpp_halves.h>
#include <array>
#include <vector>
%s
void test(ptowsp::Device& device, cpp_scale::Workload& twice, std::vector<float>& x, std::vector<float>& y) {
  %s
}
"""
# Like std::mdspan, of which compilers with C++17 have none.
MDSPAN = """
#include <cstddef>
template <int R, std::size_t A, std::size_t B> struct Span {
  struct Extents {
    static constexpr std::size_t rank() { return R; }
    static constexpr std::size_t static_extent(std::size_t i) { return i == 0 ? A : B; }
    std::size_t extent(std::size_t) const { return 64; }
  };
  float* data_handle() const { return nullptr; }
  Extents extents() const { return {}; }
  std::size_t stride(std::size_t) const { return 1; }
};
template <std::size_t N> struct Fixed {
  static constexpr std::size_t extent = N;
  float* data() const { return nullptr; }
  std::size_t size() const { return N; }
};
"""
NAMED = {
    "vectors": "twice(x, y);",
    "an array": "static float z[64][64]; twice(x, z);",
    "a view": "twice(ptowsp::TensorView<const float, 64, 64>(x.data()), y);",
    "a device tensor": "ptowsp::DeviceTensor<float, 64, 64> t(device, x); twice(t, y);",
    "a span of that size": "twice(Fixed<4096>(), y);",
    "a view like mdspan": "twice(Span<2, 64, 64>(), y);",
}
REFUSED = {
    "another dtype": ("std::vector<double> z(4096); twice(z, y);",
                      "ptowsp: the array's elements are not of the tensor's dtype"),
    "another dtype of the same size": ("std::vector<int> z(4096); twice(z, y);",
                                       "ptowsp: the array's elements are not of the tensor's dtype"),
    "an output that is const": ("const std::vector<float> z(4096); twice(x, z);",
                                "ptowsp: the workload writes this tensor, and the array is const"),
    "an array of another size": ("static float z[4095]; twice(x, z);",
                                 "ptowsp: the array has not as many elements as the tensor"),
    "an array of another shape": ("static float z[32][128]; twice(z, y);",
                                  "ptowsp: the array has not the tensor's shape"),
    "an array of another rank": ("static float z[64][8][8]; twice(z, y);",
                                 "ptowsp: the array has not the tensor's rank"),
    "std::array of another size": ("std::array<float, 100> z; twice(z, y);",
                                   "ptowsp: the array has not as many elements as the tensor"),
    "a span of another size": ("twice(Fixed<4095>(), y);", "ptowsp: the span has not as many elements as the tensor"),
    "a view of another shape": ("twice(ptowsp::TensorView<const float, 32, 128>(x.data()), y);",
                                "ptowsp: the view has not the tensor's shape"),
    "a view like mdspan of another shape": ("twice(Span<2, 64, 65>(), y);",
                                            "ptowsp: the view has not the tensor's shape"),
    "a view like mdspan of another rank": ("twice(Span<1, 64, 64>(), y);",
                                           "ptowsp: the view has not the tensor's rank"),
    "a device tensor of another shape": ("ptowsp::DeviceTensor<float, 64, 65> t(device); twice(t, y);",
                                         "ptowsp: the device tensor has not the tensor's shape"),
    "a device tensor of another dtype": ("ptowsp::DeviceTensor<ptowsp::f16, 64, 64> t(device); twice(t, y);",
                                         "ptowsp: the device tensor's elements are not of the tensor's dtype"),
    "a pointer": ("twice(x.data(), y);", "ptowsp: a pointer does not tell how many elements there are; say it"),
    "something else": ("twice(7, y);", "ptowsp: give a TensorView, an array, std::array, std::vector, std::span"),
    "a view of a device tensor": ("ptowsp::DeviceTensor<float, 64, 64> t(device); "
                                  "ptowsp::TensorView<float, 64, 64> v(t);",
                                  "ptowsp: a view is of an array on the host: download() the device tensor"),
}


def compile_text(compiler, folder, body, *options):
    source = folder / "program.cpp"
    source.write_text(FRAME % (MDSPAN, body))
    includes = [f"-I{ROOT}/runtime_glue/include",
                *(f"-I{BUILD}/tests/cpp/cpp_{name}.ptowsp/include" for name in ("scale", "halves"))]
    return subprocess.run([compiler, "-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow",
                           "-Wconversion", "-Werror", *includes, *options, source], capture_output=True, text=True)


@pytest.fixture(params=COMPILERS)
def compiler(request):
    return request.param


def test_there_is_a_compiler():
    assert COMPILERS


def test_what_fits_compiles_without_warnings(compiler, tmp_path):
    """All of it in one program, with exceptions and without."""
    body = "\n".join("{ %s }" % case for case in NAMED.values())
    for options in ([], ["-fno-exceptions"], ["-std=c++20"]):
        done = compile_text(compiler, tmp_path, body, *options)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused(case, tmp_path):
    body, sentence = REFUSED[case]
    done = compile_text(COMPILERS[0], tmp_path, body)
    assert done.returncode != 0
    assert sentence in done.stderr


def test_a_header_of_another_version_is_refused(tmp_path):
    program = tmp_path / "other.cpp"
    program.write_text("#include <ptowsp/workload.h>\n#undef PTOWSP_CXX_INTERFACE\n#define PTOWSP_CXX_INTERFACE 0\n"
                       "#include <cpp_scale.h>\n")
    done = subprocess.run([COMPILERS[0], "-std=c++17", "-fsyntax-only", f"-I{ROOT}/runtime_glue/include",
                           f"-I{BUILD}/tests/cpp/cpp_scale.ptowsp/include", program], capture_output=True, text=True)
    assert done.returncode != 0
    assert "cpp_scale.h was emitted by ptowsp-gen" in done.stderr
    assert "build the target cpp_scale again" in done.stderr
