# SPDX-License-Identifier: MIT
"""Turn test images and trained weights into the arrays of the workload.

make_arrays.py IMAGES_GZ WEIGHTS_NPZ FOLDER: writes images.npy, w1.npy, b1.npy, w2.npy, b2.npy, with the classes
padded, and what is expected of them, logits.npy, computed in float64 with nothing of PtoWsp.
"""
import pathlib
import sys

import numpy as np
from network import PADDED_CLASSES, forward, read_images


def padded(array):
    """With classes that no image is of: weights and biases of 0."""
    return np.pad(array, [(0, 0), (0, PADDED_CLASSES - array.shape[1])])


def main():
    images_path, weights_path, folder = sys.argv[1:]
    w = np.load(weights_path)
    arrays = {"images": read_images(images_path), "w1": w["w1"], "b1": w["b1"][np.newaxis],
              "w2": padded(w["w2"]), "b2": padded(w["b2"][np.newaxis])}
    logits = forward(*(array.astype(np.float64) for array in arrays.values()))
    for name, array in {**arrays, "logits": logits.astype(np.float32)}.items():
        np.save(pathlib.Path(folder) / f"{name}.npy", array)


main()
