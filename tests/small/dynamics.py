"""Training dynamics of two layers at three checkpoints, made by hand."""

from pathlib import Path

import numpy as np

from pipeline.formats.training_dynamics import (
    About,
    Checkpoints,
    LayerCourse,
    Sample,
    ShownMaps,
    new_dynamics,
)

IMAGES, SHOWN = 40, 3
LAYERS = {"relu": (6, (4, 5)), "head": (4, (1, 1))}


def write_dynamics(path: Path, *, epochs=(0, 2, -1), layers=LAYERS, output=None, seed=0, means=None) -> Path:
    """Write them: `relu` becomes sparser by a half and more localised, `head` stays as it is.

    `output` (N,) are the right outputs, by default those that the last checkpoint predicts on all images but
    one in four; `means` gives layers their means (T, N, U).
    """
    rng, count = np.random.default_rng(seed), len(epochs)
    names = tuple(f"epoch-{epoch}" if epoch >= 0 else "final" for epoch in epochs)
    predicted = rng.integers(0, 3, (count, IMAGES)).astype(np.int32)
    right = np.where(np.arange(IMAGES) % 4 > 0, predicted[-1], (predicted[-1] + 1) % 3).astype(np.int32)
    sample = Sample(
        np.arange(IMAGES) * 2, right if output is None else output, np.arange(IMAGES) % 2 == 0, predicted
    )
    smooth = np.linspace(0, 0.8, count)
    about = About(tuple(layers), "test", "held out", "conv", SHOWN, ("relu",), 0)
    with new_dynamics(path, about, made_from={}) as writer:
        for place in range(count):
            for layer, (units, _) in layers.items():
                values = rng.random((IMAGES, units), np.float32) if means is None else means[layer][place]
                writer.put_values(place, layer, values, values + 1)
        writer.put_all(Checkpoints(names, np.array(epochs), smooth, np.full(count, 0.05)), sample)
        for layer, (_, size) in layers.items():
            noise = 0.01 * rng.random((count, IMAGES), np.float32)
            step = np.arange(count, dtype=np.float32)[:, None] / (2 * (count - 1)) * (layer == "relu")
            even = np.full((count, IMAGES), np.nan, np.float32)
            local = 0.1 + step + noise if size != (1, 1) else even
            course = LayerCourse("map" if size != (1, 1) else "dense", size, 0.2 + step + noise[:1], local)
            maps = ShownMaps(np.array([0, 5]), rng.random((count, 2, *size), np.float32))
            writer.put_layer(layer, course, maps if layer == "relu" else None)
    return path
