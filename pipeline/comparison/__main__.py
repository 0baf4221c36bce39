"""Compare two runs on a page: a revision of git, or another project, with this project as it lies.

    python -m pipeline.comparison REV [OTHER] [--out compare]

REV and OTHER are what git calls a revision, whose results are in DVC's cache or a remote, or the folder of a
project. Nothing of the working tree is touched but the folder that the page goes to, which no stage knows.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline.comparison.accuracy import add_accuracy
from pipeline.comparison.answers import read_answers
from pipeline.comparison.changed import add_changed
from pipeline.comparison.inventory import add_files, add_metrics
from pipeline.comparison.layers import add_layers
from pipeline.comparison.maps import add_maps
from pipeline.comparison.page import Page
from pipeline.comparison.pairing import Pairs, pair_images
from pipeline.comparison.runs import Run, open_run
from pipeline.comparison.settings import add_settings
from pipeline.comparison.units import add_units
from pipeline.errors import UserError
from pipeline.formats.manifest import open_manifest
from pipeline.store.replacing import replaced_folder

MANIFEST = "artifacts/manifest.h5"
MARK = "figures/files"


def compare_runs(first: Run, second: Run, out: Path, *, seed: int) -> bool:
    """Write the page of two runs.

    Parameters
    ----------
    first, second
        The runs.
    out
        The page's folder; replaced when the new one is whole.
    seed
        Of bootstraps, and of samples where there are many images.

    Returns
    -------
    bool
        Whether anything differs of what could be compared.

    Raises
    ------
    UserError
        If the runs have no image in common, or `out` holds something else or cannot be written.
    """
    if out.exists() and not (out / MARK).is_dir() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: holds something that is no comparison; give another folder with --out")
    with open_manifest(first.path(MANIFEST)) as ours, open_manifest(second.path(MANIFEST)) as theirs:
        pairs = pair_images(ours, theirs)
    if not len(pairs):
        raise UserError(f"{first.name} and {second.name} have no image of equal path and bytes in common")
    try:
        # Another number of threads changes the last bits.
        with replaced_folder(out) as folder, threadpool_limits(1):
            return _write_page(folder, first, second, pairs, seed=seed)
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror or error}") from error


def _write_page(folder: Path, first: Run, second: Run, pairs: Pairs, *, seed: int) -> bool:
    """Write the page into an empty folder, and return whether anything differs."""
    page = Page(folder)
    answers = read_answers(first, second, pairs)
    page.add("settings", lambda section: add_settings(section, first, second))
    page.add("accuracy", lambda section: add_accuracy(section, answers, seed=seed))
    page.shown = page.add("changed", lambda section: add_changed(section, answers, pairs, second)) or {}
    page.add("units", lambda section: add_units(section, first, second, pairs))
    page.add("layers", lambda section: add_layers(section, first, second, pairs, seed=seed))
    page.add("maps", lambda section: add_maps(section, first, second, pairs, seed=seed))
    page.add("metrics", lambda section: add_metrics(section, first, second))
    page.add("files", lambda section: add_files(section, first, second))
    complete = not (first.lacks_anything or second.lacks_anything)
    page.write("Two runs compared", first.name, second.name, nothing=complete and not page.differs)
    return page.differs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, or 1 after a user's mistake, which is one line."""
    options = _parser().parse_args(arguments)
    project = Path.cwd()
    try:
        with _rooms() as (room, other):
            first = open_run(options.first, project, room)
            second = open_run(options.second, project, other)
            differs = compare_runs(first, second, options.out, seed=options.seed)
    except UserError as error:
        print(f"compare: error: {error}", file=sys.stderr)
        return 1
    lacking = first.lacks_anything or second.lacks_anything
    said = "" if differs else f" (nothing differs{' in what could be had' if lacking else ''})"
    print(f"{options.out / 'index.html'}: {first.name} and {second.name}{said}", file=sys.stderr)
    return 0


@contextmanager
def _rooms() -> Iterator[tuple[Path, Path]]:
    """Give two folders for what is fetched of revisions."""
    with tempfile.TemporaryDirectory(prefix="compare-") as folder:
        yield Path(folder, "first"), Path(folder, "second")


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 0")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.comparison", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("first", metavar="REV", help="a revision, or a project's folder")
    parser.add_argument("second", nargs="?", metavar="OTHER", help="another (this project)")
    parser.add_argument("--out", type=Path, default=Path("compare"), help="the page's folder (compare)")
    parser.add_argument("--seed", type=_seed, default=0, help="of bootstraps and samples (0)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
