"""Analyses at scale: their peak memory and time on synthetic artifacts, and how both grow from a tenth.

``python -m benchmarks.analyses units similar_units`` makes the artifacts of `benchmarks.synthetic`, of
1,000,000 images and 2,000 units and of a tenth of the images, and runs each stage on either, as DVC does, in
a process of its own with the values of params.yaml. It prints

- the largest sum of the PSS of the stage's processes (`benchmarks.processes`), which is to be under 4 GiB;
- seconds by the clock and of the processors;
- the ratios of the two sizes.

``--set units.top=10`` changes a parameter, a value in YAML; ``--folder`` keeps the artifacts in a folder,
where a second run finds them. A million images take 3.4 GB there, and a stage may need more for a while.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import yaml

from benchmarks.processes import ROOT, Run, run
from benchmarks.synthetic import ROWS, Images, write_artifacts

MOST = 4 << 10  # MiB


def prepare(folder: Path, images: int, units: int, *, means: bool) -> Path:
    """Return a folder with artifacts of that many images; they are made where they are not there yet."""
    work = folder / f"{images}-{units}{'-means' if means else ''}"
    if not (work / "artifacts/weights/model.json").is_file():
        write_artifacts(work, Images(images, units, classes=100), means=means)
    return work


def write_params(work: Path, changes: Sequence[str]) -> None:
    """Write the project's parameters into a folder, with changes such as ``units.top=10``."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for change in changes:
        name, _, value = change.partition("=")
        *blocks, key = name.split(".")
        place = params
        for block in blocks:
            place = place[block]
        place[key] = yaml.safe_load(value)
    (work / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def show(stage: str, images: int, done: Run) -> None:
    """Print what a stage took."""
    small = "" if done.peak < MOST else f", more than {MOST:,}"
    print(
        f"{stage}: {images:9,} images: {done.peak:6.0f} MiB PSS{small}, of which its own process "
        f"{done.own.peak:.0f}; {done.seconds:.0f} s, {done.cpu_seconds:.0f} s of processors",
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure stages at a tenth of the images and at all."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.analyses", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("stages", nargs="+", help="modules of stages/, such as units")
    parser.add_argument("--images", type=int, default=1_000_000, help="a multiple of 10000")
    parser.add_argument("--units", type=int, default=2000)
    parser.add_argument("--means", action="store_true", help="keep means too, as extract.means does")
    parser.add_argument("--set", action="append", default=[], metavar="BLOCK.KEY=VALUE", dest="changes")
    parser.add_argument("--folder", type=Path, help="where artifacts lie and stay")
    options = parser.parse_args(arguments)
    sizes = [options.images // 10 // ROWS * ROWS, options.images // ROWS * ROWS]
    held = nullcontext(options.folder) if options.folder else tempfile.TemporaryDirectory(dir=Path.cwd())
    with held as folder:
        works = [prepare(Path(folder), images, options.units, means=options.means) for images in sizes]
        for stage in options.stages:
            ran = []
            for images, work in zip(sizes, works, strict=True):
                write_params(work, options.changes)
                ran.append(run(f"stages.{stage}", [], folder=work))
                show(stage, images, ran[-1])
            few, many = ran
            print(
                f"{stage}: {sizes[1] / sizes[0]:.0f} times the images: "
                f"{many.peak / few.peak:.2f} x the memory, {many.seconds / few.seconds:.1f} x the time, "
                f"{many.cpu_seconds / few.cpu_seconds:.1f} x that of the processors",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
