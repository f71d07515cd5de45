# SPDX-License-Identifier: MIT
"""fashion_mlp, 10,000 images: the built artifact on two workers and numpy with OpenBLAS on two threads, by turns.

usage: network_bench.py BUILD_FOLDER PTOWSP_RUN EXAMPLE_FOLDER REPETITIONS OUTPUT.json

The artifact's time is that of graph build, copies to the device and tasks, in a process that ran it once before;
numpy's that of the forward pass. Writes {"ptowsp": [ms, ...], "numpy": [ms, ...]}.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "2"
import numpy as np  # noqa: E402


def main() -> None:
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    tree, runner, example = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    repetitions, output = int(sys.argv[4]), Path(sys.argv[5])
    sys.path.insert(0, example)
    from network import forward

    arrays = [np.load(tree / f"{name}.npy") for name in ("images", "w1", "b1", "w2", "b2")]
    expected = np.load(tree / "logits.npy")
    if not np.allclose(forward(*arrays), expected, rtol=1e-3, atol=1e-3):
        sys.exit("network_bench: numpy's result is not the expected one")
    times: dict[str, list[float]] = {"ptowsp": [], "numpy": []}
    for _ in range(repetitions):
        done = subprocess.run([runner, tree / "fashion_mlp.ptowsp", "--workers", "2", "--repeat", "3", "--json"],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"network_bench: ptowsp-run failed:\n{done.stdout}")
        stats = json.loads(done.stdout)["stats"]
        times["ptowsp"].append((stats["build_ns"] + stats["wall_ns"]) / 1e6)
        forward(*arrays)
        start = time.perf_counter()
        forward(*arrays)
        times["numpy"].append((time.perf_counter() - start) * 1e3)
    output.write_text(json.dumps(times) + "\n")


if __name__ == "__main__":
    main()
