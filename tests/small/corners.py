"""Planted truth: images whose class lies in one known corner, and a network that was trained to tell it.

images, classes, boxes = corner_images(100, seed=1)
network = corner_network()
"""

from functools import lru_cache

import numpy as np
import torch
from torch import nn

from pipeline.images.preprocess import Preprocessing

SIDE, PATTERN, CLASSES = 32, 10, 4
PREPROCESSING = Preprocessing(input_size=(SIDE, SIDE), mean=(0.5,), std=(0.25,))


def corner_images(count, seed):
    """Draw images: a pattern of its class in one corner, noise elsewhere.

    Returns
    -------
    (n, 1, 32, 32) float32
        Normalised.
    (n,)
        Classes: horizontal bars, vertical ones, a chequerboard of squares of two pixels, diagonals.
    (n, 4)
        x0, y0, x1, y1 of the pattern, pixels.
    """
    random = np.random.default_rng(seed)
    images = random.normal(0, 0.3, (count, 1, SIDE, SIDE)).astype(np.float32)
    classes = random.integers(0, CLASSES, count)
    left, top = (random.integers(0, 2, (2, count)) * (SIDE - PATTERN)).tolist()
    y, x = np.mgrid[:PATTERN, :PATTERN]
    patterns = [y // 2 % 2, x // 2 % 2, (y // 2 + x // 2) % 2, (y + x) // 2 % 2]
    for image, which, row, column in zip(images, classes.tolist(), top, left, strict=True):
        image[0, row : row + PATTERN, column : column + PATTERN] += 3.0 * patterns[which] - 1.5
    boxes = np.stack([left, top, np.add(left, PATTERN), np.add(top, PATTERN)], axis=1)
    return images, classes, boxes


@lru_cache(maxsize=1)
def corner_network():
    """Train a network of three convolutions for some seconds; it tells all classes apart."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = nn.Sequential(
        nn.Conv2d(1, 12, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(24, 24, 3, padding=1), nn.ReLU(),
        nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(24, CLASSES),
    )  # fmt: skip
    images, classes, _ = (torch.as_tensor(one) for one in corner_images(2000, seed=0))
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for step in range(150):
        some = torch.randint(0, len(images), (64,), generator=torch.Generator().manual_seed(step))
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images[some]), classes[some]).backward()
        optimiser.step()
    return network.eval()


def points_into(values, box):
    """Tell whether the largest value of a map (H, W) lies in a box: the pointing game."""
    y, x = np.unravel_index(int(np.nanargmax(values)), values.shape)
    return bool(box[0] <= x < box[2] and box[1] <= y < box[3])
