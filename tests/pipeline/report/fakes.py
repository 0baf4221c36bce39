"""Small sections as a render stage would leave them, for tests of the report."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import escape
from PIL import Image

from pipeline.report.escaping import visible
from pipeline.report.provenance import Artifact, Images, Provenance

HOSTILE = (
    "<script>document.documentElement.dataset.hacked='1'</script>.png",
    '"><img src=x onerror="document.documentElement.dataset.hacked=\'2\'">.png',
    "a'b\nc&amp;</td></title></textarea>.png",
    '=HYPERLINK("http://x").png',
    "javascript:document.documentElement.dataset.hacked='3'",
    "]]>--><svg onload=document.documentElement.dataset.hacked='4'>",
    "\u202egnp.exe\u2028end",
    "{{ 7 * 7 }} ${accuracy} $$ **bold** [x](http://evil)",
)


def escaped(name: str) -> str:
    """A name as a page shows it."""
    return str(escape(visible(name)))


def picture(path: Path, width: int, height: int, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.linspace(0, 255, height, dtype=np.uint8)[:, None, None]
    columns = np.linspace(0, 255, width, dtype=np.uint8)[None, :, None]
    tint = np.array([seed * 53 % 256, seed * 97 % 256, seed * 31 % 256], np.uint8)
    Image.fromarray(((rows // 2 + columns // 2) ^ tint).astype(np.uint8), "RGB").save(path)


def figure(folder: Path, name: str, **changes: Any) -> dict[str, Any]:
    picture(folder / f"{name}.png", 60, 40)
    (folder / f"{name}.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / f"{name}.csv").write_text("a,b\n1,2\n")
    return {
        "id": f"{folder.name}-{name}", "title": f"Title of {name}", "alt": f"What {name} shows",
        "image": f"{name}.png", "dark_image": None, "vector": f"{name}.svg", "data": f"{name}.csv",
        "width": 60, "height": 40, "caption": f"Caption of {name} with 3 numbers",
    } | changes  # fmt: skip


def unit(folder: Path, slug: str, number: int, names: tuple[str, ...], ranks: int = 3) -> dict[str, Any]:
    """One unit; number 1 was never active, and every unit shares two pictures so that tests stay quick."""
    image, context = f"{slug}/patches.png", f"{slug}/context.png"
    if not (folder / image).exists():
        picture(folder / image, 27, 9, seed=1)
        picture(folder / context, 48, 16, seed=2)
    ranks = 0 if number == 1 else ranks
    return {
        "unit": number, "image": image, "context": context,
        "values": [float(ranks - rank) / 3 for rank in range(ranks)],
        "paths": [names[(number + rank) % len(names)] for rank in range(ranks)],
        "labels": [names[(number + rank + 1) % len(names)] for rank in range(ranks)],
        "boxes": [[-1.5, 0.0, 9.5, 11.0] for _ in range(ranks)],
        "positions": [[rank, 2] for rank in range(ranks)],
        "image_ids": list(range(ranks)),
        "count_active": 0 if number == 1 else 7, "images": 10,
    }  # fmt: skip


def patches_section(
    figures: Path,
    units: int = 4,
    names: tuple[str, ...] = HOSTILE,
    layers: tuple[str, ...] = ("features.1", "pool"),
) -> Path:
    folder = figures / "patches"
    folder.mkdir(parents=True)
    made = []
    drawn = []
    for name in layers:
        slug = name.replace(".", "-")
        drawn += [figure(folder, slug), figure(folder, f"{slug}-context")]
        made.append({
            "name": name, "slug": slug, "figure": f"patches-{slug}", "rf_size": [11, 11], "rf_stride": [4, 4],
            "rf_status": "exact", "map_size": [5, 5], "units_total": max(units, 8),
            "units": [unit(folder, slug, number, names) for number in range(units)],
        })  # fmt: skip
    content = {"section": "patches", "figures": drawn, "numbers": {"units": units}, "layers": made}
    (folder / "section.json").write_text(json.dumps(content))
    return folder


def summary_section(figures: Path, name: str = HOSTILE[0]) -> Path:
    folder = figures / "summary"
    folder.mkdir(parents=True)
    picture(folder / "accuracy-dark.png", 60, 40)
    content = {
        "section": "summary",
        "figures": [figure(folder, "accuracy", dark_image="accuracy-dark.png", caption=name)],
        "numbers": {"images": 1797, "accuracy": 0.97333333, "dataset": name},
        "tables": [
            {
                "id": "summary-table", "title": name, "columns": ["what", name],
                "rows": [["=1+1", 3], [name, None]], "caption": name,
            }
        ],
    }  # fmt: skip
    (folder / "section.json").write_text(json.dumps(content))
    return folder


def map_points(
    count: int, tile: int = 8, names: tuple[str, ...] = HOSTILE, classes: int = 10
) -> dict[str, Any]:
    """Points in blobs of one class each; image ids are the rows times three."""
    generator = np.random.default_rng(0)
    label = generator.integers(0, classes, count)
    angle = 2 * np.pi * label / classes
    xy = 10 * np.stack([np.cos(angle), np.sin(angle)], 1) + generator.normal(size=(count, 2)) * 1.5
    side = int(np.ceil(np.sqrt(count)))
    order = np.argsort(xy[:, 0])
    cell = np.empty(count, int)
    cell[order] = np.arange(count)
    per = 32
    sheets = -(-count // (per * per))
    return {
        "atlases": [
            {"file": f"atlas-{k:03d}.png", "columns": per, "rows": per, "tile": tile} for k in range(sheets)
        ],
        "n": count,
        "x": xy[:, 0].round(4).tolist(), "y": xy[:, 1].round(4).tolist(),
        "gx": (cell // side).tolist(), "gy": (cell % side).tolist(), "grid": [side, side],
        "label": label.tolist(),
        "predicted": np.where(generator.random(count) < 0.1, (label + 1) % classes, label).tolist(),
        "classes": [f"{names[k % len(names)]} {k}" for k in range(classes)],
        "path": [f"{names[k % len(names)]}/{k}.png" for k in range(count)],
        "image_id": (np.arange(count) * 3).tolist(),
    }  # fmt: skip


def embedding_section(figures: Path, count: int = 50, **more: Any) -> Path:
    folder = figures / "embedding"
    folder.mkdir(parents=True)
    points = map_points(count, **more)
    for k, atlas in enumerate(points["atlases"]):
        picture(
            folder / atlas["file"], atlas["columns"] * atlas["tile"], atlas["rows"] * atlas["tile"], seed=k
        )
    (folder / "points.js").write_text(f"window.CONVATLAS_MAP = {json.dumps(points)};\n")
    (folder / "map.json").write_text(json.dumps({"points": "points.js"}))
    content = {
        "section": "embedding", "figures": [figure(folder, "map"), figure(folder, "grid")],
        "numbers": {"kl": 1.2345678}, "viewer": "map.json",
    }  # fmt: skip
    (folder / "section.json").write_text(json.dumps(content))
    return folder


def captions(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "summary": ("Summary", 10, "{{ images }} images, right {{ accuracy | share }}, from {{ dataset }}."),
        "patches": (
            "Top patches",
            20,
            "{{ units }} units.\n\n{% if knc is defined %}knc {{ knc }}{% else %}The dataset has no labels.{% endif %}",
        ),
        "embedding": ("Map", 30, "KL {{ kl }}, accuracy {{ metrics['predictions.accuracy'] }}."),
    }
    for name, (title, order, text) in texts.items():
        (folder / f"{name}.md").write_text(f"title: {title}\nchapter: network\norder: {order}\n\n{text}\n")
    return folder


def provenance(names: tuple[str, ...] = HOSTILE) -> Provenance:
    return Provenance(
        images=Images(
            dataset=names[0],
            counts={"images": 1797, names[0]: 3},
            skipped=tuple((name, f"truncated: {name}") for name in names),
        ),
        network={"architecture": names[0], "classes": list(names), "preprocessing": {"input_size": [8, 8]}},
        artifacts=(
            Artifact("topk.h5", "topk", 1, {"manifest": "ab" * 32, "params": "cd" * 32}, {"numpy": "2.4.6"}),
            Artifact("embedding.h5", "embedding", 1, {}, {"numpy": "2.4.6", "openTSNE": "1.0.4"}),
        ),
        params=f"dataset:\n  path: '{names[0]}'\n",
        metrics={"predictions.accuracy": 0.9733, "predictions.name": names[0]},
    )
