"""What a user finds after `dvc repro`, and what DVC's other commands make of it."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from pipeline.contents.blocks import Table
from pipeline.contents.reading import read_section
from tests.end_to_end.project import Project

LINKS = {"href", "src", "srcset", "poster", "data"}


class Links(HTMLParser):
    """Collects what a page links to and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in LINKS and value is not None:
                targets = [part.split()[0] for part in value.split(",")] if name == "srcset" else [value]
                self.links.extend((tag, target) for target in targets)
            if name == "id" and value:
                self.anchors.add(value)


@pytest.fixture(scope="module")
def pages(finished: Project) -> dict[Path, Links]:
    found = {}
    for path in sorted((finished.root / "report").rglob("*.html")):
        found[path] = Links()
        found[path].feed(path.read_text(encoding="utf-8"))
    return found


def test_report_has_a_page_for_each_drawn_unit(finished, pages):
    assert finished.root / "report" / "index.html" in pages
    section = read_section(finished.root / "artifacts/figures/patches/patches").content
    units = [unit for layer in section.layers for unit in layer.units]
    drawn = sum(bool(unit.strips or unit.blocks) for unit in units)
    assert len(list((finished.root / "report/units").rglob("*.html"))) == drawn < len(units)


def test_the_time_of_every_stage_is_told(finished):
    lines = finished.must("python", "-m", "stages.times").text.splitlines()
    told = {line.split()[0] for line in lines if re.fullmatch(r"\S+ +\d+\.\d( +\d+\.\d)?", line)}
    assert told - {"together"} == set(yaml.safe_load((finished.root / "dvc.yaml").read_text())["stages"])


def test_numbers_stand_in_columns_of_numbers(finished):
    tables = [
        block
        for folder in (finished.root / "artifacts/figures").glob("*/*/")
        for block in read_section(folder).content.blocks
        if isinstance(block, Table)
    ]
    assert len(tables) > 10
    wrong = [
        f"{table.id}: {column.name}"
        for table in tables
        for place, column in enumerate(table.columns)
        if column.form == "text" and any(isinstance(row[place], int | float) for row in table.rows)
    ]
    assert not wrong


def test_every_figure_is_given_as_pdf(pages):
    """LaTeX and most word processors take neither WebP nor SVG."""
    taken = [
        re.findall(r">([A-Z]+)</a>", menu)
        for page in pages
        for menu in re.findall(r"(?s)Take away:.*?</p>", page.read_text(encoding="utf-8"))
    ]
    assert len(taken) > 20
    assert not [forms for forms in taken if forms[0] not in ("PNG", "WEBP") or "PDF" not in forms]


def test_links_of_the_report_resolve(pages):
    broken = [f"{page.name}: {link}" for page, link, target in _local_links(pages) if not target.exists()]
    assert not broken


def test_anchors_of_the_report_resolve(pages):
    broken = [
        f"{page.name}: {link}"
        for page, link, target in _local_links(pages)
        if (name := unquote(urlsplit(link).fragment)) and target in pages
        # What is looked up, and a state of the page, are no anchors.
        and name not in pages[target].anchors and target.name != "unit.html" and "=" not in name
    ]  # fmt: skip
    assert not broken


def test_report_loads_nothing_from_elsewhere(pages):
    """Only an `<a>` may lead out; no page, style or script fetches."""
    loaded = [link for found in pages.values() for tag, link in found.links if tag != "a"]
    assert not [link for link in loaded if urlsplit(link).scheme not in ("", "data")]
    scripts = {path for page in pages for path in page.parent.rglob("*.js")}
    assert not [
        path.name for path in scripts if re.search(r"\bfetch\(|\bimport\b.*\bfrom\b", path.read_text())
    ]


def test_skipped_images_are_reported(pages):
    assert any("broken.jpg" in page.read_text(encoding="utf-8") for page in pages)


def test_nothing_runs_again(finished):
    outcome = finished.must("dvc", "repro")
    assert not outcome.ran
    assert "up to date" in outcome.text


def test_dvc_status_is_clean(finished):
    assert "up to date" in finished.must("dvc", "status").text


def test_git_status_is_clean(finished):
    assert finished.must("git", "status", "--porcelain").text == ""


def test_metrics_and_graph_are_shown(finished):
    # DVC adds a warning of its own in the next line.
    shown, _ = json.JSONDecoder().raw_decode(finished.must("dvc", "metrics", "show", "--json").text)
    assert {Path(path).stem for path in shown[""]["data"]} >= {"predictions", "embedding"}
    assert "render-patches" in finished.must("dvc", "dag").text


def test_plots_are_drawn_without_a_network(copy):
    copy.must("dvc", "plots", "show", "--out", "drawn")
    page = (copy.root / "drawn/index.html").read_text()
    assert "accuracy" in page
    assert "Training loss by epoch" in page and "Held-out accuracy by epoch" in page
    # Calibration is points, not a line.
    calibration = page[page.index('"text": "Calibration"') :]
    assert calibration[: calibration.index("vegaEmbed")].count('"mark": {"type": "point"') == 1
    assert not re.search(r"<(script|link)[^>]*(src|href)=", page)


def test_metrics_and_plots_differ_after_an_experiment(copy):
    outcome = copy.must("dvc", "exp", "run", "--set-param", "neighbours.k=3")
    assert outcome.ran == {"check", "neighbours", "render-embedding", "report"}
    assert copy.params()["neighbours"]["k"] == 3
    copy.must("dvc", "metrics", "diff")
    copy.must("dvc", "plots", "diff", "--out", "drawn")
    assert "neighbours.k" in copy.must("dvc", "params", "diff").text


def test_push_and_pull_through_a_folder(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    project.must("dvc", "remote", "add", "--default", "--local", "shelf", str(tmp_path / "shelf"))
    project.must("dvc", "push")
    project.must("git", "clone", "--quiet", str(project.root), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.must("dvc", "remote", "add", "--default", "--local", "shelf", str(tmp_path / "shelf"))
    clone.must("dvc", "pull")
    clone.must_equal(finished)
    assert not clone.must("dvc", "repro").ran


def _local_links(pages: dict[Path, Links]) -> Iterator[tuple[Path, str, Path]]:
    for page, found in pages.items():
        for _, link in found.links:
            parts = urlsplit(link)
            if not parts.scheme and not parts.netloc:
                path = unquote(parts.path)
                yield page, link, (page.parent / path).resolve() if path else page
