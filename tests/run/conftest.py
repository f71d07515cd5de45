# SPDX-License-Identifier: MIT
import pytest
from pair import Artifact


@pytest.fixture
def artifact(tmp_path):
    return Artifact(tmp_path / "pair.ptowsp")
