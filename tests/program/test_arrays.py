# SPDX-License-Identifier: MIT
"""execute(): inputs are read and results written where the user's arrays are, whatever their form."""
import gc
import os
import threading

import numpy as np
import pytest
from conftest import SIM, increased, numbers, scaled
from pto_wsp import CompileError

TARGETS = [SIM, "cpu_sim"]


def padded(array):
    """The same in a view with gaps between the elements."""
    whole = np.full([2 * n + 1 for n in array.shape], np.nan, array.dtype)
    view = whole[1::2, 1::2]
    view[...] = array
    return view


def mapped(array, folder):
    np.save(folder / "x.npy", array)
    return np.load(folder / "x.npy", mmap_mode="r")


FORMS = {
    "contiguous": lambda a, _: a.copy(),
    "transposed": lambda a, _: a.T.copy().T,
    "strided": lambda a, _: padded(a),
    "reversed": lambda a, _: a[::-1, ::-1].copy()[::-1, ::-1],
    "big-endian": lambda a, _: a.astype(">f4"),
    "float64": lambda a, _: a.astype(np.float64),
    "unaligned": lambda a, _: np.ndarray(a.shape, "f4", bytearray(b"." + a.tobytes()), 1),
}
INPUT_FORMS = {
    **FORMS,
    "read-only": lambda a, _: np.frombuffer(a.tobytes(), np.float32).reshape(a.shape),
    "mapped file": mapped,
    "a row for all": lambda a, _: np.broadcast_to(a[:1], a.shape),
    "list": lambda a, _: a.tolist(),
}


@pytest.mark.parametrize("form", INPUT_FORMS)
def test_inputs(form, tmp_path):
    x = INPUT_FORMS[form](numbers(8, 4), tmp_path)
    before = np.array(x, copy=True)
    y = np.zeros((8, 4), np.float32)
    scaled(x, y)[0].compile(target=SIM).execute()
    np.testing.assert_array_equal(y, 2 * before)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("form", FORMS)
def test_results(form, target):
    x = numbers(8, 4)
    y = FORMS[form](np.full((8, 4), 7, np.float32), None)
    wl, _, tensor = scaled(x, y)
    program = wl.compile(target=target)
    assert (y == 7).all(), "compile() computes nothing"
    program.execute()
    np.testing.assert_array_equal(y, 2 * x)
    assert tensor.data is y


def test_results_leave_the_gaps_of_a_view_alone():
    whole = np.full((17, 9), 5, np.float32)
    x = numbers(8, 4)
    scaled(x, whole[1::2, 1::2])[0].compile(target=SIM).execute()
    np.testing.assert_array_equal(whole[1::2, 1::2], 2 * x)
    whole[1::2, 1::2] = 5
    assert (whole == 5).all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("form", FORMS)
def test_what_is_not_written_stays(form, target):
    before = numbers(8, 4)
    z = FORMS[form](before, None)
    wl, tensor = increased(z)
    program = wl.compile(target=target)
    for _ in range(2):
        program.execute()
    expected = before.copy()
    for _ in range(2):
        expected[:4] += np.float32(1)
    np.testing.assert_array_equal(z, expected)
    assert tensor.data is z


def test_contiguous_inputs_are_not_copied(monkeypatch):
    x, y = numbers(8, 4), np.zeros((8, 4), np.float32)
    program = scaled(x, y)[0].compile(target=SIM)
    from pto_wsp import _runtime
    seen = []
    run = _runtime.Executable.run
    monkeypatch.setattr(_runtime.Executable, "run",
                        lambda self, arrays: (seen.extend(arrays), run(self, arrays)))
    program.execute()
    assert [array.ctypes.data for array in seen] == [x.ctypes.data, y.ctypes.data]


@pytest.mark.parametrize("target", TARGETS)
def test_arrays_are_made_where_there_are_none(target):
    wl, x, y = scaled(None, None)
    program = wl.compile(target=target)
    assert y.data is None
    program.execute()
    assert (y.data.shape, y.data.dtype) == ((8, 4), np.float32)
    assert not y.data.any()
    made = y.data
    x.data[...] = 3
    program.execute()
    assert y.data is made
    assert (made == 6).all()


def test_dlpack():
    class Foreign:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    x, y = numbers(8, 4), np.zeros((8, 4), np.float32)
    scaled(Foreign(x), y)[0].compile(target=SIM).execute()
    np.testing.assert_array_equal(y, 2 * x)


@pytest.mark.parametrize("x, y, rule", [
    (np.full((8, 4), 0.1), None, "wrong-dtype"),
    (np.full((8, 4), 2**24 + 1, np.int32), None, "wrong-dtype"),
    (None, np.zeros((8, 4), np.float16), "wrong-dtype"),
    (None, np.zeros((8, 4), np.int32), "wrong-dtype"),
    (None, np.broadcast_to(np.float32(0), (8, 4)), "read-only"),
    (np.zeros((4, 8), np.float32), None, "wrong-shape"),
], ids=["inexact", "large integers", "half results", "integer results", "read-only result", "shape"])
def test_unfit_arrays(x, y, rule):
    with pytest.raises(CompileError) as caught:
        scaled(x, y)[0].compile(target=SIM)
    assert caught.value.rule == rule


def test_an_input_that_becomes_unfit_later():
    x, y = np.zeros((8, 4), np.float64), np.zeros((8, 4), np.float32)
    program = scaled(x, y)[0].compile(target=SIM)
    x[0, 0] = 0.1
    with pytest.raises(CompileError) as caught:
        program.execute()
    assert caught.value.rule == "wrong-dtype"
    with pytest.raises(CompileError):
        program.synchronize()
    x[0, 0] = 0.5
    program.execute()
    program.synchronize()
    assert y[0, 0] == 1


def test_a_result_over_its_own_input():
    memory = numbers(8, 4)
    before = memory.copy()
    scaled(memory, memory)[0].compile(target=SIM).execute()
    np.testing.assert_array_equal(memory, 2 * before)


def test_repeated_runs_read_the_arrays_anew():
    x, y = numbers(8, 4), np.zeros((4, 8), np.float32).T
    program = scaled(x, y)[0].compile(target=SIM)
    for n in range(50):
        x[...] = n
        program.execute()
        assert (y == 2 * n).all()


@pytest.mark.parametrize("target", TARGETS)
def test_another_array_may_be_assigned(target):
    x, y = numbers(8, 4), np.zeros((8, 4), np.float32)
    wl, x_tensor, y_tensor = scaled(x, y)
    program = wl.compile(target=target)
    program.execute()
    other_x, other_y = x + 1, np.zeros((8, 4), np.float32)
    x_tensor.data, y_tensor.data = other_x, other_y
    program.execute()
    np.testing.assert_array_equal(y, 2 * x)
    np.testing.assert_array_equal(other_y, 2 * other_x)
    with pytest.raises(CompileError, match="wrong-shape"):
        x_tensor.data = np.zeros((4, 4), np.float32)
    assert x_tensor.data is other_x


def test_programs_in_threads():
    failures = []

    def work(n, program, x, y, lock):
        try:
            for i in range(30):
                with lock:
                    x[...] = 100 * n + i
                    program.execute()
                    assert (y == 2 * (100 * n + i)).all()
        except BaseException as error:
            failures.append(error)

    threads = []
    for n in range(4):
        x, y = np.zeros((8, 4), np.float32), np.zeros((8, 4), np.float32)
        program, lock = scaled(x, y)[0].compile(target=SIM, workers=n), threading.Lock()
        threads += [threading.Thread(target=work, args=(n, program, x, y, lock)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_one_program_from_many_threads():
    x, y = numbers(8, 4), np.zeros((8, 4), np.float32)
    program = scaled(x, y)[0].compile(target=SIM)
    failures = []

    def work():
        try:
            for _ in range(20):
                program.execute()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    np.testing.assert_array_equal(y, 2 * x)


def test_in_a_forked_process():
    x, y = numbers(8, 4), np.zeros((8, 4), np.float32)
    program = scaled(x, y)[0].compile(target=SIM)
    program.execute()
    y[...] = 0
    child = os.fork()
    if child == 0:
        status = 1
        try:
            program.execute()
            status = 0 if (y == 2 * x).all() else 2
            del program
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert not y.any()
    program.execute()
    np.testing.assert_array_equal(y, 2 * x)


def test_many_programs_leave_nothing_behind():
    x, y = numbers(8, 4), np.zeros((8, 4), np.float32)

    def run():
        with scaled(x, y)[0].compile(target=SIM) as program:
            program.execute()

    run()
    gc.collect()  # what earlier tests left
    gc.disable()
    files, threads = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    for _ in range(50):
        run()
        scaled(x, y)[0].compile(target=SIM).execute()  # forgotten at once, without close()
    gc.enable()
    assert len(os.listdir("/proc/self/fd")) == files
    assert len(os.listdir("/proc/self/task")) <= threads
