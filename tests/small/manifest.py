"""The manifest of a few files, as the stage would write it."""

import numpy as np

from pipeline import store
from pipeline.formats.manifest import Manifest, write_manifest


def write(path, dataset, names, label=None, size=None):
    """Write the manifest of files in a folder; class0 is the first class, every image 8 x 8 pixels.

    Parameters
    ----------
    path : Path
        The artifact.
    dataset : Path
        The folder.
    names : list of str
        Its images, sorted.
    label : (N,) int
        By default all 0.
    size : (N, 2) int
        Width and height, pixels.
    """
    label = np.zeros(len(names), np.int32) if label is None else np.asarray(label, np.int32)
    size = np.full((len(names), 2), 8) if size is None else size
    manifest = Manifest(
        names, label, [f"class{number}" for number in range(label.max() + 1)], ["train"] * len(names),
        np.asarray(size, np.int32), [store.digest(dataset / name) for name in names], {},
        np.zeros(0, np.int64), np.zeros((0, 4), np.float32), [],
    )  # fmt: skip
    write_manifest(manifest, path, dataset=str(dataset), max_bad_fraction=0.0, params="00" * 32)
    return path
