# SPDX-License-Identifier: MIT
"""Runs all benchmarks by turns, and writes performance.json, the table of performance.md and the plots.

usage: measure.py BUILD_TREE OUTPUT_FOLDER [--quick]

Repetitions of one program's benchmarks are interleaved at random, so that whatever else the machine does
hits all contenders alike. Every sample is kept in performance.json.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from plots import draw_build_times, draw_tasks
from progress import step
from rows import ROWS, Row

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- figures: written by tools/bench -->\n", "<!-- end of figures -->\n"
UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
COUNTS = (1, 10, 50, 200)

Samples = dict[str, list[float]]


def run_program(program: Path, repetitions: int) -> list[dict]:
    """All repetitions of all benchmarks of one program."""
    with step(f"{program.name}, {repetitions} repetitions, interleaved"), tempfile.NamedTemporaryFile(suffix=".json") as file:
        done = subprocess.run(
            [program, f"--benchmark_repetitions={repetitions}", "--benchmark_enable_random_interleaving=true",
             f"--benchmark_out={file.name}", "--benchmark_out_format=json"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(f"measure: {program} failed:\n{done.stdout}")
        runs = json.loads(Path(file.name).read_text())["benchmarks"]
    failed = [f"{run['name']}: {run['error_message']}" for run in runs if run.get("error_occurred")]
    if failed:
        sys.exit("measure: not measured:\n" + "\n".join(failed))
    return [run for run in runs if run["run_type"] == "iteration"]


def plain_name(run: dict) -> str:
    """The benchmark's name without the settings that Google Benchmark appends."""
    parts = run["run_name"].split("/")
    return "/".join(part for part in parts if ":" not in part and part not in ("manual_time", "real_time"))


def collect(tree: Path, quick: bool) -> Samples:
    samples: Samples = {}

    def keep(name: str, value: float) -> None:
        samples.setdefault(name, []).append(value)

    for run in run_program(tree / "bench/graph_bench", 3 if quick else 11):
        name = plain_name(run)
        seconds = run["real_time"] * UNIT_SECONDS[run["time_unit"]]
        keep(name, seconds * 1e3 if name == "ptowsp/one_task/1" else run["ns/task"])
    for run in run_program(tree / "bench/call_bench", 5 if quick else 41):
        keep(plain_name(run), run["real_time"] * UNIT_SECONDS[run["time_unit"]] * 1e6)
    units = {row.sample: row.unit for row in ROWS}
    for run in run_program(tree / "bench/process_bench", 5 if quick else 41):
        name = plain_name(run)
        keep(name, run["real_time"] * UNIT_SECONDS[run["time_unit"]] / UNIT_SECONDS[units.get(name, "ms")])
        if "million" in name:
            keep(f"memory/{name}", run["peak bytes"] / 1e6)
    with step("kernel_bench"), tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([tree / "bench/kernel_bench", file.name], check=True)
        for case, forms in json.loads(Path(file.name).read_text()).items():
            samples |= {f"kernel/{case}/{form}": values for form, values in forms.items()}
    with step("network_bench.py"), tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([sys.executable, HERE / "network_bench.py", tree / "fashion_mlp", tree / "prefix/bin/ptowsp-run",
                        HERE.parents[1] / "examples/fashion_mlp", "5" if quick else "21", file.name], check=True)
        times = json.loads(Path(file.name).read_text())
        samples |= {f"network/{contender}": values for contender, values in times.items()}
    with step("build_bench.py"), tempfile.NamedTemporaryFile(suffix=".json") as file:
        counts = [str(count) for count in (COUNTS[:2] if quick else COUNTS)]
        subprocess.run([sys.executable, HERE / "build_bench.py", tree / "prefix", HERE.parents[1] / "examples/scale",
                        "3" if quick else "11", file.name, *counts], check=True)
        for name, seconds in json.loads(Path(file.name).read_text()).items():
            scale = 1e3 if name.startswith("test_") else 1
            samples[f"build/{name}"] = [scale * value for value in seconds]
    return samples


def quartiles(values: list[float]) -> tuple[float, float, float]:
    if len(values) < 3:
        return min(values), statistics.median(values), max(values)
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def table(samples: Samples) -> tuple[str, list[str]]:
    """Markdown, and the rows that are not reached."""
    lines = ["| what | found (quartiles) | to reach | peers: median, times ours (range of quartiles) |", "|---|---|---|---|"]
    missed = []
    for row in ROWS:
        if row.sample not in samples:
            lines.append(f"| {row.title} | not measured | {goal(row)} | |")
            missed.append(row.title)
            continue
        low, middle, high = quartiles(samples[row.sample])
        reached = row.reach is None or middle <= row.reach
        if row.reach_ratio:
            peer, most = row.reach_ratio
            reached = reached and middle <= most * statistics.median(samples[row.peers[peer]])
        if not reached:
            missed.append(row.title)
        peers = []
        for name, sample in row.peers.items():
            peer_low, peer, peer_high = quartiles(samples[sample])
            peers.append(f"{name} {number(peer)}: {number(peer / middle)} × "
                         f"({number(peer_low / high)} to {number(peer_high / low)})")
        found = f"**{number(middle)} {row.unit}** ({number(low)} to {number(high)})"
        lines.append(f"| {row.title} | {found} | {goal(row)}{'' if reached else ', **missed**'} | {'; '.join(peers)} |")
    return "\n".join(lines) + "\n", missed


def goal(row: Row) -> str:
    if row.reach_ratio:
        peer, most = row.reach_ratio
        return f"no slower than {peer}" if most == 1 else f"at most {number(most)} × {peer}"
    return "" if row.reach is None else f"at most {number(row.reach)}"


def machine() -> dict[str, str | int]:
    def first(command: list[str]) -> str:
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]

    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    return {"processor": model, "cores": os.cpu_count() or 0, "load before": f"{os.getloadavg()[0]:.2f}",
            "compiler": first(["c++", "--version"]), "cmake": first(["cmake", "--version"])}


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    tree, output, quick = Path(sys.argv[1]), Path(sys.argv[2]), "--quick" in sys.argv
    facts = machine()
    samples = collect(tree, quick)
    facts["load after"] = f"{os.getloadavg()[0]:.2f}"
    (output / "performance.json").write_text(
        json.dumps({"machine": facts, "samples": {k: [float(f"{v:.6g}") for v in samples[k]] for k in sorted(samples)}},
                   indent=1) + "\n")
    draw_tasks(samples, output / "performance_tasks.svg")
    draw_build_times(samples, output / "performance_builds.svg")
    text, missed = table(samples)
    text = "Measured on: " + ", ".join(f"{key} {value}" for key, value in facts.items()) + ".\n\n" + text
    page = output / "performance.md"
    old = page.read_text() if page.exists() else BEGIN + END
    before, rest = old.split(BEGIN, 1)
    page.write_text(before + BEGIN + text + END + rest.split(END, 1)[1])
    print(text)
    print(f"{len(ROWS) - len(missed)} of {len(ROWS)} rows reached. Written: {page}, performance.json, 2 plots.")
    for title in missed:
        print(f"  missed or not measured: {title}")


if __name__ == "__main__":
    main()
