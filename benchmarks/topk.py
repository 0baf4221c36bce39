"""Top-k against reading the maxima that it ranks.

``python -m benchmarks.topk --images 100000 --units 1152`` writes shards as extraction does, then, in turn,
reads them, ranks them in a stream, and ranks each apart and merges. It prints images/s, the time of reading
and ranking as a multiple of that of reading, and the peak memory for a tenth of the images and for all.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.formats.shards import Contents, Shard, position, value, write_shard
from pipeline.topk.ranking import add_shard, merge_topk
from pipeline.topk.streaming import TopK

ROWS = 1000  # images in a shard
KIB_IN_MIB = 1 << 10
LAYER = "layer"
KINDS: dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    "random": lambda rng, _, units: rng.random((ROWS, units), dtype=np.float32),
    "ascending": lambda _, part, units: np.repeat(
        np.arange(part * ROWS, (part + 1) * ROWS, dtype=np.float32)[:, None], units, axis=1
    ),
    # From always active to never, as the channels after a ReLU are.
    "relu": lambda rng, _, units: np.maximum(
        rng.standard_normal((ROWS, units), dtype=np.float32) - np.linspace(-1, 5, units, dtype=np.float32), 0
    ),
    "ties": lambda rng, _, units: np.floor(rng.random((ROWS, units), dtype=np.float32) * 8),
}


def write_shards(folder: Path, kind: str, shards: int, units: int) -> None:
    """Write maxima (1000, units) float32 with positions, a file a shard."""
    rng = np.random.default_rng(0)
    for part in range(shards):
        values = KINDS[kind](rng, part, units)
        positions = rng.integers(0, 13, (ROWS, units, 2)).astype(np.uint16)
        positions[values == 0] = 0
        arrays = {value(LAYER): values, position(LAYER): positions}
        contents = Contents(np.arange(ROWS), [])
        write_shard(folder / f"{part:05d}.h5", arrays, contents, code_layer="", made_from={})


def work(how: str, folder: Path, shards: int, k: int) -> tuple[float, float]:
    """Return seconds and peak memory (MiB) of a process that reads, or reads and ranks."""
    start = time.perf_counter()
    ranking: dict[str, TopK] = {LAYER: TopK(k)}
    for part in range(shards):
        shard = Shard(folder / f"{part:05d}.h5", np.arange(part * ROWS, (part + 1) * ROWS))
        if how == "merge":
            part = {LAYER: TopK(k)}
            add_shard(part, shard)
            ranking = merge_topk([ranking, part])
        elif how == "stream":
            add_shard(ranking, shard)
        else:
            shard.maxima(LAYER)
    seconds = time.perf_counter() - start
    return seconds, peak_memory()


def peak_memory() -> float:
    """Return this process's largest resident memory, MiB; getrusage would count the parent's before exec."""
    status = Path("/proc/self/status").read_text()
    return float(status.split("VmHWM:")[1].split()[0]) / KIB_IN_MIB


def apart(how: str, folder: Path, shards: int, k: int) -> tuple[float, float]:
    """Do `work` in a process of its own, so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (how, folder, shards, k))


def measure(kind: str, shards: int, units: int, k: int, repeats: int) -> None:
    """Print one line for each way of ranking maxima of a kind."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_shards(folder, kind, shards, units)
        times: dict[str, list[float]] = {"read": [], "stream": [], "merge": []}
        memory = {}
        for how in [*times] * repeats:
            seconds, memory[how] = apart(how, folder, shards, k)
            times[how].append(seconds)
        read = float(np.median(times["read"]))
        for how in ("stream", "merge"):
            seconds = float(np.median(times[how]))
            _, tenth = apart(how, folder, max(shards // 10, 1), k)
            print(
                f"{kind:10} {how:7} {shards * ROWS / seconds:8,.0f} images/s  {seconds / read:.2f} x reading"
                f"  peak MiB: a tenth {tenth:.0f}, all {memory[how]:.0f}, reading {memory['read']:.0f}"
            )


def main() -> None:
    """Measure every kind of maxima."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=100_000, help="a multiple of 1000")
    parser.add_argument("--units", type=int, default=1152)
    parser.add_argument("--k", type=int, default=14, help="k and margin together")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    options = parser.parse_args()
    for kind in options.kinds:
        measure(kind, options.images // ROWS, options.units, options.k, options.repeats)


if __name__ == "__main__":
    main()
