# SPDX-License-Identifier: MIT
"""What a build costs its user: from an empty tree to a passing test, an edit to its result, a build with
nothing to do; for one workload and for up to 200. Times whole commands, wall clock, with PtoWsp installed.

usage: build_bench.py PREFIX SCALE_PROJECT REPETITIONS OUTPUT.json [COUNT...]

PREFIX: where PtoWsp is installed; SCALE_PROJECT: examples/scale; COUNT: numbers of workloads.
Writes {"<case>": [seconds, ...]}, one number per repetition. Any command that fails ends it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def timed(*command: str, cwd: Path) -> float:
    """Seconds that a command takes; its output is shown when it fails."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"build_bench: {' '.join(command)} failed:\n{done.stdout}")
    return seconds


class Project:
    """A consumer project in a folder of its own, configured with Ninja in release."""

    def __init__(self, folder: Path, prefix: Path):
        self.folder, self.tree = folder, folder / "build"
        self.package = f"-DCMAKE_PREFIX_PATH={prefix}"

    def configure(self) -> float:
        return timed("cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                     self.package, cwd=self.folder)

    def build(self) -> float:
        return timed("cmake", "--build", "build", cwd=self.folder)

    def test(self) -> float:
        """The tests, which build what is not built first."""
        return timed("ctest", "--test-dir", "build", "-L", "a2a3sim", "--no-tests=error", cwd=self.folder)

    def remove_tree(self) -> None:
        shutil.rmtree(self.tree, ignore_errors=True)


def one_workload(folder: Path, prefix: Path, scale: Path, repetitions: int) -> dict[str, list[float]]:
    shutil.copytree(scale, folder, ignore=shutil.ignore_patterns("build*"))
    project = Project(folder, prefix)
    source = folder / "scale.json"
    times: dict[str, list[float]] = {"empty_tree_to_result": [], "edit_to_result": [], "nothing_changed": []}
    for repetition in range(repetitions):
        project.remove_tree()
        times["empty_tree_to_result"].append(project.configure() + project.test())
        workload = json.loads(source.read_text())
        # A scale nobody used before, so that the kernel and nothing else changes.
        body = workload["kernels"][0]["body"]
        body.insert(1, {"op": "mul", "args": [body[0]["result"], 1.0 + repetition], "result": "bench"})
        body[-1]["args"][1] = "bench"
        original = source.read_text()
        source.write_text(json.dumps(workload))
        times["edit_to_result"].append(project.test())
        times["nothing_changed"].append(project.test())
        source.write_text(original)
    return times


def many_workloads(folder: Path, prefix: Path, scale: Path, count: int, repetitions: int) -> dict[str, list[float]]:
    folder.mkdir()
    workload = (scale / "scale.json").read_text()
    lines = ["cmake_minimum_required(VERSION 3.25)", "project(many LANGUAGES CXX)",
             "enable_testing()", "find_package(PtoWsp CONFIG REQUIRED)"]
    for i in range(count):
        (folder / f"w{i}.json").write_text(workload)
        lines.append(f"ptowsp_add_workload(w{i} SOURCE w{i}.json)")
    (folder / "CMakeLists.txt").write_text("\n".join(lines) + "\n")
    project = Project(folder, prefix)
    times: dict[str, list[float]] = {f"{what}_{count}": [] for what in ("configure", "build", "no_op", "test")}
    for _ in range(repetitions):
        project.remove_tree()
        times[f"configure_{count}"].append(project.configure())
        times[f"build_{count}"].append(project.build())
        times[f"no_op_{count}"].append(project.build())
        times[f"test_{count}"].append(project.test() / count)
    return times


def main() -> None:
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    prefix, scale = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    repetitions, output = int(sys.argv[3]), Path(sys.argv[4])
    os.environ.pop("CMAKE_GENERATOR", None)
    with tempfile.TemporaryDirectory(prefix="ptowsp_bench_") as folder:
        times = one_workload(Path(folder) / "scale", prefix, scale, repetitions)
        for count in map(int, sys.argv[5:]):
            print(f"   {count} workloads", flush=True)
            times |= many_workloads(Path(folder) / f"many_{count}", prefix, scale, count,
                                    max(1, min(repetitions, 200 // count)))
    output.write_text(json.dumps(times, indent=1) + "\n")


if __name__ == "__main__":
    main()
