# SPDX-License-Identifier: MIT
"""Consumer-project tests: the package as users meet it. The environment says where PtoWsp was built."""

import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import project as consumer  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "nightly: takes long, runs with PTOWSP_TIER=nightly only")


def pytest_collection_modifyitems(items):
    if os.environ.get("PTOWSP_TIER") != "nightly":
        for item in items:
            if "nightly" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="a long test: PTOWSP_TIER=nightly runs it"))


@pytest.fixture(scope="session")
def build_dir():
    return pathlib.Path(os.environ["PTOWSP_BUILD_DIR"])


@pytest.fixture(scope="session")
def source_dir():
    return pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def package(build_dir, tmp_path_factory):
    """PtoWsp installed into one prefix and moved to another, whose path has a blank and an umlaut.
    PTOWSP_TEST_PREFIX names an installation to test instead."""
    if "PTOWSP_TEST_PREFIX" in os.environ:
        return pathlib.Path(os.environ["PTOWSP_TEST_PREFIX"])
    base = tmp_path_factory.mktemp("prefix")
    subprocess.run(["cmake", "--install", build_dir, "--prefix", base / "first"], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    moved = base / "möved préfix"
    (base / "first").rename(moved)
    return moved


@pytest.fixture(params=consumer.GENERATORS, ids=["ninja", "ninja-multi", "make"])
def project(request, tmp_path, package):
    """A consumer project, once with each generator."""
    return consumer.Project(tmp_path / "pröject with blanks", package, request.param)


@pytest.fixture
def ninja_project(tmp_path, package):
    return consumer.Project(tmp_path / "pröject with blanks", package, "Ninja")
