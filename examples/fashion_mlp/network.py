# SPDX-License-Identifier: MIT
"""The network in numpy, and the files of the data set. Nothing of PtoWsp."""
import gzip
import struct
import sys

import numpy as np

CLASS_NAMES = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]
PADDED_CLASSES = 16


def read_idx(path, magic, dimensions):
    """The uint8 array of an idx file."""
    with gzip.open(path, "rb") as file:
        data = file.read()
    found, *shape = struct.unpack(f">{1 + dimensions}I", data[: 4 * (1 + dimensions)])
    values = np.frombuffer(data, np.uint8, offset=4 * (1 + dimensions))
    if found != magic or values.size != np.prod(shape):
        sys.exit(f"{path}: expected an idx file with magic number {magic:#x}, found {found:#x} and {values.size} values")
    return values.reshape(shape)


def read_images(path):
    """Images as rows of float32 between 0 and 1."""
    images = read_idx(path, 0x803, 3)
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def read_labels(path):
    """The class of each image."""
    return read_idx(path, 0x801, 1)


def forward(x, w1, b1, w2, b2):
    """A logit for each row of x and each class."""
    return np.maximum(x @ w1 + b1, 0) @ w2 + b2
