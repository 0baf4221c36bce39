"""Write the images of a huge folder to a CSV, which is then the dataset: DVC hashes the CSV, not every image.

``python -m pipeline.listing FOLDER OUT.csv`` writes ``path,label,size,mtime`` (and ``split`` where the folder
has splits): sizes in bytes, times of change in nanoseconds. Write it again after the folder changed.
"""

import argparse
import csv
import io
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.dataset.dataset import open_dataset
from pipeline.dataset.names import escape
from pipeline.errors import UserError
from pipeline.manifest.scanning import scan, tell
from pipeline.store.cells import quote
from pipeline.store.replacing import replaced

EDGES = re.compile(r"^ +| +$")
COLUMNS = ("path", "label", "split", "size", "mtime")


def write_listing(folder: Path, out: Path) -> int:
    """List a folder of images or tar files.

    Parameters
    ----------
    folder
        What to list. The CSV names it relative to itself if it was given as a relative path.
    out
        The CSV; replaced in one step.

    Returns
    -------
    int
        Number of images listed.

    Raises
    ------
    UserError
        If there is no such folder, no image in it, or the CSV cannot be written.
    """
    dataset = open_dataset(folder)
    if dataset.kind != "folder":
        raise UserError(f"{folder}: is no folder; a listing is made of a folder of images or tar files")
    found = scan(dataset)
    tell(found)
    labelled = sum(record.label is not None for record in found.records)
    split = any(record.split for record in found.records)
    given = {name for name, known in (("label", labelled), ("split", split)) if known}
    columns = [name for name in COLUMNS if name in ("path", "size", "mtime") or name in given]
    text = io.StringIO()
    text.write(f"# root: {_edged(escape(_root(folder, out)))}\n")
    if 0 < labelled < len(found.records):
        text.write("# labels: some\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for record in found.records:
        writer.writerow([_cell(getattr(record, name)) for name in columns])
    _replace(out, text.getvalue())
    return len(found.records)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, or 1 after a user's mistake."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.listing", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of images or tar files")
    parser.add_argument("out", type=Path, metavar="OUT.csv", help="the CSV to write")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="listing: %(message)s", stream=sys.stderr)
    try:
        count = write_listing(options.folder, options.out)
    except UserError as error:
        print(f"listing: error: {error}", file=sys.stderr)
        return 1
    print(f"{options.out}: {count} images; set dataset.path to it", file=sys.stderr)
    return 0


def _cell(value: str | int | None) -> str:
    return "" if value is None else quote(_edged(str(value)))


def _edged(text: str) -> str:
    """Escape spaces at the ends, which are not read back."""
    return EDGES.sub(lambda match: "\\x20" * len(match[0]), text)


def _root(folder: Path, out: Path) -> str:
    # `open_dataset` starts from where the CSV really is, which a link may hide.
    return str(folder) if folder.is_absolute() else os.path.relpath(folder.resolve(), out.parent.resolve())


def _replace(out: Path, text: str) -> None:
    try:
        with replaced(out) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from None


if __name__ == "__main__":
    raise SystemExit(main())
