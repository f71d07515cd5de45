# SPDX-License-Identifier: MIT
"""Run the built workload and say how well its factors multiply to the matrix.

residual.py RUNNER ARTIFACT [OPTION...]: runs ARTIFACT with RUNNER (ptowsp-run), and fails where
||L U - A|| / ||A|| is more than a few roundings of float32 explain.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np


def main():
    runner, artifact, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([runner, artifact, "--outputs", folder, *options])
        if done.returncode != 0:
            return done.returncode
        factors = np.load(pathlib.Path(folder) / "a.npy").astype(np.float64)
    matrix = np.load(pathlib.Path(artifact) / "inputs/a.npy").astype(np.float64)
    lower = np.tril(factors, -1) + np.eye(len(factors))
    residual = np.linalg.norm(lower @ np.triu(factors) - matrix) / np.linalg.norm(matrix)
    print(f"||L U - A|| / ||A|| = {residual:.2e}, {len(matrix)} x {len(matrix)}")
    return 0 if residual < 1e-6 else 1


sys.exit(main())
