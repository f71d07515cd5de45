# SPDX-License-Identifier: MIT
"""Train the network of this example on the Fashion-MNIST training images.

train.py IMAGES_GZ LABELS_GZ WEIGHTS_NPZ: a 784-128-10 network with ReLU, cross entropy, Adam with a
falling step. numpy only; seeded, so that the same numpy and BLAS give the same weights.
"""
import sys
import time

import numpy as np
from network import forward, read_images, read_labels

HIDDEN, CLASSES = 128, 10
EPOCHS, BATCH, STEP, DECAY = 8, 100, 1.5e-3, 1e-4


def gradients(x, label, w):
    """The gradients of the mean cross entropy of a batch, by parameter."""
    hidden = np.maximum(x @ w["w1"] + w["b1"], 0)
    logits = hidden @ w["w2"] + w["b2"]
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(label)), label] -= 1
    p /= len(label)
    back = (p @ w["w2"].T) * (hidden > 0)
    return {"w1": x.T @ back, "b1": back.sum(axis=0), "w2": hidden.T @ p, "b2": p.sum(axis=0)}


def train(x, label, seed=0):
    """The weights: w1 784 x 128, b1 128, w2 128 x 10, b2 10, all float32."""
    random = np.random.default_rng(seed)
    pixels = x.shape[1]
    w = {
        "w1": random.normal(0, (2 / pixels) ** 0.5, (pixels, HIDDEN)).astype(np.float32),
        "b1": np.zeros(HIDDEN, np.float32),
        "w2": random.normal(0, (2 / HIDDEN) ** 0.5, (HIDDEN, CLASSES)).astype(np.float32),
        "b2": np.zeros(CLASSES, np.float32),
    }
    mean = {name: np.zeros_like(value) for name, value in w.items()}
    square = {name: np.zeros_like(value) for name, value in w.items()}
    steps = EPOCHS * (len(x) // BATCH)
    t = 0
    for _ in range(EPOCHS):
        order = random.permutation(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            batch = order[start : start + BATCH]
            step = np.float32(STEP * (1 - t / steps))
            t += 1
            for name, g in gradients(x[batch], label[batch], w).items():
                mean[name] += 0.1 * (g - mean[name])
                square[name] += 0.001 * (g * g - square[name])
                unbiased = mean[name] / np.float32(1 - 0.9**t)
                scale = np.sqrt(square[name] / np.float32(1 - 0.999**t)) + np.float32(1e-8)
                w[name] -= step * (unbiased / scale + np.float32(DECAY) * w[name])
    return w


def main():
    images_path, labels_path, weights_path = sys.argv[1:]
    started = time.monotonic()
    x, label = read_images(images_path), read_labels(labels_path)
    w = train(x, label)
    right = (forward(x, **w).argmax(axis=1) == label).mean()
    print(f"trained on {len(x)} images in {time.monotonic() - started:.1f} s; "
          f"{100 * right:.2f} % of them are right")
    np.savez(weights_path, **w)


main()
