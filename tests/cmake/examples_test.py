# SPDX-License-Identifier: MIT
"""Each example as a user builds it, and its expected results against numpy."""

import json
import re

import numpy
import pytest
from project import Project, run

# By where their golden is: of those in JSON below, of those in Python in the file itself.
IN_JSON = ["scale", "diamond", "rmsnorm", "standardize"]
IN_PYTHON = ["softmax", "elementwise", "layernorm", "rope", "bgemm", "mlp", "attention",
             "flash_attention", "fashion_mlp", "image_blur_edges", "lu", "wavefront", "csp_pipeline", "pipeline3"]  # fmt: skip

# Built with the test of the pinned limits, too: how many launches they take.
LAUNCHES = {"lu": 2, "wavefront": 2, "pipeline3": 2, "csp_pipeline": 1}


def scale(x):
    return {"y": 2 * x}


def diamond(a, b):
    return {"y": (a + b + 1) * (a + b + 2)}


def rmsnorm(x, weight):
    return {"y": x / numpy.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-6) * weight}


def standardize(images):
    return {"standard": (images - images.mean(axis=1, keepdims=True)) / images.std(axis=1, keepdims=True)}


@pytest.fixture
def built(source_dir, package, tmp_path):
    """A function: builds an example and tests it as its README says; the project."""

    def build(name):
        project = Project(tmp_path, package)
        project.folder = source_dir / "examples" / name
        project.configure(*["-DPTOWSP_TEST_PINNED_LIMITS=ON"] * (name in LAUNCHES))
        project.build()
        assert project.ctest("-L", "a2a3sim").failed_tests == []
        assert (f"{name}.a2a3sim.limits" in project.tests()) == (name in LAUNCHES)
        assert project.nothing_to_do()
        return project

    return build


@pytest.mark.parametrize("name", IN_JSON)
def test_example_in_json(name, built, package, tmp_path):
    artifact = built(name).artifact(name)
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


@pytest.mark.parametrize("name", IN_PYTHON)
def test_example_in_python(name, built):
    """What is expected is golden()'s: tests/gallery compares that with the reference, and wrong kernels
    with it. Here: that the results were compared with it."""
    project = built(name)
    artifact = project.artifact(name)
    manifest = json.loads((artifact / "manifest.json").read_text())
    outputs = [t["name"] for t in manifest["tensors"] if t["role"] in ("output", "inout")]
    told = json.loads(run(project.package / "bin/ptowsp-run", artifact, "--json").text)
    assert sorted(result["name"] for result in told["tensors"]) == sorted(outputs) != []
    if name in LAUNCHES:
        assert manifest["graph"]["segments"] == LAUNCHES[name]
        assert LAUNCHES[name] == 1 or manifest["graph"]["tasks"] > 1024
    if (project.folder / "report.py").exists():
        assert (project.folder / "README.md").read_text().count("--target report") == 1
        reported = project.build("--target", "report").text
        globals()[f"reported_by_{name}"](project.build_folder, reported)


def reported_by_image_blur_edges(folder, text):
    from PIL import Image

    assert "512 x 600 pixels, 552 tasks, " in text
    pictures = {name: Image.open(folder / f"{name}.png") for name in ("before", "blurred", "edges")}
    assert {(picture.size, picture.mode) for picture in pictures.values()} == {((512, 600), "L")}
    levels = {name: numpy.asarray(picture, dtype=float) for name, picture in pictures.items()}
    # Blurred it looks the same from afar, and is smoother; edges are dark, with a few bright lines.
    assert abs(levels["blurred"].mean() - levels["before"].mean()) < 1
    roughness = {name: numpy.abs(numpy.diff(level)).mean() for name, level in levels.items()}
    assert roughness["blurred"] < 0.5 * roughness["before"]
    assert numpy.median(levels["edges"]) < 64 and levels["edges"].max() == 255


def reported_by_fashion_mlp(folder, text):
    from PIL import Image

    said = re.search(r"accuracy ([\d.]+) % of 10000 test images; 10000 labels agree with numpy; (\d+) tasks, ", text)
    assert said and 86 < float(said[1]) < 92 and int(said[2]) >= 1000, text
    picture = numpy.asarray(Image.open(folder / "classified.png").convert("RGB"), dtype=int)
    assert picture.shape[0] > 400 and picture.shape[1] > 800
    # Images in grey, and titles in green and in red.
    red, green = ((picture[..., i] - picture[..., 1 - i] > 60).sum() for i in (0, 1))
    assert red > 100 and green > 500


def test_every_example_is_tested(source_dir):
    found = sorted(p.parent.name for p in (source_dir / "examples").glob("*/CMakeLists.txt"))
    assert found == sorted(IN_JSON + IN_PYTHON + ["cpp_app"])
    for name in IN_JSON + IN_PYTHON:
        folder = source_dir / "examples" / name
        if name in IN_JSON:
            assert json.loads((folder / f"{name}.json").read_text())["name"] == name
        else:
            assert "\ndef golden(" in (folder / f"{name}.py").read_text()
        assert (folder / "README.md").exists()


def test_program_that_calls_workloads(built):
    project = built("cpp_app")
    assert sorted(project.tests()) == ["cpp_app", "diamond.a2a3sim", "ptowsp.build", "scale.a2a3sim"]
    assert run(project.build_folder / "cpp_app").text == (
        "diamond: 4 tasks, 4 edges; scale: 4 tasks\nlargest error 0\n")
