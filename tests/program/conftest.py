# SPDX-License-Identifier: MIT
"""Programs of the build tree's package, in a cache folder of the tests' own."""
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

BUILD = pathlib.Path(os.environ["PTOWSP_BUILD_DIR"])
PACKAGE = BUILD / "python"
sys.path.insert(0, str(PACKAGE))

from pto_wsp import DType, In, InOut, Out, P, Scalar, Tensor, Tile, kernel, pto, workload  # noqa: E402

SIM = "pto_runtime_a2a3sim"


@pytest.fixture(scope="session", autouse=True)
def cache_dir(tmp_path_factory):
    """One cache folder for a whole file, so that few workloads are built."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["PTOWSP_CACHE_DIR"] = str(folder)
    os.environ.pop("PTOWSP_CACHE_SIZE", None)
    return folder


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    folder = tmp_path / "cache of its own"
    monkeypatch.setenv("PTOWSP_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def _built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    before = os.environ["PTOWSP_CACHE_DIR"]
    os.environ["PTOWSP_CACHE_DIR"] = str(folder)
    scaled(None, None)[0].compile(target=SIM).close()
    os.environ["PTOWSP_CACHE_DIR"] = before
    return folder


@pytest.fixture
def filled_cache(_built, own_cache):
    """A cache folder of the test's own that has scaled() in it, and nothing else."""
    shutil.copytree(_built, own_cache)
    return own_cache


@kernel
def scale(x_tile: In[Tile[4, 4, DType.F32]], y_tile: Out[Tile[4, 4, DType.F32]],
          s: Scalar[DType.F32]):
    pto.store(y_tile, pto.mul(x_tile, s))


def scaled(x, y):
    """y = 2x, of 8 x 4 elements, two tasks. x and y: arrays, or None."""
    x = Tensor(data=x, shape=(8, 4), dtype=DType.F32, name="x")
    y = Tensor(data=y, shape=(8, 4), dtype=DType.F32, name="y")

    @workload
    def wl():
        for i in P(2):
            scale(x_tile=x[4 * i:4 * i + 4], y_tile=y[4 * i:4 * i + 4], s=2.0)

    return wl().named("scale"), x, y


def increased(z):
    """Rows 0 to 3 of z, of 8 x 4 elements, plus 1, in place; the others stay."""
    z = Tensor(data=z, shape=(8, 4), dtype=DType.F32, name="z")

    @kernel
    def increase(tile: InOut[Tile[4, 4, DType.F32]]):
        pto.store(tile, tile + 1.0)

    @workload
    def wl():
        increase(z[0:4])

    return wl().named("increase"), z


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def entries(folder):
    """The entries of a cache folder."""
    programs = pathlib.Path(folder) / "programs"
    return sorted(programs.iterdir()) if programs.exists() else []


def python(code, *arguments, env=None, **options):
    """A Python process with the package on its path."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), **(env or {})}
    return subprocess.run([sys.executable, "-B", "-c", code, *arguments], env=environment,
                          capture_output=True, text=True, timeout=120, **options)
