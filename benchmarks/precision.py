"""What computing in bfloat16 changes: the images that rank highest, and the codes.

``python -m benchmarks.precision FOLDER`` extracts the photographs in FOLDER with AlexNet at 224, random
weights or those of ``--weights`` (a state dict of torchvision's AlexNet), in float32 and in bfloat16, and
prints for each layer, and for all together,

- ``kept``: of the images among float32's k largest maxima of a unit, the share that is among bfloat16's k,
  mean over the active units (those whose maximum is positive for some image, in float32);
- ``in place``: the share of these ranks at which bfloat16 has the same image, mean over the same units;
- ``kept after the second ranking``, only where the extraction in bfloat16 left ``second_ranking.h5``: as
  ``kept``, with the first k of the candidates that bfloat16 found and float32 ranked (see
  `second_ranking_overlap`).

Ranks whose value is not positive are left out on both sides. At last come the mean and the least cosine
between the codes of an image in float32 and in bfloat16, over all images. Maxima that are equal in bfloat16,
which has 8 bits of precision, rank by the order of the images.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.extraction import PRECISIONS, prepare, recipe
from pipeline.extraction.extraction import extract
from pipeline.formats.activations import Activations, open_activations
from pipeline.formats.second_ranking import read_second_ranking
from pipeline.shards.pool import POOL_VARIABLE
from pipeline.topk.ranking import add_shard
from pipeline.topk.streaming import TopK

Array = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]
NO_IMAGE = -1
Shares = dict[str, Array]


def ranking(activations: Activations, k: int) -> dict[str, TopK]:
    """Rank the images of every unit."""
    ranked = {layer: TopK(k) for layer in activations.layers}
    for shard in activations.shards():
        add_shard(ranked, shard)
    return ranked


def positive(image_id: Ids, value: npt.NDArray[np.float32], k: int) -> Ids:
    """Return the first k images of each unit, (U, k); `NO_IMAGE` where the value is not positive."""
    return np.where(value[:, :k] > 0, image_id[:, :k], NO_IMAGE)


def kept(reference: Ids, found: Ids) -> Array:
    """Return for each active unit the share of the reference's images that are found, float64."""
    there = (reference[:, :, None] == found[:, None, :]).any(-1)
    return _shares(there, reference)


def in_place(reference: Ids, found: Ids) -> Array:
    """Return for each active unit the share of the reference's ranks with the same image, float64."""
    return _shares(reference == found, reference)


def _shares(hits: npt.NDArray[np.bool_], reference: Ids) -> Array:
    given = reference != NO_IMAGE
    active = given.any(1)
    return (hits & given)[active].sum(1) / given[active].sum(1)


def second_ranking_overlap(folder: Path, reference: Mapping[str, Ids]) -> Shares:
    """Return what `kept` gives after the second ranking; nothing where there was none.

    Parameters
    ----------
    folder
        Activations.
    reference
        Layer to (U, k) images that float32 ranks highest.
    """
    second = read_second_ranking(folder)
    if second is None:
        return {}
    return {
        layer: kept(
            images, positive(second.layers[layer].image_id, second.layers[layer].value, images.shape[1])
        )
        for layer, images in reference.items()
    }


def cosines(one: Activations, other: Activations) -> Array:
    """Return the cosine of each image's codes, (N,) float64; 1 where both are zero."""
    found = []
    for first, second in zip(one.shards(), other.shards(), strict=True):
        a, b = (shard.codes().astype(np.float64) for shard in (first, second))
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        same = np.where((a == b).all(1), 1.0, 0.0)
        found.append(np.divide((a * b).sum(1), lengths, out=same, where=lengths > 0))
    return np.concatenate(found)


def show(shares: Mapping[str, Shares]) -> None:
    """Print the mean of every kind of share, for each layer and for all active units together."""
    width = max(len(layer) for layer in shares["kept"])
    for layer, kept_of_layer in shares["kept"].items():
        texts = [f"{name} {of[layer].mean():.4f}" for name, of in shares.items() if len(of.get(layer, []))]
        print(f"{layer:{width}} {len(kept_of_layer):6,} active units: {', '.join(texts) or 'none'}")
    for name, of in shares.items():
        if of:
            together = np.concatenate(list(of.values()))
            print(f"{'all':{width}} {len(together):6,} active units: {name} {together.mean():.4f}")


def measure(work: Path, k: int) -> None:
    """Compare two extractions."""
    folders = {precision: work / precision for precision in PRECISIONS}
    activations = {name: open_activations(folder) for name, folder in folders.items()}
    best = {
        name: {layer: positive(topk.image_id, topk.value, k) for layer, topk in ranking(opened, k).items()}
        for name, opened in activations.items()
    }
    reference, found = best["float32"], best["bfloat16"]
    show({
        "kept": {layer: kept(images, found[layer]) for layer, images in reference.items()},
        "in place": {layer: in_place(images, found[layer]) for layer, images in reference.items()},
        "kept after the second ranking": second_ranking_overlap(folders["bfloat16"], reference),
    })  # fmt: skip
    cosine = cosines(activations["float32"], activations["bfloat16"])
    print(f"codes of {len(cosine):,} images: cosine {cosine.mean():.6f} mean, {cosine.min():.6f} least")


def _extract(folder: Path, work: Path, precision: str, state: Path | None) -> None:
    os.environ[POOL_VARIABLE] = str(work / "pool")
    prepare(folder, work, state)
    extract(
        work / "manifest.h5", recipe(work, precision), work / precision, {}, shard_mean=128,
        shard_largest=512, candidates=28,
    )  # fmt: skip


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Extract twice and compare."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.precision", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, help="a state dict; default: random weights")
    parser.add_argument("--k", type=int, default=9, help="ranks compared")
    parser.add_argument(
        "--keep", type=Path, help="folder for both extractions; taken from it if they are there"
    )
    options = parser.parse_args(arguments)
    with _folder(options.keep) as work:
        for precision in PRECISIONS:
            if not (work / precision / "index.h5").exists():
                _extract(options.folder, work, precision, options.weights)
        measure(work, options.k)
    return 0


if __name__ == "__main__":
    sys.exit(main())
