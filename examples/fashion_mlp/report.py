# SPDX-License-Identifier: MIT
"""Run the built workload, and say and show how well it classifies.

report.py RUNNER ARTIFACT IMAGES_GZ LABELS_GZ WEIGHTS_NPZ PICTURE_PNG: runs ARTIFACT with RUNNER (ptowsp-run), which
compares the logits with what numpy gives. Exit status 1 unless more than 86 % of the images are classified right and
all of them as numpy does.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import matplotlib
import numpy as np
from network import CLASS_NAMES, forward, read_images, read_labels

ROWS, COLS = 4, 10


def run(runner, artifact):
    """What the runner says of its run, and the logits."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([runner, artifact, "--json", "--outputs", folder], stdout=subprocess.PIPE)
        if done.returncode != 0:
            sys.exit(done.returncode)
        return json.loads(done.stdout), np.load(pathlib.Path(folder) / "logits.npy")


def draw(images, predicted, label, path):
    """The first images, with what they are taken for: green when it is right, else red, with what they are."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(ROWS, COLS, figsize=(1.25 * COLS, 1.75 * ROWS), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.1)
    for i, axis in enumerate(axes.flat):
        axis.imshow(images[i].reshape(28, 28), cmap="gray_r")
        axis.set_xticks([])
        axis.set_yticks([])
        right = predicted[i] == label[i]
        title = CLASS_NAMES[predicted[i]]
        axis.set_title(title, fontsize=10, color="darkgreen" if right else "red")
        axis.set_xlabel(CLASS_NAMES[label[i]], fontsize=8, color="black" if right else "red")
    figure.suptitle("above: predicted on a2a3sim; below: true")
    figure.savefig(path, dpi=70, metadata={"Software": None}, pil_kwargs={"optimize": True})


def main():
    runner, artifact, images_path, labels_path, weights_path, picture = sys.argv[1:]
    told, logits = run(runner, artifact)
    images, label = read_images(images_path), read_labels(labels_path)
    predicted = logits[:, : len(CLASS_NAMES)].argmax(axis=1)
    by_numpy = forward(images, **np.load(weights_path)).argmax(axis=1)
    accuracy = (predicted == label).mean()
    same = np.count_nonzero(predicted == by_numpy)
    draw(images, predicted, label, picture)
    print(f"accuracy {100 * accuracy:.2f} % of {len(label)} test images; {same} labels agree with numpy; "
          f"{told['stats']['tasks']} tasks, {min(told['wall_ns']) / 1e6:.1f} ms")
    print(f"Picture: {picture}")
    if accuracy <= 0.86 or same != len(label):
        sys.exit(f"expected an accuracy above 86 %, and {len(label)} labels as numpy gives them")


main()
