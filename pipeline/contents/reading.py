"""The folders of all chapters, as the report reads them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pipeline.contents.section import Section
from pipeline.contents.writing import LIST
from pipeline.errors import UserError


@dataclass(frozen=True)
class StoredSection:
    """A section and the folder of its files."""

    folder: Path
    content: Section


def read_sections(figures: Path) -> list[StoredSection]:
    """Read every section of every chapter, sorted by name.

    Parameters
    ----------
    figures
        The folder with one folder a chapter.

    Raises
    ------
    UserError
        If there is no section, if two have one name, or naming the file and what is wrong in it.
    """
    # A render stage that was killed leaves a hidden folder behind.
    files = [file for file in figures.glob(f"*/*/{LIST}") if not file.parent.parent.name.startswith(".")]
    if not files:
        raise UserError(f"{figures}: no section in it; run the render stages first")
    sections: dict[str, StoredSection] = {}
    for folder in sorted((file.parent for file in files), key=lambda folder: (folder.name, folder)):
        if folder.name in sections:
            raise UserError(
                f"{folder}: section '{folder.name}' is taken by {sections[folder.name].folder}; "
                "remove the folder of a chapter that no stage writes any more"
            )
        with _nothing_collected():
            sections[folder.name] = read_section(folder)
    return list(sections.values())


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Look for no garbage among what is read: all of it stays, and looking doubles the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def read_section(folder: Path) -> StoredSection:
    """Read one section and check that each file it names is there.

    Raises
    ------
    UserError
        Naming the file and what is wrong in it.
    """
    source = folder / LIST
    try:
        content = Section.model_validate_json(source.read_bytes())
    except (OSError, ValidationError) as error:
        raise UserError(f"{source}: {_first_line(error)}; run the section's render stage again") from None
    if content.name != folder.name:
        raise UserError(
            f"{source}: names itself '{content.name}', but lies in '{folder.name}'; "
            "run the section's render stage again"
        )
    missing = [name for name in content.files if not (folder / name).is_file()]
    if missing:
        raise UserError(f"{source}: names '{missing[0]}', which is not there; run its render stage again")
    return StoredSection(folder, content)


def _first_line(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"'{place}': {first['msg']}" if place else first["msg"]
