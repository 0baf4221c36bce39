import csv
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pipeline.errors import UserError
from pipeline.report.captions import FOLDER, read_caption, read_chapters
from pipeline.report.section import read_sections
from pipeline.report.site import Texts, write_report
from tests.pipeline.report import fakes


class Seen(HTMLParser):
    """What a page holds: links, ids, pictures without alternative text, scripts with a text of their own."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.links, self.ids, self.bare, self.inline = path, [], [], [], []
        self._script = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.links += [values[name] for name in ("href", "src") if name in values]
        self.ids += [values["id"]] if "id" in values else []
        if tag == "img" and not values.get("alt"):
            self.bare.append(values.get("src"))
        if any(name.startswith("on") for name in values):
            self.inline.append(values)
        self._script = tag == "script"

    def handle_data(self, data):
        if self._script and data.strip():
            self.inline.append(data)


def make(folder, *, units=4, points=50, out="report", title="What <it> has learned", **changes):
    figures = folder / "figures"
    if not figures.exists():
        fakes.summary_section(figures)
        fakes.patches_section(figures, units)
        fakes.embedding_section(figures, points)
    texts = Texts(title, captions=fakes.captions(folder / "captions"), **changes)
    write_report(folder / out, read_sections(figures), fakes.provenance(), texts)
    return folder / out


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return make(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def pages(report):
    return {path: Seen(path) for path in sorted(report.rglob("*.html"))}


def test_every_link_leads_to_a_file_or_an_anchor_of_the_report(report, pages):
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            assert parts.scheme in ("", "data"), link
            if parts.scheme == "data":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file() and target.is_relative_to(report), f"{path.name}: {link}"
            if parts.fragment and "=" not in parts.fragment:
                assert parts.fragment in pages[target].ids, f"{path.name}: {link}"


def test_ids_are_unique_and_pictures_have_alternative_texts(pages):
    for page in pages.values():
        assert len(page.ids) == len(set(page.ids))
        assert not page.bare


def test_no_script_stands_in_a_page(pages):
    assert not [page.inline for page in pages.values() if page.inline]


def test_names_stay_text(report):
    for path in report.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for name in fakes.HOSTILE:
            assert name not in text or "<" not in name, path
        assert "\u202e" not in text and "\u2028" not in text
        assert "49" not in text or "{{ 7 * 7 }}" in text


def test_every_section_layer_and_unit_has_its_place(report, pages):
    index = pages[report / "index.html"].ids
    assert {"summary", "patches", "embedding", "provenance", "layer-features-1", "layer-pool"} <= set(index)
    assert index.index("summary") < index.index("patches") < index.index("embedding")
    for slug in ("features-1", "pool"):
        assert {file.name for file in (report / "units" / slug).glob("*.html")} == {
            "index.html", "0.html", "1.html", "2.html", "3.html"
        }  # fmt: skip


def test_unit_pages_lead_to_their_neighbours_and_their_layer(report, pages):
    links = pages[report / "units/pool/2.html"].links
    assert {"1.html", "3.html", "index.html#unit-2", "../../index.html#patches"} <= set(links)
    assert "-1.html" not in pages[report / "units/pool/0.html"].links


def test_never_active_unit_says_so(report):
    text = (report / "units/pool/1.html").read_text()
    assert "Never active" in text and "<table>" not in text


def test_tables_are_safe_for_spreadsheets(report):
    files = sorted(report.rglob("*.csv"))
    assert {"summary-table.csv", "skipped.csv", "metrics.csv"} <= {file.name for file in files}
    for file in files:
        with file.open(newline="", encoding="utf-8") as opened:
            cells = [cell for row in csv.reader(opened) for cell in row]
        starts = {cell[0] for cell in cells if cell} & set("=+@")
        assert not starts, file


def test_figures_of_a_layer_stand_with_it(report, pages):
    index = pages[report / "index.html"].ids
    assert index.index("layer-pool") < index.index("patches-pool") < index.index("patches-pool-context")
    assert index.index("patches-features-1-context") < index.index("layer-pool")


def test_provenance_is_shown_and_given_as_json(report):
    text = (report / "index.html").read_text()
    for expected in ("abababababab", "2.4.6", "openTSNE", "1,797", "truncated", "skipped"):
        assert expected in text
    content = json.loads((report / "tables/provenance.json").read_text())
    assert content["artifacts"][0]["digests"]["manifest"] == "ab" * 32
    assert content["images"]["skipped"][0][0] == fakes.HOSTILE[0]


def test_long_list_of_skipped_images_is_cut_but_whole_in_the_csv(tmp_path):
    report = make(tmp_path, skipped_shown=2)
    assert "the first 2 are shown" in (report / "index.html").read_text()
    with (report / "tables/skipped.csv").open(newline="", encoding="utf-8") as opened:
        assert len(list(csv.reader(opened))) == 1 + len(fakes.HOSTILE)


def test_a_second_report_has_equal_bytes_and_takes_the_first_ones_place(tmp_path):
    first = make(tmp_path)
    before = {path.relative_to(first): path.read_bytes() for path in first.rglob("*") if path.is_file()}
    (first / "left.html").write_text("of an earlier run")
    make(tmp_path)
    after = {path.relative_to(first): path.read_bytes() for path in first.rglob("*") if path.is_file()}
    assert before == after
    assert {path.name for path in tmp_path.iterdir()} == {"figures", "captions", "report"}


def test_failure_leaves_the_earlier_report(tmp_path):
    report = make(tmp_path)
    (tmp_path / "figures/embedding/points.js").unlink()
    with pytest.raises(UserError, match=r"points\.js"):
        make(tmp_path)
    assert (report / "index.html").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"figures", "captions", "report"}


def test_folder_that_is_no_report_is_not_replaced(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="not a report"):
        make(tmp_path)
    assert (tmp_path / "report" / "thesis.tex").is_file()


def test_section_needs_its_caption_and_its_numbers(tmp_path):
    make(tmp_path)
    numbers = replace(fakes.provenance(), metrics={})
    texts = Texts("x", captions=tmp_path / "captions")
    with pytest.raises(UserError, match=r"embedding\.md: no number 'predictions\.accuracy'"):
        write_report(tmp_path / "report", read_sections(tmp_path / "figures"), numbers, texts)
    (tmp_path / "captions" / "patches.md").unlink()
    with pytest.raises(UserError, match=r"patches\.md"):
        write_report(tmp_path / "report", read_sections(tmp_path / "figures"), numbers, texts)


def test_two_sections_cannot_share_an_id(tmp_path):
    figures = tmp_path / "figures"
    fakes.summary_section(figures)
    file = fakes.embedding_section(figures) / "section.json"
    file.write_text(file.read_text().replace("embedding-map", "summary-accuracy"))
    texts = Texts("x", captions=fakes.captions(tmp_path / "captions"))
    with pytest.raises(
        UserError, match="'summary-accuracy' is taken by section 'embedding'|by section 'summary'"
    ):
        write_report(tmp_path / "report", read_sections(figures), fakes.provenance(), texts)


def test_two_thousand_units(tmp_path):
    fakes.patches_section(tmp_path / "figures", units=2000, layers=("features.1",))
    report = make(tmp_path)
    assert len(list((report / "units/features-1").glob("*.html"))) == 2001


def test_every_caption_of_the_project_can_be_read():
    read = [read_caption(path.stem) for path in sorted(FOLDER.glob("*.md"))]
    chapters = read_chapters()
    assert read and len({(caption.chapter, caption.order) for caption in read}) == len(read)
    assert {caption.chapter for caption in read} <= set(chapters)
