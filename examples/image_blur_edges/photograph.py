# SPDX-License-Identifier: MIT
"""The photograph of this example: Grace Hopper, by the U.S. Navy (public domain), which matplotlib ships."""
import numpy as np
from PIL import Image

PATH = "/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg"


def load():
    """The grey levels, 0 to 255, as float32."""
    with Image.open(PATH) as image:
        return np.asarray(image.convert("L"), dtype=np.float32)
