# SPDX-License-Identifier: MIT
"""Run the built workload and write what it made of the photograph.

report.py RUNNER ARTIFACT FOLDER: runs ARTIFACT with RUNNER (ptowsp-run), which compares the results with
golden(), and writes before.png, blurred.png, edges.png and before_after.png into FOLDER.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import photograph
from PIL import Image


def run(runner, artifact):
    """What the runner says of its run, and the results by tensor."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([runner, artifact, "--json", "--outputs", folder], stdout=subprocess.PIPE)
        if done.returncode != 0:
            sys.exit(done.returncode)
        results = {path.stem: np.load(path) for path in pathlib.Path(folder).glob("*.npy")}
    return json.loads(done.stdout), results


def picture(levels):
    """An image of grey levels, 0 to 255."""
    return Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))


def beside(pictures, factor):
    """The pictures from left to right, smaller by the factor."""
    width, height = (size // factor for size in pictures[0].size)
    row = Image.new("L", (width * len(pictures), height))
    for i, image in enumerate(pictures):
        row.paste(image.resize((width, height), Image.LANCZOS), (i * width, 0))
    return row


def main():
    runner, artifact, folder = sys.argv[1:]
    told, results = run(runner, artifact)
    before = photograph.load()
    height, width = before.shape
    # The blur covers one pixel more on each side, which the edges need.
    blurred = results["blurred"][1 : 1 + height, 1 : 1 + width]
    edges = results["edges"][:height, :width]
    pictures = {"before": picture(before), "blurred": picture(blurred),
                "edges": picture(edges * (255 / np.percentile(edges, 99.5)))}
    pictures["before_after"] = beside(list(pictures.values()), 2)
    for name, image in pictures.items():
        image.save(pathlib.Path(folder) / f"{name}.png", optimize=True)
    print(f"{width} x {height} pixels, {told['stats']['tasks']} tasks, {min(told['wall_ns']) / 1e6:.2f} ms; "
          f"contrast between neighbours {np.abs(np.diff(before)).mean():.1f} before, "
          f"{np.abs(np.diff(blurred)).mean():.1f} blurred")
    print(f"Pictures: {', '.join(f'{name}.png' for name in pictures)} in {folder}")


main()
