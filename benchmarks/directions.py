"""Directions of a dense layer at scale: their peak memory and time on synthetic artifacts, against a tenth.

``python -m benchmarks.directions`` makes the artifacts of `benchmarks.synthetic`, of 1,000,000 images and
2,000 units and of a tenth of the images, and does with each what the stage does with a layer of one position,
in a process of its own: 64 random directions, 64 principal components, the first 14 images along each.
Cutting patches and rotations, which take images and a network, do not grow with their number.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from benchmarks.analyses import prepare, show
from benchmarks.processes import run
from benchmarks.synthetic import LAYER, ROWS
from pipeline.analyses.directions.axes import axes_of, stored_values
from pipeline.analyses.directions.stored import rank_stored
from pipeline.formats.activations import open_activations

COUNT, RANKS = 64, 14


def rank(work: Path) -> None:
    """Rank the images of some artifacts along the directions of their layer."""
    activations = open_activations(work / "artifacts/activations")
    layer = activations.layer(LAYER)
    axes = axes_of(activations, layer, None, count=COUNT, seed=0)
    stacked = np.concatenate([one.direction for one in axes.values()])
    found = rank_stored(stored_values(activations, layer), stacked, RANKS)
    assert found.value.shape == (2 * COUNT, RANKS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure at a tenth of the images and at all."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.directions", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--images", type=int, default=1_000_000, help="a multiple of 10000")
    parser.add_argument("--units", type=int, default=2000)
    parser.add_argument("--folder", type=Path, help="where artifacts lie and stay")
    parser.add_argument("--rank", type=Path, metavar="WORK", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.rank:
        rank(options.rank)
        return 0
    held = nullcontext(options.folder) if options.folder else tempfile.TemporaryDirectory(dir=Path.cwd())
    with held as folder:
        ran = []
        for images in (options.images // 10 // ROWS * ROWS, options.images // ROWS * ROWS):
            work = prepare(Path(folder).resolve(), images, options.units, means=False)
            ran.append(run("benchmarks.directions", ["--rank", str(work)], folder=work))
            show("directions", images, ran[-1])
        few, many = ran
        print(f"{many.peak / few.peak:.2f} x the memory, {many.seconds / few.seconds:.1f} x the time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
