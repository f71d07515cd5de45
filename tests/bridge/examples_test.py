# SPDX-License-Identifier: MIT
"""Every example on pto-runtime: by ctest, many times, and by pto-runtime's own tools alone."""
import json
import os
import re
import sys

import many_runs
import numpy as np
import pytest
from conftest import GIVEN, ROOT, all_pass, needs_pto_runtime, patient

pytestmark = needs_pto_runtime
RUNS = 3  # many_runs.py does a hundred
EXAMPLES = many_runs.examples()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The build folder of an example, built once."""
    folders = {}

    def build(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            many_runs.build(name, folders[name], GIVEN)
        return folders[name]
    return build


def test_there_are_examples():
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("name", EXAMPLES)
def test_ctest(name, built):
    text = all_pass(built(name))
    assert re.search(r"\.a2a3sim \.+ +Passed", text), "on pto-runtime"
    assert re.search(r"\.a2a3sim\.builtin \.+ +Passed", text), "and on the built-in runtime"


@pytest.mark.parametrize("name", EXAMPLES)
def test_many_runs(name, built):
    """Each in a process of its own. Not one may be wrong; what pto-runtime gives up on is reported, and not all."""
    folder = built(name)
    for artifact in sorted(folder.rglob("ready")):
        outcomes = []
        for _ in range(RUNS):
            outcome, _, message = many_runs.run_once(artifact.parent, folder / "ptowsp.pto_runtime")
            assert outcome in ("right", "reported"), message
            outcomes.append(outcome)
        assert "right" in outcomes, message


def driver():
    """The program of docs/pto-runtime.md."""
    text = (ROOT / "docs/pto-runtime.md").read_text()
    return re.search(r"```python\n(import importlib.*?)```", text, re.DOTALL).group(1)


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_own_tools_run_the_tree(name, built, tmp_path):
    """With nothing of PtoWsp but the emitted files."""
    (tmp_path / "driver.py").write_text(driver())
    for ready in sorted(built(name).rglob("ready")):
        artifact = ready.parent
        tree = tmp_path / artifact.name
        tree.mkdir()
        for part in ("kernels", "manifest.json"):
            (tree / part).symlink_to(artifact / part)
        manifest = json.loads((artifact / "manifest.json").read_text())
        arrays, results = [], []
        for tensor in manifest["tensors"]:
            if tensor["role"] == "temporary":
                continue
            file = tree / f"{tensor['name']}.npy"
            given = artifact / f"inputs/{tensor['name']}.npy"
            if given.exists():
                np.save(file, np.load(given))
            else:
                expected = np.load(artifact / f"expected/{tensor['name']}.npy")
                np.save(file, np.full_like(expected, 77))
            if tensor["role"] != "input":
                results.append((tensor, file))
            arrays.append(file)
        environment = {**os.environ, "PTO_RUNTIME_PATH": GIVEN, "PYTHONPATH": "", "PTOWSP_GEN": ""}
        for _ in range(5):
            saved = [np.load(file) for file in arrays]
            code, output = patient(sys.executable, "-B", tmp_path / "driver.py", tree, *arrays, env=environment)
            if not re.search(r"Timeout after \d+ idle iterations", output):
                break  # it did not give up, as it does on a busy machine
            for file, array in zip(arrays, saved):
                np.save(file, array)
        assert code == 0, output
        for tensor, file in results:
            expected = np.load(artifact / f"expected/{tensor['name']}.npy")
            np.testing.assert_allclose(np.load(file), expected, rtol=tensor["rtol"], atol=tensor["atol"],
                                       err_msg=output[-3000:])
