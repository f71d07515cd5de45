# SPDX-License-Identifier: MIT
"""A consumer project in a folder of its own: writes it, builds it, and says what the build did."""

import json
import os
import re
import shutil
import subprocess
import time

GENERATORS = ["Ninja", "Ninja Multi-Config", "Unix Makefiles"]
JOBS = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", "2")


def workload(**factors):
    """A workload with one kernel for each keyword: tensor y_<kernel> = factor * x, in two tasks."""
    tile = [8, 16]
    return {
        "ptowsp": 1,
        "name": "sample",
        "tensors": [{"name": "x", "dtype": "f32", "shape": [16, 16], "role": "input"}]
        + [{"name": f"y_{k}", "dtype": "f32", "shape": [16, 16], "role": "output"} for k in factors],
        "kernels": [
            {
                "name": kernel,
                "params": [
                    {"name": "u", "tile": tile, "dtype": "f32", "access": "in"},
                    {"name": "v", "tile": tile, "dtype": "f32", "access": "out"},
                ],
                "body": [
                    {"op": "mul", "args": ["u", factor], "result": "p"},
                    {"op": "store", "args": ["v", "p"]},
                ],
            }
            for kernel, factor in factors.items()
        ],
        "program": [
            {
                "for": "r",
                "extent": 2,
                "mode": "parallel",
                "body": [
                    {"task": k, "args": {"u": "x[8*r:8*r+8, :]", "v": f"y_{k}[8*r:8*r+8, :]"}}
                    for k in factors
                ],
            }
        ],
    }


class Result:
    """What a command printed, with the steps that a build took."""

    def __init__(self, done):
        self.code = done.returncode
        self.text = done.stdout

    def steps(self, verb):
        """Names of the files that `verb` made, sorted: steps("Building CXX object")."""
        return sorted(
            re.sub(r"^kernel_|\.(cpp\.o|so)$", "", os.path.basename(path))
            for path in re.findall(rf"{verb} (.*?)\x1b?$", self.text, re.MULTILINE)
        )

    @property
    def compiled(self):
        return self.steps("Building CXX object")

    @property
    def linked(self):
        return self.steps("Linking CXX shared module")

    @property
    def failed_tests(self):
        return sorted(re.findall(r"\d+ - (\S+) \((?:Failed|Timeout|Not Run|SEGFAULT)", self.text))

    def words(self):
        """The text with every run of blanks as one: CMake wraps its messages."""
        return " ".join(self.text.split())


def run(*command, cwd=None, env=None, succeed=True):
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env={**os.environ, "CLICOLOR_FORCE": "0", "NINJA_STATUS": "[%f/%t] ", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    result = Result(done)
    if succeed is not None:
        assert (result.code == 0) == succeed, f"{command}\nexit {result.code}\n{result.text}"
    return result


class Project:
    def __init__(self, folder, package, generator="Ninja", find="find_package(PtoWsp CONFIG REQUIRED)"):
        self.folder = folder
        self.package = package
        self.generator = generator
        self.find = find
        self.build_folder = folder / "bäu tree"
        self.calls = ""
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def ninja(self):
        return "Ninja" in self.generator

    @property
    def multi_config(self):
        return "Multi-Config" in self.generator

    def write(self, calls=None, before="", languages="CXX"):
        """CMakeLists.txt with these calls."""
        if calls is not None:
            self.calls = calls
        (self.folder / "CMakeLists.txt").write_text(
            f"cmake_minimum_required(VERSION 3.25)\nproject(consumer LANGUAGES {languages})\n"
            f"enable_testing()\n{before}\n{self.find}\n{self.calls}\n"
        )

    def put(self, name, content):
        """A file of the project; a workload is given as a dictionary."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) if isinstance(content, dict) else content)
        return path

    def configure(self, *options, succeed=True, env=None):
        return run(
            "cmake", "-G", self.generator, "-S", self.folder, "-B", self.build_folder,
            f"-DCMAKE_PREFIX_PATH={self.package}", *options, succeed=succeed, env=env,
        )  # fmt: skip

    def build(self, *arguments, succeed=True, keep_going=False, config="Release", env=None):
        command = ["cmake", "--build", self.build_folder, "--parallel", JOBS, *arguments]
        if self.multi_config:
            command += ["--config", config]
        if keep_going:
            command += ["--", "-k", *(["0"] if self.ninja else [])]
        return run(*command, succeed=succeed, env=env)

    def ctest(self, *arguments, succeed=True, config="Release", env=None):
        return run(
            "ctest", "--test-dir", self.build_folder, "-C", config, "--output-on-failure",
            "--no-tests=error", *arguments, succeed=succeed, env=env,
        )  # fmt: skip

    def tests(self, config="Release"):
        """Name -> {property: value} of all tests."""
        text = run("ctest", "--test-dir", self.build_folder, "-C", config, "--show-only=json-v1").text
        listed = json.loads(text[text.index("{") :])
        return {t["name"]: {p["name"]: p["value"] for p in t["properties"]} for t in listed["tests"]}

    def artifact(self, name):
        return self.build_folder / f"{name}.ptowsp"

    def binaries(self, name, config="Release"):
        return self.artifact(name) / (config if self.multi_config else "")

    def nothing_to_do(self):
        """Whether another build does nothing at all."""
        result = self.build()
        if self.ninja:
            return "no work to do" in result.text
        return not re.search(r"Building|Linking|Emitting|Evaluating|Sealing|Listing|Configuring", result.text)

    def remove_build(self):
        shutil.rmtree(self.build_folder, ignore_errors=True)


def renamed(project, content, suffix):
    """Builds a workload, renames its file, says so in CMakeLists.txt, and builds again."""
    old = project.put(f"old name.{suffix}", content)
    project.write(f'ptowsp_add_workload(one SOURCE "old name.{suffix}")')
    project.configure("-DCMAKE_BUILD_TYPE=Release")
    project.build()
    old.rename(project.folder / f"new name.{suffix}")
    if not project.ninja:
        time.sleep(0.02)  # make compares times
    project.write(f'ptowsp_add_workload(one SOURCE "new name.{suffix}")')
    project.build()
    assert project.ctest().failed_tests == []
    # Makefiles of CMake never forget a file that a rule has read, and run the rule again when it is gone.
    assert not project.ninja or project.nothing_to_do()
