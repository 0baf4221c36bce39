"""Reconstructions of the three small probes, known to the pixel."""

import numpy as np

from pipeline.formats.inversion import About, InvertedLayer, new_inversion
from tests.small.probes import PICTURES, PROBES

PREDICTED = np.array([1, 2, 0], np.int32)
NUMBERS = np.array([0.1, 0.2, 0.4], np.float32)


def layer(*, factor=1.0, kept=3, silent=0, smoothness=10.0):
    """A layer whose errors are NUMBERS times a factor; the first `silent` probes have no code."""
    errors = (NUMBERS * np.float32(factor))[:, None]
    errors[:silent] = np.nan
    predicted = np.where(np.arange(3) < kept, PREDICTED, PREDICTED + 1).astype(np.int32)
    energy = np.tile(np.array([2, 1], np.float32), (3, 1, 1))
    return InvertedLayer(
        12,
        0.5,
        smoothness,
        errors,
        energy,
        np.ones((3, 1), np.float32),
        NUMBERS + 1,
        NUMBERS + 2,
        predicted,
        np.ones(3, np.float32),
    )


def write(path, layers, *, restarts=1, sixth_norm=8e-10):
    """Write inversion.h5: what is reconstructed is the picture with its colours the other way round."""
    about = About(tuple(layers), 400, restarts, sixth_norm)
    with new_inversion(path, about, PROBES.image_id, PREDICTED, made_from={}) as writer:
        for name, one in layers.items():
            writer.put_layer(name, one, 255 - PICTURES.astype(np.float32))
    return path
