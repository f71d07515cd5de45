# SPDX-License-Identifier: MIT
"""Workloads for a2a3 as packages, compiled by the stand-in: what is installed runs where it was not built."""
import json
import os

from conftest import multiply
from project import run, workload

CALLS = """ptowsp_add_workload(one SOURCE one.json PLATFORMS a2a3sim a2a3 AICPU_THREADS 1)
ptowsp_add_workload(product SOURCE product.json PLATFORMS a2a3sim a2a3)
ptowsp_install_workload(one TEST_DATA)
ptowsp_install_workload(product TEST_DATA DESTINATION share/wörkloads)
"""
SPLIT = ["a2a3/kernel_square_s0.bin", "a2a3/kernel_square_s1.bin"]  # on a cube core, then on a vector core


def test_an_installed_workload_runs_on_the_device(project, tmp_path):
    project.put("one.json", workload(a=2.0))
    project.put("product.json", multiply("mul"))
    project.write(CALLS)
    project.configure()
    project.build()
    project.build("--target", "ptowsp.pto_runtime_a2a3")
    install = ["cmake", "--install", project.build_folder, "--prefix", tmp_path / "first"]
    run(*install, *(["--config", "Release"] if project.multi_config else []))
    runtime = (project.build_folder / "ptowsp.pto_runtime_a2a3").rename(tmp_path / "runtime")
    project.remove_build()
    prefix = (tmp_path / "first").rename(tmp_path / "moved é place")

    for name, codes in (("one", ["a2a3/kernel_a.bin"]), ("product", SPLIT)):
        artifact, = prefix.rglob(f"{name}.ptowsp")
        assert sorted(str(path.relative_to(artifact)) for path in artifact.glob("a2a3/*")) == codes
        kernels = json.loads((artifact / "ready.a2a3").read_text())["kernels"]
        assert sorted(code for levels in kernels.values() for code in levels.values()) == codes
        for options in (["--platform", "a2a3", "--runtime", runtime], []):
            done = run(os.environ["PTOWSP_RUN"], artifact, *options, env=project.environment)
            assert done.text.startswith(f"{name}: right. "), done.text
    # Its own code, and not that of a2a3sim.
    (artifact / SPLIT[1]).write_bytes((prefix / artifact / SPLIT[0]).read_bytes())
    done = run(os.environ["PTOWSP_RUN"], artifact, "--platform", "a2a3", "--runtime", runtime,
               env=project.environment, succeed=False)
    assert done.code in (1, 3), done.text


def test_kernels_of_an_earlier_build_are_not_installed(ninja_project, tmp_path):
    project = ninja_project
    project.put("one.json", workload(a=2.0))
    project.write("ptowsp_add_workload(one SOURCE one.json PLATFORMS a2a3)\nptowsp_install_workload(one)")
    project.configure()
    project.build()
    install = ["cmake", "--install", project.build_folder, "--prefix"]
    ready = project.artifact("one") / "ready.a2a3"
    ready.rename(tmp_path / "ready.a2a3")
    assert (f"ptowsp_install_workload(one): the workload has not been built, there is no {ready}; build the target "
            "one, then install") in run(*install, tmp_path / "none", succeed=False).words()
    (tmp_path / "ready.a2a3").rename(ready)
    project.put("one.json", workload(a=3.0))
    project.configure("-DASCEND_HOME_PATH=OFF")
    project.build()
    run(*install, tmp_path / "prefix")
    artifact, = (tmp_path / "prefix").rglob("one.ptowsp")
    assert (artifact / "ready").exists() and not (artifact / "ready.a2a3").exists()
