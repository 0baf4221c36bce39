"""What a render stage hands over to the report: a folder of figures, and section.json that lists them."""

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.errors import UserError

Number = int | float | str


def _inside(name: str) -> str:
    """Refuse a file name that could lead out of the section's folder."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise ValueError(f"must be a path inside the section's folder, got {name!r}")
    return name


Inside = Annotated[str, AfterValidator(_inside)]
# Anchors and file names of pages are made of these, on every file system and in every URL.
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Figure(_Part):
    """A picture with its vector form and its data, all files of the section's folder."""

    id: Slug
    title: str
    alt: str = Field(min_length=1)
    image: Inside
    dark_image: Inside | None = None
    vector: Inside | None = None
    data: Inside | None = None
    width: int = Field(ge=1, description="pixels")
    height: int = Field(ge=1, description="pixels")
    caption: str


class Table(_Part):
    """A small table of names and numbers."""

    id: Slug
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Number | None, ...], ...]
    caption: str = ""


class Unit(_Part):
    """One unit's strongest images; the lists run over ranks, strongest first, and may be empty.

    Attributes
    ----------
    image, context
        Its patches side by side, and the pictures that they were cut from with the receptive field in white.
    boxes
        x0, y0, x1, y1 in pixels of the original image; may leave it.
    positions
        y, x in the layer's map.
    count_active, images
        Number of images for which its maximum is positive, and of all images.
    """

    unit: int = Field(ge=0)
    image: Inside
    context: Inside | None = None
    values: tuple[float, ...]
    paths: tuple[str, ...]
    labels: tuple[str | None, ...]
    boxes: tuple[tuple[float, float, float, float], ...]
    positions: tuple[tuple[int, int], ...] = ()
    image_ids: tuple[int, ...] = ()
    count_active: int = Field(ge=0)
    images: int = Field(ge=0)

    @model_validator(mode="after")
    def _one_row_a_rank(self) -> "Unit":
        lengths = {len(self.values), len(self.paths), len(self.labels), len(self.boxes)}
        lengths |= {len(optional) for optional in (self.positions, self.image_ids) if optional}
        if len(lengths) != 1:
            raise ValueError(f"unit {self.unit}: its lists must have one entry a rank, got {sorted(lengths)}")
        return self


class Layer(_Part):
    """A layer and those of its units that were drawn; sizes are (y, x)."""

    name: str
    slug: Slug
    figure: Slug | None = None
    rf_size: tuple[int, int] | None
    rf_stride: tuple[int, int] | None
    rf_status: Literal["exact", "bound", "global", "unknown"]
    map_size: tuple[int, int]
    units_total: int = Field(ge=1)
    units: tuple[Unit, ...]


class Content(_Part):
    """What section.json holds."""

    section: Slug
    figures: tuple[Figure, ...] = ()
    numbers: dict[str, Number] = {}
    tables: tuple[Table, ...] = ()
    viewer: Inside | None = None
    layers: tuple[Layer, ...] = ()

    @property
    def ids(self) -> list[str]:
        """The ids of figures and tables, which become anchors."""
        return [figure.id for figure in self.figures] + [table.id for table in self.tables]


class Section(_Part):
    """A section's folder and what is in it."""

    folder: Path
    content: Content


def read_sections(figures: Path) -> list[Section]:
    """Read every section below a folder, sorted by name.

    Parameters
    ----------
    figures
        The folder with one folder a section.

    Raises
    ------
    UserError
        If there is no section, or naming the file and what is wrong in it.
    """
    # A render stage that was killed leaves a hidden folder behind.
    files = sorted(file for file in figures.glob("*/section.json") if not file.parent.name.startswith("."))
    if not files:
        raise UserError(f"{figures}: no section in it; run the render stages first")
    return [read_section(file.parent) for file in files]


def read_section(folder: Path) -> Section:
    """Read one section and check that each file it names is there.

    Raises
    ------
    UserError
        Naming the file and what is wrong in it.
    """
    source = folder / "section.json"
    try:
        content = Content.model_validate_json(source.read_bytes())
    except (OSError, ValidationError) as error:
        raise UserError(f"{source}: {_first_line(error)}; run the section's render stage again") from None
    if content.section != folder.name:
        raise UserError(f"{source}: names itself '{content.section}', but lies in '{folder.name}'")
    _check_unique(content, source)
    missing = [name for name in _files(content) if not (folder / name).is_file()]
    if missing:
        raise UserError(f"{source}: names '{missing[0]}', which is not there; run its render stage again")
    return Section(folder=folder, content=content)


def _first_line(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"'{place}': {first['msg']}" if place else first["msg"]


def _check_unique(content: Content, source: Path) -> None:
    """Anchors and pages would overwrite each other."""
    for kind, names in (
        ("id", content.ids),
        ("slug", [layer.slug for layer in content.layers]),
    ):
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise UserError(f"{source}: {kind} '{twice[0]}' is given twice")


def _files(content: Content) -> list[str]:
    figures = [
        name
        for figure in content.figures
        for name in (figure.image, figure.dark_image, figure.vector, figure.data)
    ]
    units = [name for layer in content.layers for unit in layer.units for name in (unit.image, unit.context)]
    return [name for name in (*figures, *units, content.viewer) if name]
