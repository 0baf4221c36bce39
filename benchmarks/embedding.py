"""The map against openTSNE alone and scikit-learn's TSNE, on the same principal components.

``python -m benchmarks.embedding --images 50000 --width 4096 --jobs 2`` writes codes as extraction does, then,
in turn and each in a process of its own: this project from HDF5 to coordinates, openTSNE with its defaults on
the 50 components, and for up to ``--scikit-learn-below`` images scikit-learn's TSNE on these. For a tenth of
the images and for all it prints seconds, their ratio to openTSNE's, peak memory, and for each map KL, KNN and
KNC, measured alike: KL from the definition, with P of openTSNE's exact neighbours at perplexity 30.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from openTSNE import TSNE
from openTSNE.affinity import MultiscaleMixture
from sklearn import manifold
from threadpoolctl import threadpool_limits

from pipeline.analyses.embedding.components import reduce_codes
from pipeline.analyses.embedding.embedding import embed
from pipeline.analyses.embedding.map_quality import class_means_kept, neighbours_kept, sample
from pipeline.formats.activations import Index, write_index
from pipeline.formats.shards import CODES, Contents, write_shard
from pipeline.numerics.neighbours import DISTANCES_AT_ONCE

ROWS = 2000  # images in a shard
CLASSES = 100
PERPLEXITY = 30
QUERIES = 5000  # images whose neighbours are compared
Points = NDArray[np.float32]


def write_codes(folder: Path, images: int, width: int) -> NDArray[np.int32]:
    """Write codes (images, width) float32 like those after a ReLU, around centres; return the classes."""
    rng = np.random.default_rng(0)
    factors = min(64, width)
    centres = rng.normal(size=(CLASSES, factors)) * 1.5
    mixing = rng.normal(size=(factors, width)).astype(np.float32) / np.sqrt(factors)
    label = rng.integers(0, CLASSES, images).astype(np.int32)
    names = [f"part-{number:05}.h5" for number in range(-(-images // ROWS))]
    for number, name in enumerate(names):
        own = label[number * ROWS : (number + 1) * ROWS]
        hidden = (centres[own] + rng.normal(size=(len(own), factors))).astype(np.float32)
        noise = rng.normal(size=(len(own), width)).astype(np.float32) * 0.5
        codes, contents = np.maximum(hidden @ mixing + noise - 0.5, 0), Contents(np.arange(len(own)), [])
        write_shard(folder / name, {CODES: codes}, contents, code_layer="", made_from={})
    parts = np.split(np.arange(images), range(ROWS, images, ROWS))
    index = Index((), "", images, "float32", ROWS, "none")
    write_index(folder, index, list(zip(names, parts, strict=True)), [], made_from={})
    return label


def with_project(folder: Path, jobs: int) -> Points:
    """From HDF5 to coordinates, as the stage does it; keeps the components for the others."""
    _, points = reduce_codes(folder, 50, "euclidean")
    np.save(folder / "points.npy", points)
    return embed(points, perplexity=(PERPLEXITY,), seed=0, n_jobs=jobs).xy


def with_opentsne(folder: Path, jobs: int) -> Points:
    """From the components to coordinates by openTSNE with its defaults."""
    optimiser = TSNE(perplexity=PERPLEXITY, random_state=0, n_jobs=jobs)
    return np.asarray(optimiser.fit(np.load(folder / "points.npy")))


def with_scikit_learn(folder: Path, jobs: int) -> Points:
    """From the components to coordinates by scikit-learn with its defaults."""
    return manifold.TSNE(perplexity=PERPLEXITY, random_state=0, n_jobs=jobs).fit_transform(
        np.load(folder / "points.npy")
    )


WAYS: dict[str, Callable[[Path, int], Points]] = {
    "project": with_project,
    "openTSNE": with_opentsne,
    "scikit-learn": with_scikit_learn,
}


def work(way: str, folder: Path, jobs: int) -> tuple[float, float]:
    """Make a map in one way; return seconds and this process's largest resident memory in MiB."""
    with threadpool_limits(jobs):
        start = time.perf_counter()
        xy = WAYS[way](folder, jobs)
        seconds = time.perf_counter() - start
    np.save(folder / f"{way}.npy", xy)
    # getrusage would count the parent's memory before exec.
    memory = float(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    return seconds, memory


def apart(way: str, folder: Path, jobs: int) -> tuple[float, float]:
    """Do `work` in a process of its own, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, way, folder, jobs).result()


def divergence(points: Points, xy: Points, jobs: int) -> float:
    """Return the Kullback-Leibler divergence of a map in nats, from the definition."""
    affinities = MultiscaleMixture(
        points.astype(np.float64),
        [PERPLEXITY],
        method="exact",
        n_jobs=jobs,
        knn_kwargs={"algorithm": "brute"},
    ).P.tocoo()
    exact = xy.astype(np.float64)
    total, step = 0.0, max(1, DISTANCES_AT_ONCE // len(xy))
    norms = (exact**2).sum(axis=1)
    for start in range(0, len(xy), step):
        part = exact[start : start + step]
        squared = norms[start : start + step, None] + norms - 2 * part @ exact.T
        total += float((1 / (1 + np.maximum(squared, 0))).sum())
    total -= len(xy)
    near = ((exact[affinities.row] - exact[affinities.col]) ** 2).sum(axis=1)
    share = affinities.data
    return float((share * (np.log(share) + np.log1p(near) + np.log(total))).sum())


def measure(images: int, width: int, jobs: int, largest: int) -> None:
    """Print one line for each way of making the map."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        label = write_codes(folder, images, width)
        ways = [way for way in WAYS if way != "scikit-learn" or images <= largest]
        taken = {way: apart(way, folder, jobs) for way in ways}
        points, queries = np.load(folder / "points.npy"), sample(images, QUERIES, 0)
        for way, (seconds, memory) in taken.items():
            xy = np.load(folder / f"{way}.npy")
            ratio = seconds / taken["openTSNE"][0]
            knn, knc = neighbours_kept(points, xy, queries), class_means_kept(points, xy, label)
            print(
                f"{way:12} {images:7,} x {width:<6,} {seconds:8.1f} s {ratio:5.2f} of openTSNE "
                f"{memory:6.0f} MiB  KL {divergence(points, xy, jobs):.4f} KNN {knn:.4f} KNC {knc:.3f}",
                flush=True,
            )


def main() -> None:
    """Measure at a tenth of the images and at all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--width", type=int, default=4096)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--scikit-learn-below", type=int, default=10_000, dest="largest")
    options = parser.parse_args()
    for images in (options.images // 10, options.images):
        measure(images, options.width, options.jobs, options.largest)


if __name__ == "__main__":
    main()
