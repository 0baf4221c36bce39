"""Colours of classes."""

import itertools

import numpy as np
import pytest

from pipeline.figures.drawing.palette import DARK, LIGHT, SEQUENCE, UNLABELLED, colour, marker

# Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
EYES = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colours):
    share = np.array([list(bytes.fromhex(colour[1:])) for colour in colours]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(light):
    share = light @ TO_XYZ.T / [0.9505, 1, 1.089]
    root = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.stack(
        [116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])], 1
    )


@pytest.mark.parametrize("eye", EYES)
def test_any_two_colours_are_told_apart_by(eye):
    seen = lab(np.clip(linear(SEQUENCE) @ np.transpose(EYES[eye]), 0, 1))
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 28


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_colours_stand_out_from_the_page(theme):
    paper = linear([theme.paper]) @ TO_XYZ[1]
    colours = linear(SEQUENCE) @ TO_XYZ[1]
    assert ((np.maximum(colours, paper) + 0.05) / (np.minimum(colours, paper) + 0.05)).min() > 1.85


def test_classes_beyond_the_colours_differ_by_marker():
    pairs = {(colour(index), marker(index)) for index in range(100)}
    assert len(pairs) == 100
    assert colour(-1) == UNLABELLED
