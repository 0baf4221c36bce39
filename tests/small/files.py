"""Whole folders, compared to the byte."""

from pathlib import Path


def bytes_below(folder: Path) -> dict[Path, bytes]:
    """Return every file below a folder, links followed, with its bytes."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder): path.read_bytes() for path in files}
