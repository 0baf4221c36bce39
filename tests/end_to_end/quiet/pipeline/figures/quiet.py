"""The section of quiet units: a table of layers, and a number for each layer and unit."""

from pipeline.contents.blocks import Table
from pipeline.contents.parts import LayerPart, UnitPart
from pipeline.contents.values import Column, Fact
from pipeline.contents.writing import SectionDraft
from pipeline.formats.quiet import Quiet
from pipeline.formats.status import Status

COLUMNS = (Column(name="layer"), Column(name="quiet", form="share"))
UNIT_FACTS = (Column(name="quiet", form="share"),)


def add_quiet(section: SectionDraft, found: Quiet | Status) -> None:
    """Say how quiet layers and units are, or why that is not known."""
    if isinstance(found, Status):
        section.status = found
        return
    section.numbers["level"] = found.level
    rows = []
    for layer, shares in found.shares.items():
        mean = float(shares.mean())
        rows.append((layer, mean))
        units = tuple(UnitPart(unit=unit, facts=(share,)) for unit, share in enumerate(shares.tolist()))
        fact = Fact(name="quiet", value=mean, form="share")
        section.layers.append(LayerPart(layer=layer, facts=(fact,), unit_facts=UNIT_FACTS, units=units))
    section.add(Table(id="layers", caption="layers", columns=COLUMNS, rows=tuple(rows)))
