"""A dataset of a few images with activations made by hand, for the stages that need no network."""

from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.formats import concepts, contrasts, directions, outlines, projections, similar_units
from pipeline.formats import units as units_format
from pipeline.formats.activations import Index, KeptLayer
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.shards import INPUT_DIGEST
from pipeline.formats.status import not_run, write_status
from pipeline.formats.weights import Description, write_description
from pipeline.images.preprocess import Preprocessing
from pipeline.numerics.geometry import ReceptiveField
from tests.small.artifacts import write_manifest_of, write_names, write_shards

IMAGES = 12
INPUT = 16  # the centre 16 x 16 after the shorter side was brought to 20
LAYERS = {
    # units, map size, receptive field size, stride, start, status
    "features.0": (5, 8, (4, 4), (2, 2), (-1, -1), "exact"),
    "features.1": (3, 4, (7, 7), (4, 4), (-2, -2), "bound"),
    "pool": (2, 1, (INPUT, INPUT), (1, 1), (0, 0), "global"),
    "head": (2, 1, (INPUT, INPUT), (1, 1), (0, 0), "unknown"),
}
# The last image is a copy of the one before.
DIGESTS = np.repeat(np.minimum(np.arange(IMAGES), IMAGES - 2)[:, None], 16, 1).astype(np.uint8)
PREPROCESSING = Preprocessing(input_size=(INPUT, INPUT), resize=20, crop="center")


def make(folder: Path, seed: int = 0) -> dict[str, Path]:
    """Write dataset, manifest, weights and activations; return their paths, as the stages name them."""
    rng = np.random.default_rng(seed)
    names = [f"class{number % 3}/{number:02d}.png" for number in range(IMAGES)]
    for number, name in enumerate(names):
        (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number)).save(folder / "data" / name)
    paths = {name: folder / name for name in ("activations", "weights")}
    paths |= {name: folder / f"{name}.h5" for name in ("manifest", "topk", "patches")}
    paths["metrics"] = folder / "metrics.json"
    paths["names"] = write_names(folder / "class_names.h5", [f"class{number}" for number in range(3)])
    size_of = [size(number) for number in range(IMAGES)]
    write_manifest_of(paths["manifest"], folder / "data", names, np.arange(IMAGES) % 3, size_of)
    paths["weights"].mkdir()
    write_description(
        paths["weights"],
        Description(
            architecture="builtin:none",
            weights="none",
            classes=("class0", "class1", "class2"),
            preprocessing=PREPROCESSING,
            digest="0" * 64,
        ),
    )
    _write_activations(paths["activations"], rng)
    optional = {
        "outlines": outlines,
        "contrasts": contrasts,
        "similar_units": similar_units,
        "directions": directions,
        "concepts": concepts,
        "projections": projections,
        "units": units_format,
    }
    for name, module in optional.items():
        paths[name] = folder / f"{name}.h5"
        write_status(paths[name], not_run(name), stage=name, version=module.VERSION)
    return paths


def size(number: int) -> tuple[int, int]:
    """Width and height of an image: landscape and portrait in turn."""
    return (24, 40) if min(number, IMAGES - 2) % 2 else (40, 24)


def picture(number: int) -> np.ndarray:
    """Red and green tell the place, blue the image; the last image is a copy of the one before."""
    width, height = size(number)
    y, x = np.mgrid[:height, :width]
    return np.stack([6 * x, 6 * y, np.full_like(x, 20 * min(number, IMAGES - 2))], -1).astype(np.uint8)


def _write_activations(folder: Path, rng: np.random.Generator) -> None:
    """Three shards; values after a ReLU with many ties, one unit of each layer never positive."""
    folder.mkdir()
    arrays = {INPUT_DIGEST: DIGESTS}
    for layer, (units, side, *_) in LAYERS.items():
        values = np.maximum(rng.integers(-3, 6, (IMAGES, units)), 0).astype(np.float32)
        values[:, -1] = 0
        arrays[f"maxima/{layer}/value"] = values
        arrays[f"maxima/{layer}/position"] = rng.integers(0, side, (IMAGES, units, 2)).astype(np.uint16)
    layers = tuple(
        KeptLayer(name, "map", units, LayerGeometry((side, side), ReceptiveField(*field)))
        for name, (units, side, *field) in LAYERS.items()
    )
    index = Index(layers, "head", IMAGES, "float32", 4, "cpu AVX2")
    write_shards(folder, index, np.arange(IMAGES), arrays, (5, 6))
