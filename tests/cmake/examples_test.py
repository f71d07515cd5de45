"""Each example as a user builds it, and its expected results against numpy."""

import json

import numpy
import pytest
from project import Project, run

EXAMPLES = ["scale", "diamond", "softmax", "rmsnorm", "standardize", "softmax_py"]


def scale(x):
    return {"y": 2 * x}


def diamond(a, b):
    return {"y": (a + b + 1) * (a + b + 2)}


def softmax(x):
    e = numpy.exp(x - x.max(axis=1, keepdims=True))
    return {"y": e / e.sum(axis=1, keepdims=True)}


softmax_py = softmax


def rmsnorm(x, weight):
    return {"y": x / numpy.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-6) * weight}


def standardize(images):
    return {"standard": (images - images.mean(axis=1, keepdims=True)) / images.std(axis=1, keepdims=True)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name, source_dir, package, tmp_path):
    project = Project(tmp_path, package)
    project.folder = source_dir / "examples" / name
    project.configure()
    project.build()
    assert project.ctest("-L", "a2a3sim").failed_tests == []
    assert project.nothing_to_do()
    artifact = project.artifact(name)
    inputs = {p.stem: numpy.load(p).astype(numpy.float64) for p in (artifact / "inputs").glob("*.npy")}
    golden = globals()[name](**inputs)
    outputs = tmp_path / "outputs"
    run(package / "bin/ptowsp-run", artifact, "--outputs", outputs)
    for tensor, expected in golden.items():
        for folder in [artifact / "expected", outputs]:
            got = numpy.load(folder / f"{tensor}.npy")
            assert got.dtype == numpy.float32 and got.shape == expected.shape
            numpy.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5, err_msg=str(folder))
    if name == "standardize":
        rows = numpy.load(outputs / "standard.npy").astype(numpy.float64)
        assert rows.shape == (10000, 784)
        assert abs(rows.mean(axis=1)).max() < 1e-5 and abs(rows.var(axis=1) - 1).max() < 1e-4


def test_every_example_is_tested(source_dir):
    found = sorted(p.parent.name for p in (source_dir / "examples").glob("*/CMakeLists.txt"))
    assert found == sorted(EXAMPLES)
    for name in found:
        if not name.endswith("_py"):
            assert json.loads((source_dir / "examples" / name / f"{name}.json").read_text())["name"] == name
        assert (source_dir / "examples" / name / "README.md").exists()
