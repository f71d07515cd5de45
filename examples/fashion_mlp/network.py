"""The network in numpy, and the files of the data set. Nothing of PtoWsp."""
import gzip
import struct
import sys

import numpy as np

CLASS_NAMES = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]


def read_idx(path, magic, dimensions):
    """The uint8 array of an idx file."""
    with gzip.open(path, "rb") as file:
        data = file.read()
    found, *shape = struct.unpack(f">{1 + dimensions}I", data[: 4 * (1 + dimensions)])
    pixels = np.frombuffer(data, np.uint8, offset=4 * (1 + dimensions))
    if found != magic or pixels.size != np.prod(shape):
        sys.exit(f"{path} is no idx file with magic number {magic}, or is cut short")
    return pixels.reshape(shape)


def read_images(path):
    """Images as rows of float32 between 0 and 1."""
    images = read_idx(path, 0x803, 3)
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def read_labels(path):
    return read_idx(path, 0x801, 1)


def forward(x, w1, b1, w2, b2):
    """Ten logits for each row of x."""
    return np.maximum(x @ w1 + b1, 0) @ w2 + b2
