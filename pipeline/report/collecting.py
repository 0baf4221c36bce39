"""What all sections say of a layer, of a unit, of an image, brought together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipeline.contents.parts import ImagePart, LayerPart, UnitPart
from pipeline.contents.section import Section
from pipeline.contents.values import Cell, Number
from pipeline.formats.geometry import LayerGeometry
from pipeline.report.captions import Caption, Words
from pipeline.report.sources import Source


@dataclass(frozen=True)
class Worded:
    """A section with its words.

    Attributes
    ----------
    content, caption
        What a render stage drew, and what is said of it.
    metrics
        ``stage.key`` to value, which every caption may name.
    pages
        Of its viewers, by their ids.
    source
        The file of what it says, in the folder of artifacts.
    drawn_from
        The artifacts that it was drawn from.
    """

    content: Section
    caption: Caption
    metrics: Mapping[str, Number]
    pages: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    drawn_from: Sequence[Source] = ()

    @property
    def name(self) -> str:
        """The section's name, and its anchor."""
        return self.content.name

    @property
    def folder(self) -> str:
        """Where its files lie in the report."""
        return f"figures/{self.name}/"

    def numbers(self, over: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what its captions are filled in with; what is nearer stands over what is farther."""
        return {"metrics": self.metrics, **self.content.numbers, **(over or {})}

    def sources(self) -> dict[str, str]:
        """Return where each of its own numbers stands: the artifact, ``#``, and the number's name there."""
        return {name: f"{self.source}#{name}" for name in self.content.numbers}

    def term(self, name: str, words: Words | None = None) -> str:
        """Return what a column or a fact is called: in its part, else in the section, else by its name."""
        key = f"name {name}"
        near = words.head if words else {}
        return near.get(key) or self.caption.words.head.get(key) or name.replace("_", " ")


@dataclass(frozen=True)
class Chapter:
    """A page of sections."""

    slug: str
    title: str
    sections: Sequence[Worded]


@dataclass(frozen=True)
class UnitEntry:
    """A unit and what is said of it, by section."""

    layer: str
    unit: int
    parts: Sequence[tuple[Worded, LayerPart, UnitPart]]

    @property
    def drawn(self) -> bool:
        """Whether it has a page of its own: there is more to see than numbers."""
        return any(part.strips or part.blocks for _, _, part in self.parts)


@dataclass(frozen=True)
class LayerEntry:
    """A layer and what is said of it, by section."""

    name: str
    parts: Sequence[tuple[Worded, LayerPart]]

    @property
    def units_total(self) -> int | None:
        """How many units it has, as the first section that knows it says."""
        return next((part.units_total for _, part in self.parts if part.units_total), None)

    @property
    def geometry(self) -> LayerGeometry | None:
        """Where its positions look, as the first section that knows it says."""
        return next((part.geometry for _, part in self.parts if part.geometry), None)

    @cached_property
    def units(self) -> Sequence[UnitEntry]:
        """The units that anything is said of, ascending."""
        found: dict[int, list[tuple[Worded, LayerPart, UnitPart]]] = {}
        for section, part in self.parts:
            for unit in part.units:
                found.setdefault(unit.unit, []).append((section, part, unit))
        return [UnitEntry(self.name, unit, found[unit]) for unit in sorted(found)]


@dataclass
class ImageEntry:
    """An image and what is said of it, by section.

    Attributes
    ----------
    excites
        The units that it is a winner of: layer, unit, place in the unit's table.
    """

    path: str
    parts: list[tuple[Worded, ImagePart]] = field(default_factory=list)
    excites: list[tuple[str, int, int]] = field(default_factory=list)


def collect_layers(sections: Sequence[Worded]) -> list[LayerEntry]:
    """Return every layer that a section speaks of, in the order in which they come up."""
    found: dict[str, list[tuple[Worded, LayerPart]]] = {}
    for section in sections:
        for part in section.content.layers:
            found.setdefault(part.layer, []).append((section, part))
    return [LayerEntry(*one) for one in found.items()]


def collect_images(sections: Sequence[Worded], layers: Sequence[LayerEntry]) -> dict[str, ImageEntry]:
    """Return every image that a section speaks of, by its path, and the units that each excites."""
    found: dict[str, ImageEntry] = {}
    for section in sections:
        for part in section.content.images:
            found.setdefault(part.path, ImageEntry(part.path)).parts.append((section, part))
    for layer in layers:
        for unit in layer.units:
            for path, place in _winners(unit):
                found.setdefault(path, ImageEntry(path)).excites.append((layer.name, unit.unit, place))
    return found


def _winners(unit: UnitEntry) -> Iterator[tuple[str, int]]:
    """Yield the images in a unit's tables, each once with its first place."""
    seen: set[Cell] = set()
    for _, layer, part in unit.parts:
        columns = layer.unit_table.columns if layer.unit_table else ()
        for index in (index for index, column in enumerate(columns) if column.form == "image"):
            for place, row in enumerate(part.rows):
                path = row[index]
                if isinstance(path, str) and path not in seen:
                    seen.add(path)
                    yield path, place
