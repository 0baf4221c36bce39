"""Small sections as a render stage would leave them, with names that try to harm, for tests of the report."""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import yaml
from markupsafe import escape
from PIL import Image

from pipeline.contents.blocks import Figure, Images, Multiples, Notice, Table, Text, Units, UnitTiles, Viewer
from pipeline.contents.map_points import Attribute, Level, MapPoints, write_map_points
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
from pipeline.contents.writing import ChapterDraft, SectionDraft, new_chapter
from pipeline.figures.drawing.palette import SEQUENCE
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.status import Status
from pipeline.numerics.geometry import ReceptiveField
from pipeline.report.captions import FOLDER, PAGES
from pipeline.report.escaping import visible
from pipeline.report.provenance import Artifact, Counted, Provenance

HOSTILE = (
    "<script>document.documentElement.dataset.hacked='1'</script>.png",
    '"><img src=x onerror="document.documentElement.dataset.hacked=\'2\'">.png',
    "a'b\nc&amp;</td></title></textarea>.png",
    '=HYPERLINK("http://x").png',
    "javascript:document.documentElement.dataset.hacked='3'",
    "]]>--><svg onload=document.documentElement.dataset.hacked='4'>",
    "\u202egnp.exe\u2028end",
    "{{ 7 * 7 }} {% raw %} ${accuracy} **bold** [x](http://evil) `a` _b_ __proto__",
)
# Scripts that run from the right, that join and stack their letters, that have no spaces; and long ones.
FOREIGN = (
    "שלום עולם", "مرحبا بالعالم",
    "क्षत्रिय हिन्दी", "ภาษาไทยไม่มีช่องว่าง", "漢字とかな交じり文", "👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈",
    "W" * 200, "Čeština “quoted” O'Neill & Söhne",
)  # fmt: skip
UNITS = 5
# Images on the map of the report that the tests of pages share.
POINTS = 400
# One of each kind of its pages.
REPORT_PAGES = (
    "index.html",
    "chapters/network.html",
    "chapters/units.html",
    "chapters/codes.html",
    "chapters/where-it-looks.html",
    "chapters/about.html",
    "layers/pool.html",
    "units/pool/2.html",
    "units/pool/1.html",
    "unit.html#pool/4",
    f"image.html#path={quote(HOSTILE[2])}/2.png",
    f"image.html#path={quote(HOSTILE[5])}",
    "map.html",
)
# Of the strips of the first layer.
TILES = Tiles(count=3, columns=3, side=8, step=9)
# Units 0 and 4 beside the corner, 2 and 3 below it, and a place without a unit.
MAPS = UnitTiles(layer="pool", units=(0, 4, 2, 3), rows=2, columns=3, corner=1)
WINNERS = UnitTable(
    caption="winners",
    columns=(
        Column(name="value", form="number"), Column(name="image", form="image"),
        Column(name="label", form="class"), Column(name="position", form="position"),
        Column(name="box", form="box"),
    ),
)  # fmt: skip
CAPTIONS = {
    "summary": """title: Summary
chapter: network
order: 10
finding: Right on {{ accuracy | share }} of {{ dataset }}
card: accuracy

{{ images }} images, right {{ accuracy | share }}, from {{ dataset }}; [skipped](about.html#skipped).

## body

Of {{ dataset }}.

## accuracy
title: Accuracy of {{ dataset }}
alt: What {{ dataset }} shows

Caption with {{ bins }} bins.

## classes
title: Classes
name accuracy: share of right

A table.

## careful

Careful with {{ dataset }}.

## many
title: Many

Several.
""",
    "patches": """title: Top patches
chapter: units
order: 10
card: units

{{ units }} units.

{% if knc is defined %}
knc {{ knc }}
{% else %}
The dataset has no labels.
{% endif %}

## units
title: The layers

All of them.

## overview
title: {{ layer }} at a glance
alt: Patches of {{ layer }}

Drawn.

## strip
title: Strongest
alt: Patches of unit {{ unit }} of {{ layer }}

{{ rows }} of them.

## whole
title: Whole
alt: Whole images of unit {{ unit }}

Framed.

## values
title: Largest activations
alt: How often each came up

Of unit {{ unit }}.

## near
title: Near ones

Of {{ layer }}.

## far
title: Far ones

## winners
title: Winners of {{ layer }}

Strongest first.

## dead

Never active: its maximum was positive for none.
""",
    "codes": """title: Map
chapter: codes
order: 10
source: embedding.h5, topk.h5
card: map

KL {{ kl }}, accuracy {{ metrics["predictions.accuracy"] }}.

## map
title: The map
alt: Map of the images

Pan and zoom.

## nearest
title: The nearest

Of {{ near_images }}, by {{ code_layer }}.

## probes
title: Probes

Some.

## probe
title: A probe
alt: The image {{ path }}

Seen.
""",
    "occlusion": """title: Occlusion
chapter: where-it-looks
order: 10

Of {{ number_that_is_not_there }}.
""",
}  # fmt: skip


def escaped(name: str) -> str:
    """A name as a page shows it."""
    return str(escape(visible(name)))


def picture(path: Path, width: int, height: int, seed: int = 0) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.linspace(0, 255, height, dtype=np.uint8)[:, None, None]
    columns = np.linspace(0, 255, width, dtype=np.uint8)[None, :, None]
    tint = np.array([seed * 53 % 256, seed * 97 % 256, seed * 31 % 256], np.uint8)
    Image.fromarray(((rows // 2 + columns // 2) ^ tint).astype(np.uint8), "RGB").save(path, lossless=True)
    return path.name


def figure(folder: Path, name: str, caption: str = "", **changes: Any) -> Figure:
    (folder / f"{name}.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / f"{name}.csv").write_text("a,b\n1,2\n")
    values = {
        "id": name, "caption": caption or name, "image": picture(folder / f"{name}.png", 60, 40),
        "dark": picture(folder / f"{name}-dark.png", 60, 40), "vector": f"{name}.svg", "data": f"{name}.csv",
        "width": 60, "height": 40, "evidence": Evidence(n=1207, split="test", interval="wilson"),
    }  # fmt: skip
    return Figure(**values | changes)


def summary(chapter: ChapterDraft, dataset: str = HOSTILE[0]) -> SectionDraft:
    section = chapter.section("summary")
    section.numbers |= {
        "images": 1797, "accuracy": 0.97333333, "accuracy_low": 0.965, "accuracy_high": 0.98,
        "accuracy_images": 1797, "basis": "declared", "held_out": HOSTILE[1], "dataset": dataset,
        "architecture": HOSTILE[2], "layers": 2, "units": 1234, "pair_first": HOSTILE[0],
        "pair_second": HOSTILE[6], "pair_mistaken": 40, "pair_of": 360, "pair_ends": (0.08, 0.15),
        "pair_rest": 0.05,
    }  # fmt: skip
    columns = (
        Column(name=dataset), Column(name="images", form="count"), Column(name="accuracy", form="share"),
        Column(name="interval", form="interval"), Column(name="worst", form="image"),
    )  # fmt: skip
    rows = (("=1+1", 1234, 0.5, (0.25, 0.75), dataset), (dataset, 0, None, None, None))
    section.add(
        Text(caption="body"),
        figure(section.folder, "accuracy", numbers={"bins": 15}),
        Table(id="classes", caption="classes", columns=columns, rows=rows, evidence=Evidence(n=7)),
        Notice(caption="careful"),
        Multiples(
            id="many", caption="many",
            figures=tuple(
                figure(section.folder, name, "accuracy", numbers={"bins": 1}) for name in ("left", "right")
            ),
        ),
    )  # fmt: skip
    return section


def unit(number: int, names: tuple[str, ...], ranks: int = 3, tiles: Tiles | None = None) -> UnitPart:
    """Number 1 was never active, and the last was not drawn."""
    if number == 1:
        return UnitPart(unit=1, facts=(0.0, (0, 10), None), blocks=(Notice(caption="dead"),))
    rows = tuple(
        (
            float(ranks - rank) / 3, names[(number + rank) % len(names)],
            names[(number + rank + 1) % len(names)], (rank, 2), (-1.5, 0, 9.5, 11),
        )
        for rank in range(ranks)
    )  # fmt: skip
    strip = Strip(caption="strip", sheet=0, x=0, y=9 * (number % 2), width=27, height=9, tiles=tiles)
    scenes = (
        Scene(image=1, value=1.5, box=(5, 2, 15, 7), outline="M12 6l14 0 0 6-14 0z"),
        Scene(image=0, value=1.0, box=(0, 0, 20, 10), point=(4, 6), ungated=(2, 2, 8, 10)),
        Scene(value=0.5, box=(0, 0, 0, 0)),
    )
    # The first is drawn, the last is not, one is of another layer.
    near = tuple(UnitLink("features.1", other, 0.75) for other in (0, 4) if other != number)
    return UnitPart(
        unit=number, facts=(1.0 + number, (7, 10), names[number % 2]), strips=(strip,), scenes=scenes,
        rows=rows,
        histogram=Histogram(low=0, high=2, counts=(6, 0, 3, 1)), related=(near, (UnitLink("pool", 2, -0.5),)),
    )  # fmt: skip


def patches(
    chapter: ChapterDraft,
    units: int = UNITS,
    names: tuple[str, ...] = HOSTILE,
    layers: tuple[str, ...] = ("features.1", "pool"),
    drawn: int | None = None,
) -> SectionDraft:
    section = chapter.section("patches")
    section.numbers["units"] = units
    picture(section.folder / "sheet.webp", 30, 18, seed=1)
    sheet = SpriteSheet(file="sheet.webp", width=30, height=18)
    drawn = units - 1 if drawn is None else drawn
    for place, name in enumerate(layers):
        tiles = TILES if place == 0 else None
        parts = [unit(number, names, tiles=tiles) for number in range(units)]
        parts[drawn:] = [
            part.model_copy(update={"strips": (), "scenes": (), "blocks": ()}) for part in parts[drawn:]
        ]
        section.layers.append(LayerPart(
            layer=name,
            units_total=units + 1,
            geometry=LayerGeometry((5, 5), ReceptiveField((11, 11), (4, 4), (0, 0), "exact")),
            facts=(Fact(name="never_active", value=1, form="count"),),
            blocks=(figure(section.folder, f"overview-{place}", "overview"),),
            data=f"overview-{place}.csv",
            sheets=(sheet,),
            unit_facts=(
                Column(name="largest", form="number"), Column(name="active", form="proportion"),
                Column(name="class", form="class"),
            ),
            unit_table=WINNERS,
            unit_scenes="whole", unit_histogram="values", unit_related=("near", "far"),
            units=tuple(parts),
        ))  # fmt: skip
    picture(section.folder / "whole.webp", 20, 32, seed=2)
    section.sheets.append(SpriteSheet(file="whole.webp", width=20, height=32))
    for place, height in enumerate((16, 10)):
        section.whole_images.append(
            WholeImage(image_id=place, sheet=0, x=0, y=16 * place, width=20, height=height)
        )
    section.add(Units(id="units", caption="units", layers=layers))
    return section


def map_points(
    count: int, tile: int = 8, names: tuple[str, ...] = HOSTILE, classes: int = 10
) -> dict[str, Any]:
    """Points in blobs of one class each, from left to right; image ids are the rows times three."""
    generator = np.random.default_rng(0)
    label = generator.integers(0, classes, count)
    angle = 2 * np.pi * label / classes
    xy = 10 * np.stack([np.cos(angle), np.sin(angle)], 1) + generator.normal(size=(count, 2)) * 1.5
    order = np.argsort(xy[:, 0])
    label, xy = label[order], (xy[order] - xy.min(0)) / np.ptp(xy, axis=0).max()
    cell, side, per = np.arange(count), int(np.ceil(np.sqrt(count))), 8
    sheets = -(-count // (per * per))
    return {
        "levels": [
            {
                "tile": size, "columns": per, "rows": per,
                "files": [f"atlas-{size}-{k}.png" for k in range(sheets)],
            }
            for size in (tile // 2, tile)
        ],
        "x": xy[:, 0].tolist(), "y": xy[:, 1].tolist(),
        "gx": (cell // side).tolist(), "gy": (cell % side).tolist(), "grid": [side, side],
        "label": label.tolist(),
        "predicted": np.where(generator.random(count) < 0.1, (label + 1) % classes, label).tolist(),
        "classes": [f"{names[k % len(names)]} {k}" for k in range(classes)],
        "path": [f"{names[k % len(names)]}/{k}.png" for k in range(count)],
        "image_id": (np.arange(count) * 3).tolist(),
    }  # fmt: skip


def written(points: dict[str, Any]) -> MapPoints:
    """Return points as a render stage hands them over, with a number and a word of each image."""
    count = len(points["x"])
    words = np.where(np.arange(count) % 5 == 4, -1, np.arange(count) % 3)
    return MapPoints(
        x=np.array(points["x"]), y=np.array(points["y"]), cell=np.array([points["gx"], points["gy"]]).T,
        grid=tuple(points["grid"]), label=np.array(points["label"]), predicted=np.array(points["predicted"]),
        classes=points["classes"], colours=[SEQUENCE[k % 10] for k in range(len(points["classes"]))],
        path=points["path"], image_id=np.array(points["image_id"]),
        levels=[Level.model_validate(level) for level in points["levels"]],
        attributes=[
            Attribute("height", np.where(np.arange(count) == 3, np.nan, np.arange(count) / 2)),
            Attribute(HOSTILE[0], words, HOSTILE[1:4]),
        ],
        sequence=SEQUENCE, scale=("#000000", "#ffffff"), near=nearest(count),
    )  # fmt: skip


def nearest(count: int) -> np.ndarray:
    """Say that the points after one are nearest to it, the next but one first; of the last three fewer."""
    near = np.arange(count)[:, None] + (2, 1, 3)
    return np.where(near < count, near, -1)


def codes(chapter: ChapterDraft, count: int = 50, **more: Any) -> SectionDraft:
    """A map, and one image of it of which there is more to say."""
    section = chapter.section("codes")
    section.numbers |= {"kl": 1.2345678, "near_images": count, "code_layer": HOSTILE[0]}
    section.image_near = "nearest"
    points = map_points(count, **more)
    for level in points["levels"]:
        for k, name in enumerate(level["files"]):
            picture(
                section.folder / name, level["columns"] * level["tile"], level["rows"] * level["tile"], seed=k
            )
    scripts, data = write_map_points(section.folder, written(points))
    standing = {points["path"][2]: (1, 4, 1, 0, 2, 8), points["path"][3]: (0, 0, 2)}
    section.image_units = ImageUnits(layers=("features.1", "pool"), of=1000, units=standing)
    taken = {points["path"][2]: (1, 0.75, 0, 0.2499, 2, 1e-5)}
    section.image_outputs = ImageOutputs(names=("dog", HOSTILE[0], "cat"), outputs=taken)
    section.images.append(
        ImagePart(
            image_id=6, path=points["path"][2],
            facts=(
                Fact(name="top5", value=HOSTILE[0], form="class"),
                Fact(name="nearest", value=points["path"][0], form="image"),
            ),
            blocks=(figure(section.folder, "probe", tiles=MAPS),),
        )
    )  # fmt: skip
    section.add(
        figure(section.folder, "still", "map"),
        Viewer(id="viewer", caption="map", program="map", scripts=tuple(scripts), data=tuple(data)),
        Images(id="probes", caption="probes", images=(6,)),
    )
    return section


def write_figures(
    figures: Path, *, units: int = UNITS, points: int = 50, names: tuple[str, ...] = HOSTILE
) -> Path:
    """Write all sections, one a chapter, one of them not run."""
    for name, fill in (
        ("network", lambda chapter: summary(chapter, names[0])),
        ("units", lambda chapter: patches(chapter, units, names)),
        ("codes", lambda chapter: codes(chapter, points, names=names)),
        ("where-it-looks", idle),
    ):
        with new_chapter(figures / name) as chapter:
            fill(chapter)
    return figures


def idle(chapter: ChapterDraft) -> None:
    section = chapter.section("occlusion")
    section.status = Status("not run", f"occlusion.run is false, {HOSTILE[0]}")


def captions(folder: Path) -> Path:
    (folder / PAGES).mkdir(parents=True, exist_ok=True)
    shutil.copy(FOLDER / PAGES / "first.md", folder / PAGES)
    for name, text in CAPTIONS.items():
        (folder / f"{name}.md").write_text(text)
    chapters = ("network", "filters", "units", "codes", "where-it-looks", "about")
    (folder / "chapters.yaml").write_text("".join(f"{slug}: About {slug}\n" for slug in chapters))
    return folder


def provenance(names: tuple[str, ...] = HOSTILE) -> Provenance:
    return Provenance(
        images=Counted(
            dataset=names[0],
            counts={"images": 1797, names[0]: 3},
            skipped=tuple((name, "damaged", f"truncated: {name}") for name in names),
            noted=((names[0], f"odd: {names[0]}"),),
        ),
        network={"architecture": names[0], "classes": list(names), "preprocessing": {"input_size": [8, 8]}},
        artifacts=(
            Artifact("topk.h5", "topk", 1, {"manifest": "ab" * 32, "params": "cd" * 32}, {"numpy": "2.4.6"}),
            Artifact("embedding.h5", "embedding", 1, {}, {"numpy": "2.4.6", "openTSNE": "1.0.4"}),
        ),
        params=yaml.safe_dump({"dataset": {"path": names[0]}, "topk": {"k": 9}}, allow_unicode=True),
        metrics={"predictions.accuracy": 0.9733, "predictions.name": names[0]},
    )
