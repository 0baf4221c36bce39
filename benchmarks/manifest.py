"""What the manifest of many images costs: time and memory, first and again, from class folders and a listing.

``python -m benchmarks.manifest FOLDER --images 100000`` writes N and 10 N PNG files of about 70 bytes, all
different, into FOLDER (a second call takes them as they are), and runs ``python -m stages.manifest`` on them
as DVC does, imports included. Files so small leave nothing but what a manifest costs for each image beside
reading and decoding it. It prints, for each size, a line for

- ``folders, first``: every file found, read, hashed, decoded;
- ``folders, again``: the findings of the run before taken over for all, each file only looked up (lstat);
- ``listing, made``: ``python -m pipeline.listing``, which writes the CSV that DVC then hashes instead;
- ``listing, first`` and ``listing, again``: the CSV as the dataset; again, its files are not even looked up.

Seconds are wall clock and, of all processes together, CPU; memory is the largest sum of PSS, and the largest
of the stage's own process (see `benchmarks.processes`). The last lines are the ratios of 10 N to N, where 10
is proportional and less shows the start of Python, and what each further 100,000 images cost: the difference
of the two, in which that start does not count. The page cache is warm: the files have just been written, or
read by the run before.
"""

import argparse
import json
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.processes import ROOT, Run, run
from pipeline.manifest.cache import RESOLUTION
from pipeline.params import read_params

IN_CLASS = 1000  # images
PER = 100_000  # images that costs are given for
SIGNATURE = b"\x89PNG\r\n\x1a\n"
Costs = dict[str, Run]


def png(number: int) -> bytes:
    """Return a PNG of one pixel whose colour is the number, below 2**24."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" + number.to_bytes(3, "big"))
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def write_class(number: int, folder: Path, images: int) -> None:
    """Write the images of one class, as many as are left for it."""
    place = folder / f"{number:05d}"
    place.mkdir(parents=True, exist_ok=True)
    for image in range(number * IN_CLASS, min((number + 1) * IN_CLASS, images)):
        (place / f"{image:08d}.png").write_bytes(png(image))


def write_images(folder: Path, images: int) -> Path:
    """Write images into class folders unless they are there; return their folder."""
    target, mark = folder / f"images-{images}", folder / f"images-{images}.done"
    if not mark.exists():
        with ProcessPoolExecutor() as pool:
            classes = range(-(-images // IN_CLASS))
            list(pool.map(partial(write_class, folder=target, images=images), classes, chunksize=4))
        mark.touch()
        # What was written within the resolution of time stamps is not remembered for the next run.
        time.sleep(RESOLUTION / 1e9 + 0.5)
    return target


def measure(folder: Path, images: int, depth: str) -> Costs:
    """Run the stage on a folder of images in every way, each on its own and in turn."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        block = read_params(ROOT / "params.yaml")["dataset"] | {"path": "none", "check": depth}
        # JSON is YAML.
        (work / "params.yaml").write_text(json.dumps({"dataset": block}))
        costs = {f"folders, {when}": _stage(folder, work) for when in ("first", "again")}
        _check(costs["folders, again"], images)
        listing = work / "listing.csv"
        costs["listing, made"] = run("pipeline.listing", [folder.resolve(), listing], folder=work)
        costs |= {f"listing, {when}": _stage(listing, work) for when in ("first", "again")}
        _check(costs["listing, again"], images)
    return costs


def _check(again: Run, images: int) -> None:
    if f"{images} images, {images} of them unchanged" not in again.output:
        raise RuntimeError(f"findings were not taken over for all images: {again.output}")


def _stage(dataset: Path, work: Path) -> Run:
    arguments = ["--dataset", dataset.resolve(), "--out", work / "manifest.h5"]
    return run("stages.manifest", arguments, folder=work, CONVATLAS_CACHE=str(work / "cache"))


def show(images: int, costs: Costs) -> None:
    """Print a line for each way."""
    for way, cost in costs.items():
        scale = PER / images
        print(
            f"{images:9,} images, {way:15} {cost.seconds:7.1f} s, CPU {cost.cpu_seconds:7.1f} s; "
            f"per {PER:,}: {cost.seconds * scale:6.2f} s, CPU {cost.cpu_seconds * scale:6.2f} s; "
            f"{cost.peak:6.0f} MiB together, {cost.own.peak:6.0f} the stage itself",
            flush=True,
        )


def compare(sizes: tuple[int, int], few: Costs, many: Costs) -> None:
    """Print how the costs of each way grew, what further images cost, and what a second run saves."""
    further = PER / (sizes[1] - sizes[0])
    for way, cost in many.items():
        before = few[way]
        print(
            f"{sizes[1] / sizes[0]:g} times the images, {way:15} {cost.seconds / before.seconds:5.2f} x the "
            f"seconds, {cost.cpu_seconds / before.cpu_seconds:5.2f} x the CPU seconds, "
            f"{cost.peak / before.peak:5.2f} x the memory; each further {PER:,}: "
            f"{(cost.seconds - before.seconds) * further:6.2f} s, "
            f"CPU {(cost.cpu_seconds - before.cpu_seconds) * further:6.2f} s, "
            f"{(cost.peak - before.peak) * further:6.0f} MiB"
        )
    for kind in ("folders", "listing"):
        ratio = many[f"{kind}, again"].seconds / many[f"{kind}, first"].seconds
        print(f"{kind}: again takes {ratio:.2f} of first")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure N and 10 N images."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.manifest", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path, help="where the images are, or are made")
    parser.add_argument("--images", type=int, default=10_000, help="N")
    parser.add_argument("--factor", type=int, default=10)
    parser.add_argument("--check", choices=("pixels", "headers"), default="pixels", help="as dataset.check")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    sizes = (options.images, options.images * options.factor)
    if sizes[1] >= 1 << 24:
        parser.error(f"{sizes[1]:,} images: there are fewer colours of 24 bits")
    costs = []
    for images in sizes:
        folder = write_images(options.folder, images)
        costs.append(measure(folder, images, options.check))
        show(images, costs[-1])
    compare(sizes, *costs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
