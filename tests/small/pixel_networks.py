"""Networks whose answers to pixels are known by hand."""

import numpy as np
import torch
from torch import nn

from pipeline.images.preprocess import Preprocessing

SIDE = 6
PREPROCESSING = Preprocessing(input_size=(SIDE, SIDE), crop="center", mean=[0.5] * 3, std=[0.25] * 3)
GREY = Preprocessing(input_size=(SIDE, SIDE), crop="center", mean=[0.4], std=[0.2])


def linear_network(weight, bias):
    """Logits (K,) of shares of full scale (C, H, W), flat: weight (K, C * H * W) and bias."""
    layer = nn.Linear(weight.shape[1], len(weight))
    # Undoes the preprocessing: share = 0.25 * input + 0.5.
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(0.25 * weight))
        layer.bias.copy_(torch.from_numpy(bias + 0.5 * weight.sum(1)))
    return nn.Sequential(nn.Flatten(), layer).eval().requires_grad_(False)


def random_linear(outputs=2, seed=0):
    """Return such a network, its weights in the order of pictures (K, H, W, C), and its bias."""
    random = np.random.default_rng(seed)
    weight = random.standard_normal((outputs, 3, SIDE, SIDE))
    bias = -0.5 * weight.sum((1, 2, 3))
    network = linear_network(weight.reshape(outputs, -1), bias)
    return network, weight.transpose(0, 2, 3, 1), bias


def convolutional(channels=3):
    """A small random network of four outputs."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(channels, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * (SIDE - 2) ** 2, 4)
    )
    return network.eval().requires_grad_(False)


def pictures(count, channels=3, seed=0):
    """(n, 6, 6, C) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, channels)).astype(np.uint8)
