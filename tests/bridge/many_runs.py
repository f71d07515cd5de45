# SPDX-License-Identifier: MIT
"""Every example on pto-runtime, many times, each run in a process of its own.

    many_runs.py -o FOLDER [--runs N] [--again] [--nightly] [EXAMPLE...]

with the environment of the tests: PTO_RUNTIME_PATH (or PTOWSP_TEST_PTO_RUNTIME), PTOWSP_BUILD_DIR, PTOWSP_RUN. FOLDER gets the builds,
progress.log, a line for each run, and table.json, written after each: for each workload how many runs were
right, reported (a failure that was told, with no result), and wrong. A second call goes on where the first
one was ended; --again begins anew. Exit status: 0 when no result was wrong, 77 without a pto-runtime.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTCOMES = {0: "right", 1: "wrong", 3: "reported"}
LIMIT = 120  # seconds for one run, of which the runner itself takes 60 at most
SKIPPED = 77


def examples():
    return sorted(path.parent.name for path in ROOT.glob("examples/*/CMakeLists.txt"))


def build(name, folder, pto_runtime):
    """Builds an example for both runtimes; the folders of its artifacts, without configurations of limits."""
    for command in (["cmake", "-G", "Ninja", "-S", ROOT / "examples" / name, "-B", folder,
                     f"-DPtoWsp_DIR={os.environ['PTOWSP_BUILD_DIR']}", "-DCMAKE_BUILD_TYPE=Release",
                     f"-DPTO_RUNTIME_PATH={pto_runtime}"],
                    ["cmake", "--build", folder, "--target", "ptowsp.workloads"]):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"building {name} failed\n{done.stdout}{done.stderr}")
    return sorted(path.parent for path in folder.rglob("ready"))


def run_once(artifact, runtime):
    """Outcome, seconds of the process, what it said on stderr."""
    begun = time.monotonic()
    try:
        done = subprocess.run([os.environ["PTOWSP_RUN"], str(artifact), "--runtime", str(runtime)],
                              capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return "no end", time.monotonic() - begun, f"the runner did not end within {LIMIT} s"
    return OUTCOMES.get(done.returncode, f"exit {done.returncode}"), time.monotonic() - begun, done.stderr


class Table:
    """What was found so far; kept in a file."""

    def __init__(self, folder, identity, again):
        self.path = folder / "table.json"
        self.log = folder / "progress.log"
        self.data = {"identity": identity, "workloads": {}}
        if self.path.exists() and not again:
            found = json.loads(self.path.read_text())
            if found["identity"] != identity:
                sys.exit(f"{self.path} is about other programs: {found['identity']}, now {identity}; --again begins "
                         "anew")
            self.data = found

    def row(self, workload):
        return self.data["workloads"].setdefault(workload, {"right": 0, "reported": 0, "wrong": 0, "other": 0,
                                                            "seconds": [], "messages": []})

    def runs(self, workload):
        return len(self.row(workload)["seconds"])

    def add(self, workload, outcome, seconds, message):
        row = self.row(workload)
        row[outcome if outcome in row else "other"] += 1
        row["seconds"].append(round(seconds, 3))
        if outcome != "right":
            row["messages"].append(f"{outcome}: {message.strip()}")
        first = message.strip().splitlines()[0] if message.strip() else ""
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%H:%M:%S')} {workload} {self.runs(workload)} {outcome} {seconds:.2f} s"
                      f"{'  ' + first if outcome != 'right' else ''}\n")
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(self.data, indent=1) + "\n")
        partial.replace(self.path)

    def text(self):
        lines = [f"{'workload':<44} {'right':>6} {'reported':>9} {'wrong':>6} {'other':>6}  median s"]
        for name, row in self.data["workloads"].items():
            lines.append(f"{name:<44} {row['right']:>6} {row['reported']:>9} {row['wrong']:>6} {row['other']:>6}  "
                         f"{statistics.median(row['seconds'] or [0]):.2f}")
        return "\n".join(lines)

    @property
    def good(self):
        return all(row["wrong"] == row["other"] == 0 for row in self.data["workloads"].values())


def identity(pto_runtime):
    """pto-runtime's commit, and the runner."""
    commit = subprocess.run(["git", "-C", pto_runtime, "rev-parse", "HEAD"], capture_output=True, text=True)
    version = subprocess.run([os.environ["PTOWSP_RUN"], "--version"], capture_output=True, text=True, check=True)
    return {"pto_runtime": commit.stdout.strip() or pto_runtime, "runner": version.stdout.strip()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--nightly", action="store_true", help="do nothing unless PTOWSP_TIER=nightly")
    parser.add_argument("examples", nargs="*", metavar="EXAMPLE")
    options = parser.parse_args()
    unknown = set(options.examples) - set(examples())
    if unknown:
        parser.error(f"there is no example {' '.join(sorted(unknown))}; there are {' '.join(examples())}")
    pto_runtime = os.environ.get("PTO_RUNTIME_PATH") or os.environ.get("PTOWSP_TEST_PTO_RUNTIME", "")
    if pto_runtime in ("", "OFF"):
        print("skipped: no pto-runtime: set PTO_RUNTIME_PATH to a checkout")
        return SKIPPED
    if options.nightly and os.environ.get("PTOWSP_TIER") != "nightly":
        print("skipped: a long test: PTOWSP_TIER=nightly runs it")
        return SKIPPED
    options.output.mkdir(parents=True, exist_ok=True)
    table = Table(options.output, identity(pto_runtime), options.again)
    for name in options.examples or examples():
        folder = options.output.resolve() / name
        for artifact in build(name, folder, pto_runtime):
            workload = f"{name}/{artifact.name.removesuffix('.ptowsp')}"
            while table.runs(workload) < options.runs:
                table.add(workload, *run_once(artifact, folder / "ptowsp.pto_runtime"))
            print(f"{workload}: {table.runs(workload)} runs", flush=True)
    print(table.text())
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
