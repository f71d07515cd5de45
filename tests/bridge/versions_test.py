# SPDX-License-Identifier: MIT
"""Which pto-runtime is there: found, refused with the reason, built with its own builder."""
import json
import os
import shutil

from conftest import BRIDGE, PROJECT, ROOT, python, run

def fake(folder, *, tasks=1024, python=True):
    """A checkout with what versions are known by, and nothing else."""
    header = folder / "src/runtime/host_build_graph/runtime/runtime.h"
    files = {header: f"#define RUNTIME_MAX_TASKS {tasks}\n#define RUNTIME_MAX_FANOUT 512\n"
             "int add_task(uint64_t* args, int num_args, int func_id, int core_type = 0);\n",
             folder / "src/platform/include/host/pto_runtime_c_api.h":
             "int register_kernel(int func_id, x);\nint launch_runtime(x);\n",
             folder / "src/platform/a2a3sim/host/device_runner.cpp": "if (bin_size == sizeof(uint64_t))\n",
             folder / "python/bindings.py": "def register_kernel(func_id, binary_data):\n    pass\n",
             folder / "python/runtime_builder.py": "class RuntimeBuilder:\n    pass\n"}
    for file, text in files.items():
        if python or "python" not in file.parts:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    return folder


def test_a_known_version(tmp_path):
    root = fake(tmp_path / "a b")
    done = python(BRIDGE / "versions.py", root)
    assert done.stdout.splitlines() == ["G1", f"{root}/src/runtime/host_build_graph/runtime",
                                        f"{root}/src/platform/a2a3sim/host"]


def test_an_unknown_version(tmp_path):
    root = fake(tmp_path / "later", tasks=4096)
    (root / "python/runtime_builder.py").unlink()
    done = python(BRIDGE / "versions.py", root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"the pto-runtime in {root} is of a version that PtoWsp does not know\n"
        "  G1 differs: no task table of 1024 (src/runtime/host_build_graph/runtime/runtime.h); "
        "no RuntimeBuilder (python/runtime_builder.py)\n"
        f"  fix: git -C {root} checkout 0db0ea4b, or set PTO_RUNTIME_PATH to a checkout of that commit, "
        "or to OFF for the built-in runtime\n")


def test_no_checkout(tmp_path):
    done = python(BRIDGE / "versions.py", tmp_path)
    assert done.stderr == (
        f"{tmp_path} is empty, so it is no checkout of pto-runtime\n  fix: set PTO_RUNTIME_PATH to one, or to OFF for "
        "the built-in runtime; of a submodule: git submodule update --init --recursive\n")
    (tmp_path / "python").mkdir()
    done = python(BRIDGE / "versions.py", tmp_path)
    assert done.stderr == (
        f"{tmp_path} has no folders python and src, so it is no checkout of pto-runtime\n"
        "  fix: set PTO_RUNTIME_PATH to one, or to OFF for the built-in runtime\n")


def test_a_version_whose_files_have_other_places(tmp_path):
    """As later ones have: it is one of pto-runtime all the same."""
    for folder in ("python/bindings", "src/common"):
        (tmp_path / "a later one" / folder).mkdir(parents=True)
    done = python(BRIDGE / "versions.py", tmp_path / "a later one")
    assert done.returncode == 1
    assert f"the pto-runtime in {tmp_path}/a later one is of a version that PtoWsp does not know\n" in done.stderr
    assert f"fix: git -C '{tmp_path}/a later one' checkout 0db0ea4b, or set" in done.stderr


def test_cmake_names_an_unknown_version_and_a_missing_folder(project, tmp_path):
    root = fake(tmp_path / "later", tasks=4096)
    for options, environment in (([f"-DPTO_RUNTIME_PATH={root}"], {}), ([], {"PTO_RUNTIME_PATH": str(root)})):
        done = project(*options, environment=environment)
        assert done.returncode != 0
        text = " ".join(done.stderr.split())
        assert f"ptowsp_add_workload(scale): PTO_RUNTIME_PATH: the pto-runtime in {root} is of a version that " \
            "PtoWsp does not know" in text
        shutil.rmtree(tmp_path / "build")
    done = project("-DPTO_RUNTIME_PATH=/nowhere")
    text = " ".join(done.stderr.split())
    assert "PTO_RUNTIME_PATH is '/nowhere', and there is no such folder; set it to a checkout of pto-runtime, or " \
        "to OFF for the built-in runtime. Where pto-runtime is a submodule: git submodule update --init " \
        "--recursive" in text


def test_without_one_there_is_the_builtin_runtime(project, tmp_path):
    (tmp_path / "source/3rdparty/pto-runtime").mkdir(parents=True)  # a submodule that is not populated
    done = project()
    assert done.returncode == 0, done.stderr
    listed = run("ctest", "--test-dir", tmp_path / "build", "-N").stdout
    assert "scale.a2a3sim\n" in listed and "builtin" not in listed


def test_a_submodule_of_another_version_is_not_passed_over(project, tmp_path):
    later = tmp_path / "source/3rdparty/pto-runtime"
    for folder in ("python/bindings", "src/common"):
        (later / folder).mkdir(parents=True)
    done = project()
    assert done.returncode != 0
    assert f"the pto-runtime in {later} is of a version that PtoWsp does not know" in " ".join(done.stderr.split())


def test_a_populated_submodule_is_found_and_off_is_off(project, tmp_path):
    fake(tmp_path / "source/3rdparty/pto-runtime")
    done = project()
    assert done.returncode == 0, done.stderr
    assert f"workloads run on pto-runtime G1 in {tmp_path}/source/3rdparty/pto-runtime, too" in done.stdout
    listed = run("ctest", "--test-dir", tmp_path / "build", "-N").stdout
    assert "scale.a2a3sim\n" in listed and "scale.a2a3sim.builtin\n" in listed
    done = project("-DPTO_RUNTIME_PATH=OFF")
    assert "builtin" not in run("ctest", "--test-dir", tmp_path / "build", "-N").stdout


def test_more_schedulers_than_pto_runtime_has(project, tmp_path):
    workload = f'ptowsp_add_workload(scale SOURCE "{ROOT}/examples/scale/scale.json" AICPU_THREADS 5)'
    (tmp_path / "source/CMakeLists.txt").write_text(PROJECT.split("ptowsp_add")[0] + workload + "\n")
    root = fake(tmp_path / "runtime")
    done = project(f"-DPTO_RUNTIME_PATH={root}")
    assert done.returncode != 0
    assert f"ptowsp_add_workload(scale): AICPU_THREADS is '5', and pto-runtime ({root}) has 4 scheduler threads; " \
        "use 1 to 4, or configure with PTO_RUNTIME_PATH=OFF for the built-in runtime, which has up to 64" \
        in " ".join(done.stderr.split())
    shutil.rmtree(tmp_path / "build")
    assert project("-DPTO_RUNTIME_PATH=OFF").returncode == 0


def test_a_builder_that_fails_shows_what_it_said(tmp_path):
    root = fake(tmp_path / "broken")
    (root / "python/runtime_builder.py").write_text(
        "class RuntimeBuilder:\n    def __init__(self, platform):\n        print('looking for cmake')\n"
        "    def build(self, name):\n        raise RuntimeError('no ' + name)\n")
    done = python(BRIDGE / "build_runtime.py", root, "-o", tmp_path / "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"building the libraries of pto-runtime in {root} failed: RuntimeError: no host_build_graph\n"
        "  | looking for cmake\n"
        f"  note: all of it is in {tmp_path}/out/build.log\n  fix: look whether CMake, make and g++ work, or set "
        "PTO_RUNTIME_PATH to OFF for the built-in runtime\n")
    assert not (tmp_path / "out/runtime.json").exists()


def test_a_folder_that_is_no_runtime(tmp_path):
    (tmp_path / "a").mkdir()
    done = run(os.environ["PTOWSP_RUN"], tmp_path / "a", "--runtime", tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"{tmp_path}: error: found no runtime.json there, expected the folder of libraries that "
        "build_runtime.py makes\n  fix: build the target ptowsp.pto_runtime again\n")
    (tmp_path / "runtime.json").write_text(json.dumps({"ptowsp_runtime": 2}))
    done = run(os.environ["PTOWSP_RUN"], tmp_path / "a", "--runtime", tmp_path)
    assert f"{tmp_path}/runtime.json: error: found 2, expected an integer from 1 to 1\n" in done.stderr
