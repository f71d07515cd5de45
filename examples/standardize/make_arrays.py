# SPDX-License-Identifier: MIT
"""Turn the Fashion-MNIST test images into the arrays of the workload.

make_arrays.py IDX_GZ IMAGES_NPY STANDARD_NPY: reads an idx3 file of uint8 images and writes them as
float32, one image a row, and each row brought to mean 0 and variance 1. The expected result is computed
here from exact integer sums, with nothing of PtoWsp. Standard library only.
"""

import array
import gzip
import math
import struct
import sys


def write_npy(path, values, shape):
    """Write array('f') `values` in C order as a version 1.0 .npy file."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape!r}, }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    if sys.byteorder != "little":
        values.byteswap()
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("latin1"))
        values.tofile(file)


def standardized(image):
    """The pixels of one image with mean 0 and variance 1."""
    count = len(image)
    total = sum(image)
    squares = sum(pixel * pixel for pixel in image)
    variance = (squares * count - total * total) / (count * count)
    if variance == 0:
        sys.exit("make_arrays.py: an image of a single grey has no variance to bring to 1")
    scale = 1 / math.sqrt(variance)
    level = [(pixel - total / count) * scale for pixel in range(256)]
    return map(level.__getitem__, image)


def main():
    archive, images_path, standard_path = sys.argv[1:]
    with gzip.open(archive, "rb") as file:
        data = file.read()
    magic, count, rows, cols = struct.unpack(">4I", data[:16])
    pixels = data[16:]
    size = rows * cols
    if magic != 0x803 or len(pixels) != count * size:
        sys.exit(f"make_arrays.py: {archive} is not an idx3 file of uint8 images, or is cut short")
    standard = array.array("f")
    for start in range(0, len(pixels), size):
        standard.extend(standardized(pixels[start : start + size]))
    write_npy(images_path, array.array("f", list(pixels)), (count, size))
    write_npy(standard_path, standard, (count, size))


main()
