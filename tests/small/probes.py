"""Three probes and their maps, known to the pixel."""

import numpy as np

from pipeline.formats.activation_maps import MappedLayer, new_activation_maps
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.probes import Pictured, Probes, write_probes
from pipeline.numerics.geometry import ReceptiveField
from pipeline.numerics.maps import localisation, sparsity

PROBES = Probes(
    np.array([7, 2, 5]), path=("a/7.png", "b/2.png", "c/5.png"), split=("test",) * 3,
    label=np.array([1, 0, -1], np.int32), predicted=np.array([1, 2, 0], np.int32),
    probability=np.array([0.9, 0.5, 0.25], np.float32), named=np.zeros(3, np.bool_), held_out="test",
)  # fmt: skip
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)
PICTURED = {
    image_id: Pictured(image_id, path, pixels)
    for image_id, path, pixels in zip((7, 2, 5), PROBES.path, PICTURES, strict=True)
}


def write_unlabelled(path, pictures):
    """Write P pictures (P, H, W, C) as the probes 0, 3, 6, …, without labels."""
    count = len(pictures)
    none, text = np.full(count, -1, np.int32), tuple(f"a/{number}.png" for number in range(count))
    ones, named = np.ones(count, np.float32), np.zeros(count, np.bool_)
    probes = Probes(np.arange(count) * 3, text, text, none, none, ones, named, "")
    write_probes(path, probes, pictures, made_from={})


def maps(*, negative=False):
    """(3, 4, 6, 6), on each probe a square of its own in each unit; unit 3 is zero, or below."""
    found = np.zeros((3, 4, 6, 6), np.float32)
    for probe in range(3):
        for unit in range(3):
            found[probe, unit, probe : probe + 2, unit : unit + 3] = 1 + unit
    found[:, 3] = -negative
    return found


def write(folder, *, negative=False):
    """Write probes.h5 and activation_maps.h5; return their paths by name."""
    paths = {name: folder / f"{name}.h5" for name in ("probes", "activation_maps")}
    write_probes(paths["probes"], PROBES, PICTURES, made_from={})
    values = maps(negative=negative)
    layer = MappedLayer(
        LayerGeometry((6, 6), ReceptiveField((3, 3), (1, 1), (-1, -1), "exact")), 4, np.arange(4),
        np.ones(4, np.float32), sparsity(values), localisation(values), values.max((2, 3)),
        values.min((2, 3)),
    )  # fmt: skip
    with new_activation_maps(paths["activation_maps"], ("relu",), PROBES.image_id, made_from={}) as writer:
        writer.put_layer("relu", layer, values)
    return paths
