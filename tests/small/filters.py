"""Filters of three layers that can be told in their pictures: of an image, of maps, and dense."""

from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.contents.writing import SectionDraft
from pipeline.figures.filter_tiles import Bounds
from pipeline.figures.filters import Drawn, add_filters
from pipeline.formats.filters import About, FilterLayer, Looks, Quality, new_filters, open_filters

BOUNDS = Bounds(tiles=96, filters=3, channels=4, scale="layer")
DRAWN = Drawn(6, {"relu": np.array([0, 2]), "sum": np.array([0]), "head": np.array([1])})
FIRST = np.zeros((3, 3, 5, 5), np.float32)
FIRST[0, 0] = 0.5
FIRST[1, :, 2] = -0.5
FIRST[2, :, 0, 0] = 0.25
DEEP = np.random.default_rng(0).normal(size=(4, 12, 3, 3)).astype(np.float32)
HEAD = np.random.default_rng(1).normal(size=(2, 10, 1, 1)).astype(np.float32)


def layer(weight, unit_layers, kind="conv", **others):
    units, channels, height, width = weight.shape
    signs = {name: np.arange(units) == 1 for name in unit_layers}
    given = {
        "groups": 1, "input_map": None, "at_start": None, "like_noise": False,
        "quality": Quality(sparsity=0.5, smoothness=0.25, deviation=0.01),
    } | others  # fmt: skip
    return FilterLayer(
        kind, units, channels, (height, width), turned=signs, smoothness=np.full(units, 0.5, np.float32),
        norm=np.ones(units, np.float32), unit=np.arange(units), **given,
    )  # fmt: skip


def write(path, *, noise=False, at_start="", separation=None):
    about = About(("conv", "deep", "head"), "conv", at_start, 0.05, 0.95)
    before = {"at_start": Quality(smoothness=0.0)} if at_start else {}
    with new_filters(path, about, made_from={}) as writer:
        writer.put_layer("conv", layer(FIRST, ("conv", "relu"), **before), FIRST)
        writer.put_looks("conv", Looks(np.array([0, 0.2, 0.1]), np.array([0.6, 0, 0]), separation))
        writer.put_layer("deep", layer(DEEP, ("deep",), like_noise=noise, **before), DEEP)
        writer.put_layer("head", layer(HEAD, ("head",), "dense", like_noise=None, quality=Quality()), HEAD)


def draft_of(folder: Path, drawn: Drawn = DRAWN, bounds: Bounds = BOUNDS, **options) -> SectionDraft:
    """Draw the section of filters that `write` makes with these options."""
    write(folder / "filters.h5", **options)
    draft = SectionDraft("filters", folder / "filters")
    draft.folder.mkdir()
    with open_filters(folder / "filters.h5") as found:
        add_filters(draft, found, drawn, bounds)
    return draft


def pixels(folder: Path, file: str, box: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """Return the colours of a picture, or of a part of it, (h, w, 3)."""
    with Image.open(folder / file) as image:
        return np.asarray(image.convert("RGBA").crop(box) if box else image.convert("RGBA"))[..., :3]
