"""The block `humans`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.analyses.humans.choices import read_choices, sort_files
from pipeline.analyses.humans.naming import Names
from pipeline.analyses.humans.reading import find_files, read_answers
from pipeline.analyses.predictions.wnids import is_wnid
from pipeline.dataset.dataset import open_dataset
from pipeline.manifest.scanning import scan
from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `humans`."""

    annotators: int = Field(ge=1, le=200, description="people who are compared one by one")
    many: int = Field(ge=2, le=1_000_000, description="answers that make an image one of many people")
    bins: int = Field(ge=2, le=50, description="bins of equal count by how much people differ")
    repeats: int = Field(ge=100, le=1_000_000, description="samples of the bootstrap")
    seed: int = Field(ge=0, le=2**31 - 1, description="of these samples")


def check(blocks: Mapping[str, Any], _network: object) -> None:
    """Read what lies in inputs/humans against the dataset, where that is there yet.

    Raises
    ------
    UserError
        With file and line.
    """
    files = find_files(Path("inputs/humans")) if blocks["humans"].run else []
    if files:
        names = _names(Path(blocks["dataset"].path))
        answers, chosen = sort_files(files)
        read_answers(answers, names, strict=True)
        read_choices(chosen, names, strict=True)


def _names(path: Path) -> Names:
    """Return what answers may name; anything of a dataset that is made later, or whose ids have names."""
    if not path.exists():
        return Names(None, None)
    found = scan(open_dataset(path))
    called_otherwise = any(map(is_wnid, found.classes))
    return Names([record.path for record in found.records], None if called_otherwise else found.classes)
