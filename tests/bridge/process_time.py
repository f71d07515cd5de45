# SPDX-License-Identifier: MIT
"""What one test takes on pto-runtime, against the built-in runtime, and whose time it is.

    process_time.py ARTIFACT RUNTIME [--runs N]

ARTIFACT: a workload built for both, RUNTIME: the folder of pto-runtime's libraries (ptowsp.pto_runtime). With
PTOWSP_RUN of the tests' environment. Prints medians in milliseconds.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

# launch.py, with the time of each of its reports in a file.
WRAPPER = """import os, runpy, sys, time
begun = time.monotonic_ns()
write = os.write
def noted(descriptor, data):
    if descriptor == 3:
        with open(os.environ["PTOWSP_TEST_TIMES"], "a") as file:
            file.write(f"{time.monotonic_ns() - begun} {data.decode()}")
    return write(descriptor, data)
os.write = noted
sys.argv = [%r]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
# The phases of launch.py in which pto-runtime's own code runs; what else it does is PtoWsp's.
OWN = {"building the task graph (orchestration)": "orchestration", "running the tasks": "launch",
       "bringing the results back from the device": "finalize", "registering the kernels": "registration"}


def run(artifact, *options, env=None):
    begun = time.monotonic()
    subprocess.run([os.environ["PTOWSP_RUN"], str(artifact), *map(str, options)], check=True, capture_output=True,
                   env={**os.environ, **(env or {})})
    return (time.monotonic() - begun) * 1e3


def phases(path):
    """Milliseconds of each phase of one process of pto-runtime, and before the first one."""
    lines = [line.split(" ", 1) for line in path.read_text().splitlines()]
    marks = [(int(at) / 1e6, text.partition(" ")[2]) for at, text in lines if text.startswith(("phase", "done"))]
    found = {}
    for (begin, name), (end, _) in zip(marks, marks[1:]):
        found[name] = found.get(name, 0) + end - begin
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("artifact", type=pathlib.Path)
    parser.add_argument("runtime", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    external, builtin, found = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for library in options.runtime.resolve().glob("*.so"):
            (folder / library.name).symlink_to(library)
        description = json.loads((options.runtime / "runtime.json").read_text())
        (folder / "launch.py").write_text(WRAPPER % description["launcher"])
        (folder / "runtime.json").write_text(json.dumps({**description, "launcher": str(folder / "launch.py")}))
        for _ in range(options.runs):
            external.append(run(options.artifact, "--runtime", options.runtime))
            builtin.append(run(options.artifact, "--workers", 2))
            times = folder / "times"
            times.unlink(missing_ok=True)
            run(options.artifact, "--runtime", folder, env={"PTOWSP_TEST_TIMES": str(times)})
            found.append(phases(times))
    total = statistics.median(external)
    print(f"built-in runtime   {statistics.median(builtin):8.1f}")
    print(f"pto-runtime        {total:8.1f}")
    own = 0.0
    for phase in found[0]:
        median = statistics.median(one[phase] for one in found)
        own += median if phase in OWN else 0
        print(f"  {phase:<46} {median:8.1f}{'  its own' if phase in OWN else ''}")
    print(f"its own: {own:.1f} of {total:.1f} ms, {100 * own / total:.0f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
