"""A small chapter that holds every kind of block and part, for tests of contents and of the report."""

from pathlib import Path

from PIL import Image

from pipeline.contents.blocks import Figure, Images, Multiples, Notice, Table, Text, Units, Viewer
from pipeline.contents.parts import (
    Histogram,
    ImageOutputs,
    ImagePart,
    ImageUnits,
    LayerPart,
    Scene,
    SpriteSheet,
    Strip,
    Tiles,
    UnitLink,
    UnitPart,
    UnitTable,
    WholeImage,
)  # fmt: skip
from pipeline.contents.values import Column, Evidence, Fact
from pipeline.contents.writing import SectionDraft, new_chapter
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.status import not_run
from pipeline.numerics.geometry import ReceptiveField

LAYERS = ("features.1", "Mixed_5b.pool")
WINNERS = (
    Column(name="value", form="number"),
    Column(name="image", form="image"),
    Column(name="label", form="class"),
    Column(name="position", form="position"),
    Column(name="box", form="box"),
)


def picture(folder: Path, name: str, width: int = 6, height: int = 4) -> str:
    """Write a grey picture, PNG or WebP by its name, and return the name."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (90, 90, 90)).save(folder / name)
    return name


def figure(folder: Path, name: str, caption: str = "") -> Figure:
    """Return a figure whose files are there."""
    (folder / f"{name}.csv").write_text("a,b\n1,2\n")
    (folder / f"{name}.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return Figure(
        id=name, caption=caption or name, image=picture(folder, f"{name}.png"),
        dark=picture(folder, f"{name}-dark.png"), vector=f"{name}.svg", data=f"{name}.csv", width=6, height=4,
        evidence=Evidence(n=207, split="test", interval="wilson"),
    )  # fmt: skip


def table(name: str) -> Table:
    """Return a table with a column of each form that a table of classes has."""
    columns = (
        Column(name="class", form="class"), Column(name="images", form="count"),
        Column(name="accuracy", form="share"), Column(name="interval", form="interval"),
    )  # fmt: skip
    return Table(
        id=name, caption=name, columns=columns, rows=(("a", 3, 2 / 3, (0.2, 0.9)), ("b", 0, None, None))
    )


def layer(folder: Path, name: str, prefix: str) -> LayerPart:
    """Return a layer with a drawn unit, a dead one, and one of which there are numbers alone."""
    winners = tuple(
        (3.0 - rank, f"class/{rank}.png", "a", (rank, 2), (-1.5, 0, 9.5, 11)) for rank in range(2)
    )
    tiles = Tiles(count=2, columns=2, side=2, step=3, edge=0)
    strips = (Strip(caption="strip", sheet=0, x=0, y=2, width=6, height=2, tiles=tiles),)
    scenes = (Scene(image=0, value=3.0, box=(0, 0, 3, 2)), Scene(value=2.0, box=(0, 0, 0, 0)))
    units = (
        UnitPart(
            unit=0,
            facts=(3.0, (7, 10)),
            strips=strips,
            scenes=scenes,
            rows=winners,
            histogram=Histogram(low=0, high=3, counts=(8, 1, 1)),
            related=((UnitLink(name, 5, 0.9),), ()),
        ),
        UnitPart(unit=1, facts=(None, (0, 10)), blocks=(Notice(caption="dead"),)),
        UnitPart(unit=5, facts=(0.5, (1, 10))),
    )
    return LayerPart(
        layer=name,
        units_total=6, geometry=LayerGeometry((5, 5), ReceptiveField((11, 11), (4, 4), (0, 0), "exact")),
        facts=(Fact(name="dead", value=1, form="count", evidence=Evidence(n=6, of="units")),),
        blocks=(figure(folder, f"{prefix}-overview", "overview"),),
        sheets=(SpriteSheet(file=picture(folder, f"{prefix}.webp"), width=6, height=4),),
        unit_facts=(Column(name="largest", form="number"), Column(name="active", form="proportion")),
        unit_table=UnitTable(caption="winners", columns=WINNERS),
        unit_scenes="whole", unit_histogram="values", unit_related=("near", "far"),
        units=units,
    )  # fmt: skip


def fill(section: SectionDraft) -> None:
    """Put one of each kind of block and part into a section."""
    folder = section.folder
    section.numbers |= {"images": 10, "share": 1 / 3, "dataset": "data/<b>"}
    section.layers += [layer(folder, name, f"layer-{place}") for place, name in enumerate(LAYERS)]
    section.images.append(ImagePart(image_id=4, path="class/4.png", blocks=(figure(folder, "probe"),)))
    section.image_units = ImageUnits(layers=LAYERS, of=9, units={"class/4.png": (1, 5, 2, 0, 0, 9)})
    section.image_outputs = ImageOutputs(names=("cat", "<b>"), outputs={"class/4.png": (1, 2 / 3, 0, 1 / 3)})
    section.image_near = "nearest"
    section.sheets.append(SpriteSheet(file=picture(folder, "whole.webp"), width=6, height=4))
    section.whole_images.append(WholeImage(image_id=4, sheet=0, x=0, y=2, width=6, height=2))
    (folder / "points.js").write_text("window.CONVATLAS_MAP = {};\n")
    section.add(
        Text(caption="body"), figure(folder, "one"), table("classes"), Notice(caption="careful"),
        Multiples(id="many", caption="many", figures=(figure(folder, "left"), figure(folder, "right"))),
        Units(id="units", caption="units", layers=LAYERS), Images(id="images", caption="images", images=(4,)),
        Viewer(id="map", caption="map", program="map", scripts=("points.js",)),
    )  # fmt: skip


def write(figures: Path) -> Path:
    """Write the chapter: two sections with layers, one that was not run; return its folder."""
    with new_chapter(figures / "chapter") as chapter:
        for name in ("first", "second"):
            fill(chapter.section(name))
        chapter.section("idle").status = not_run("occlusion")
    return figures / "chapter"
