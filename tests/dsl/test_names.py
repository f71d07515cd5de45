# SPDX-License-Identifier: MIT
"""Names come from the user's variables, made fit for C++ where they have to be; texts are the same each
time, and a moved line changes the sidecar only."""
import json
import pathlib
import re
import subprocess
import sys

import pytest

from pto_wsp import CompileError, DType, In, Out, P, Tensor, Tile, kernel, pto, workload
from pto_wsp._names import LIBRARY, WORDS, fit, unique

F32 = DType.F32


@kernel
def copy(src: In[Tile[4, 8, F32]], dst: Out[Tile[4, 8, F32]]):
    pto.store(dst, src)


module_level = Tensor(shape=(4, 8))


def names(*tensors):
    @workload
    def wl():
        for source, target in zip(tensors[::2], tensors[1::2]):
            copy(source, target)
    return [tensor.name for tensor in wl().traced().tensors]


def test_variables_name_tensors():
    def helper(*shape):
        return Tensor(shape=shape)

    class Holder:
        pass
    holder = Holder()
    local = Tensor(shape=(4, 8))
    captured = Tensor(shape=(4, 8))
    first, second = Tensor(shape=(4, 8)), Tensor(shape=(4, 8))
    holder.attribute = Tensor(shape=(4, 8))
    helped = helper(4, 8)
    many = [Tensor(shape=(4, 8)) for _ in range(2)]
    explicit = Tensor(shape=(4, 8), name="given")
    same = explicit_alias = Tensor(shape=(4, 8))

    def use():
        return captured
    assert names(module_level, local, use(), holder.attribute, helped, explicit, same, same) == \
        ["module_level", "local", "captured", "attribute", "helped", "given", "same"]
    assert explicit_alias is same

    @workload
    def wl():
        copy(first, second)
        copy(many[0], many[1])
    assert [tensor.name for tensor in wl().traced().tensors] == \
        ["first", "second", "tensor2", "tensor3"]


def test_names_that_emitted_code_cannot_have():
    gamma = Tensor(shape=(4, 8))
    double = Tensor(shape=(4, 8))
    __x = Tensor(shape=(4, 8))
    λ = Tensor(shape=(4, 8))
    trailing_ = Tensor(shape=(4, 8))
    y = Tensor(shape=(4, 8))
    assert names(gamma, double, __x, λ, trailing_, y) == \
        ["gamma_", "double_", "x", "tensor", "trailing_", "y"]


def test_a_tensor_and_a_kernel_of_one_name():
    @kernel
    def scale(src: In[Tile[4, 8, F32]], dst: Out[Tile[4, 8, F32]]):
        pto.store(dst, src)

    def make():
        scale = Tensor(shape=(4, 8))
        return scale
    x, y = make(), Tensor(shape=(4, 8))

    @workload
    def wl():
        scale(x, y)
    traced = wl().traced()
    assert traced.kernels == ["scale"]
    assert [tensor.name for tensor in traced.tensors] == ["scale_2", "y"]


def test_two_tensors_of_one_name():
    def make():
        x = Tensor(shape=(4, 8))
        return x
    assert names(make(), make(), make(), make()) == ["x", "x_2", "x_3", "x_4"]


def test_explicit_names_are_kept_and_cannot_be_given_twice():
    x = Tensor(shape=(4, 8))
    other = Tensor(shape=(4, 8), name="x")
    assert names(x, other) == ["x_2", "x"]
    with pytest.raises(CompileError, match="two tensors have the name 'x'"):
        names(other, Tensor(shape=(4, 8), name="x"))


def test_loop_variables():
    copy_x, y = Tensor(shape=(2, 2, 4, 8)), Tensor(shape=(2, 2, 4, 8))

    @workload
    def wl():
        for b in P(2):
            for time in P(2):
                copy(copy_x[b, time], y[b, time])
        for i in P(2, name="copy"):  # as the kernel
            for time in P(2):
                copy(copy_x[i, time], y[i, time])
    nodes = json.loads(wl().traced().json_text)["program"]
    assert (nodes[0]["for"], nodes[0]["body"][0]["for"]) == ("b", "time_")
    assert (nodes[1]["for"], nodes[1]["body"][0]["for"]) == ("copy_2", "time_")


def test_the_refused_names_are_those_of_ptowsp_gen():
    source = pathlib.Path(__file__).parents[2] / "generator" / "verify" / "names.cpp"
    text = source.read_text()

    def listed(name):
        return set(re.findall(r'"([^"]+)"', re.search(
            name + r"\[\] = \{(.*?)\};", text, re.DOTALL).group(1)))
    assert WORDS == listed("kKeywords") | listed("kMacros")
    assert LIBRARY == listed("kLibrary")


def test_fit_and_unique():
    assert fit("gamma", "v") == "gamma_" and fit("gamma", "v", WORDS) == "gamma"
    assert fit("_x", "v") == "x" and fit("a__b", "v") == "a_b" and fit("λ", "v") == "v"
    assert fit("ptowsp_x", "v") == "v_ptowsp_x" and len(fit("a" * 300, "v")) <= 128
    taken = {"x"}
    assert [unique("x", taken), unique("x", taken), unique("exp_", taken), unique("exp_", taken)] == \
        ["x_2", "x_3", "exp_", "exp_2"]


SOURCE = '''
from pto_wsp import DType, In, Out, P, Tensor, Tile, kernel, pto, workload
x = Tensor(shape=(16, 8))
y = Tensor(shape=(16, 8))

@kernel
def k(a: In[Tile[4, 8, DType.F32]], b: Out[Tile[4, 8, DType.F32]]):
    pto.store(b, pto.exp(a) * 2.5)

@workload
def wl():
    for i in P(4):
        k(a=x[4*i:4*i+4], b=y[4*i:4*i+4])
'''


def traced(folder, source):
    (folder / "wl.py").write_text(source)
    done = subprocess.run([sys.executable, "-m", "pto_wsp", "trace", "wl.py", "-o", "wl.json"],
                          cwd=folder, capture_output=True, text=True,
                          env={"PYTHONPATH": str(pathlib.Path(sys.modules["pto_wsp"].__file__).parents[1]),
                               "PYTHONHASHSEED": "random"})
    assert done.returncode == 0, done.stderr
    return (folder / "wl.json").read_bytes(), (folder / "wl.locations.json").read_bytes()


def test_the_same_source_gives_the_same_bytes_and_a_moved_line_another_sidecar(tmp_path):
    (tmp_path / "other").mkdir()
    first = traced(tmp_path, SOURCE)
    assert traced(tmp_path / "other", SOURCE) == first
    moved = traced(tmp_path, "\n\n" + SOURCE)
    assert moved[0] == first[0] and moved[1] != first[1]
    nodes = json.loads(first[1])["nodes"]
    assert nodes["/program/0"] == [0, 12] and nodes["/program/0/body/0"] == [0, 13]
    assert json.loads(moved[1])["nodes"]["/program/0"] == [0, 14]
    assert json.loads(first[1])["files"] == ["wl.py"]
