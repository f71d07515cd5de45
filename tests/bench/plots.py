# SPDX-License-Identifier: MIT
"""The plots of docs/performance.md, drawn from the samples of measure.py."""

import statistics
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "ptowsp"  # the same figures give the same file
import matplotlib.pyplot as plt  # noqa: E402

CONTENDERS = {"ptowsp": "PtoWsp", "tbb": "oneTBB flow graph", "openmp": "OpenMP tasks",
              "counters": "in-degree counters, one thread"}


def draw_tasks(samples: dict[str, list[float]], file: Path) -> None:
    """ns per task against the number of tasks, on one worker, both axes logarithmic."""
    figure, axes = plt.subplots(figsize=(9, 4.2))
    for contender, title in CONTENDERS.items():
        points = sorted((side * side, statistics.median(samples[name]))
                        for side in (10, 32, 100, 316, 1000)
                        if (name := f"{contender}/wavefront_{side}/1") in samples)
        axes.plot(*zip(*points), marker="o", label=title, linewidth=2.5 if contender == "ptowsp" else 1.2)
    axes.set(xscale="log", yscale="log", xlabel="tasks in the wavefront", ylabel="ns per task, built and run",
             title="Graph build and run, empty tasks, 1 worker")
    save(figure, axes, file)


def draw_build_times(samples: dict[str, list[float]], file: Path) -> None:
    """Seconds against the number of workloads in one project."""
    figure, axes = plt.subplots(figsize=(9, 4.2))
    titles = {"build": "full build", "configure": "configure", "no_op": "build with nothing to do"}
    for what, title in titles.items():
        points = sorted((int(name.rsplit("_", 1)[1]), statistics.median(values))
                        for name, values in samples.items()
                        if name.startswith(f"build/{what}_") and name.rsplit("_", 1)[1].isdigit())
        axes.plot(*zip(*points), marker="o", label=title)
    axes.set(xscale="log", yscale="log", xlabel="workloads in the project", ylabel="seconds",
             title="Building a project, Ninja")
    save(figure, axes, file)


def save(figure: plt.Figure, axes: plt.Axes, file: Path) -> None:
    axes.grid(True, which="both", alpha=0.25)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))  # beside the lines, never on them
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
