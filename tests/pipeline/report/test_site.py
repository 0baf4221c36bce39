import csv
import errno
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import numpy as np
import pytest

from pipeline.contents.parts import LayerPart, SpriteSheet, Strip, UnitLink, UnitPart
from pipeline.contents.reading import read_sections
from pipeline.contents.values import Column, Fact
from pipeline.contents.writing import new_chapter
from pipeline.errors import UserError
from pipeline.report import site
from pipeline.report.captions import FOLDER, read_caption, read_chapters
from pipeline.report.environment import FOLDER as TEMPLATES
from pipeline.report.pages.images import chances
from pipeline.report.pages.lookup import numbers
from pipeline.report.site import RESERVED, Texts, write_report
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


def make(folder, *, units=fakes.UNITS, points=50, out="report", title="What <it> has learned", **changes):
    figures = folder / "figures"
    if not figures.exists():
        fakes.write_figures(figures, units=units, points=points)
    captions = folder / "captions"
    texts = Texts(title, captions=captions if captions.exists() else fakes.captions(captions), **changes)
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
            # A state of the page is no anchor.
            if parts.fragment and target.name != "unit.html" and "=" not in parts.fragment:
                assert unquote(parts.fragment) in pages[target].ids, f"{path.name}: {link}"


def test_ids_are_unique_and_pictures_have_alternative_texts(pages):
    for page in pages.values():
        assert len(page.ids) == len(set(page.ids))
        assert not page.bare


def test_no_section_can_have_an_anchor_of_its_page():
    for name in ("about", "chapter", "layer"):
        own = set(re.findall(r'\bid="([a-z-]+)"', (TEMPLATES / f"{name}.html").read_text(encoding="utf-8")))
        assert own <= RESERVED
    assert not RESERVED & {path.stem for path in FOLDER.glob("*.md")}


def test_no_script_stands_in_a_page(pages):
    assert not [page.inline for page in pages.values() if page.inline]


def test_names_stay_text(report):
    for path in report.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for name in fakes.HOSTILE:
            assert name not in text or "<" not in name, path
        assert "\u202e" not in text and "\u2028" not in text
        assert "49" not in text or "{{ 7 * 7 }}" in text


def test_every_page_has_its_address(report):
    pages = {path.relative_to(report).as_posix() for path in report.rglob("*.html")}
    layers = {f"layers/{slug}.html" for slug in ("features-1", "pool")}
    units = {f"units/{slug}/{unit}.html" for slug in ("features-1", "pool") for unit in range(4)}
    chapters = {f"chapters/{slug}.html" for slug in ("network", "units", "codes", "where-it-looks", "about")}
    assert pages == {"index.html", "map.html", "unit.html", "image.html"} | layers | units | chapters


def test_first_page_has_numbers_and_a_card_for_each_section(report):
    text = (report / "index.html").read_text(encoding="utf-8")
    words = re.sub(r"</?span[^>]*>", "", text)
    assert f"right, of 1,797\u00a0images of the split “{fakes.escaped(fakes.HOSTILE[1])}”" in words
    assert f"Right on 97.3\u00a0% of {fakes.escaped(fakes.HOSTILE[0])}" in words
    assert "2\u00a0layers · 1,234\u00a0units · 1,797\u00a0images" in words
    assert "not run: occlusion.run is false" in text
    places = [text.index(f">{title}</a></h3>") for title in ("Summary", "Top patches", "Map", "Occlusion")]
    assert places == sorted(places)


def test_a_section_that_was_not_run_keeps_its_place(report, pages):
    page = report / "chapters/where-it-looks.html"
    assert "occlusion" in pages[page].ids
    text = page.read_text(encoding="utf-8")
    assert "not run: occlusion.run is false" in text and "change that and run again to have it" in text


def test_blocks_stand_in_their_order(report, pages):
    ids = [name for name in pages[report / "chapters/network.html"].ids if name.startswith("summary")]
    assert ids == [
        "summary", "summary/accuracy", "summary/classes", "summary/many", "summary/left", "summary/right"
    ]  # fmt: skip


def test_figures_say_what_their_numbers_are_of(report):
    text = (report / "chapters/network.html").read_text(encoding="utf-8")
    assert "n = 1,207 images, split “test”, 95\u00a0% intervals (Wilson)" in text
    assert "Caption with 15 bins." in text


def test_columns_are_called_what_the_caption_says(report):
    text = (report / "chapters/network.html").read_text(encoding="utf-8")
    assert "share of right</th>" in text and "accuracy</th>" not in text
    assert "1,234" in text and "25.0–75.0\u00a0%" in text


def test_pages_of_layers_and_units_collect_from_all_sections(tmp_path):
    figures = fakes.write_figures(tmp_path / "figures")
    with new_chapter(figures / "filters") as chapter:
        section = chapter.section("filters")
        facts = (Fact(name="crowding", value=0.5),)
        units = (UnitPart(unit=3, facts=(0.25,)), UnitPart(unit=4, facts=(0.75,)))
        columns = (Column(name="blur", form="share"),)
        section.layers.append(LayerPart(layer="pool", facts=facts, unit_facts=columns, units=units))
        section.layers.append(LayerPart(layer="stem", facts=facts))
    folder = fakes.captions(tmp_path / "captions")
    (folder / "filters.md").write_text("title: All filters\nchapter: filters\norder: 1\n\nText.\n")
    report = make(tmp_path)
    for page in ("layers/pool.html", "units/pool/3.html"):
        text = (report / page).read_text(encoding="utf-8")
        assert "All filters" in text and "Top patches" in text
    assert "25.0\u00a0%" in (report / "units/pool/3.html").read_text(encoding="utf-8")
    assert "crowding" in (report / "layers/stem.html").read_text(encoding="utf-8")
    assert "75.0" in (report / "data/units/pool/0.js").read_text()


def test_cards_of_units_show_the_pictures_that_their_pages_begin_with(tmp_path):
    figures = fakes.write_figures(tmp_path / "figures")
    with new_chapter(figures / "filters") as chapter:
        section = chapter.section("filters")
        fakes.picture(section.folder / "filter.webp", 9, 9)
        sheet = SpriteSheet(file="filter.webp", width=9, height=9)
        units = (UnitPart(unit=3, strips=(Strip(caption="filter", sheet=0, x=0, y=0, width=9, height=9),)),)
        section.layers.append(LayerPart(layer="features.1", sheets=(sheet,), units=units))
    folder = fakes.captions(tmp_path / "captions")
    (folder / "filters.md").write_text(
        "title: All filters\nchapter: filters\norder: 1\n\n\n## filter\ntitle: A filter\n"
    )
    report = make(tmp_path)
    assert "filter.webp" not in (report / "layers/features-1.html").read_text(encoding="utf-8")
    assert "filter.webp" in (report / "units/features-1/3.html").read_text(encoding="utf-8")


def test_unit_pages_lead_to_their_neighbours_and_their_layer(report, pages):
    links = pages[report / "units/pool/2.html"].links
    assert {"1.html", "3.html"} <= set(links)
    assert {"../../layers/pool.html#unit-2", "../../chapters/units.html#patches"} <= set(links)
    assert "-1.html" not in pages[report / "units/pool/0.html"].links


def test_units_show_their_part_of_the_sheet(report):
    text = (report / "units/pool/3.html").read_text()
    assert "aspect-ratio: 27 / 9" in text and "width: 111.111%; top: -100%" in text


def test_units_of_many_pictures_show_each_on_its_own(report, pages):
    """Two tiles of eight pixels, nine apart, on the second line of a sheet that is 30 pixels wide."""
    text = (report / "units/features-1/3.html").read_text()
    assert text.count('class="window tile"') == 3
    assert "width: 375%; left: -112.5%; top: -112.5%" in text
    assert (
        f"../../image.html#path={quote(fakes.HOSTILE[3])}" in pages[report / "units/features-1/3.html"].links
    )


def test_other_units_are_shown_by_their_own_pictures(report, pages):
    page = report / "units/features-1/2.html"
    text, links = page.read_text(), pages[page].links
    assert {
        "../../units/features-1/0.html",
        "../../unit.html#features.1/4",
        "../../units/pool/2.html",
    } <= set(links)
    # Three tiles of a strip that begins at the left upper corner; of one in one piece there is no glimpse.
    assert text.count("aspect-ratio: 26 / 8") == 1 and "width: 115.385%; left: -0%; top: -0%" in text
    assert "pool, unit 2" in text and text.count("not drawn") == 1


def test_what_waits_until_it_is_near_has_its_size_before(report):
    """A part far down on a sheet that has no height yet lies outside of its window: it is never near."""
    windows = [
        found
        for path in report.rglob("*.html")
        for found in re.findall(r'class="window[^>]*><img ([^>]*)>', path.read_text(encoding="utf-8"))
    ]
    assert len(windows) > 10
    assert not [one for one in windows if "lazy" in one and not re.search(r'width="\d+" height="\d+"', one)]


def test_histogram_marks_the_pictures_shown(report):
    text = (report / "units/features-1/2.html").read_text()
    assert "<h3>Largest activations</h3>" in text and "Of unit 2." in text
    # Four bins, of which one is empty; three scenes of 1.5, 1 and 0.5 on a scale from 0 to 2.
    assert text.count("h100V100z") == 3 and 'd="M300 0v100M200 0v100M100 0v100"' in text
    assert "n = 10" in text and "a line marks each of the 3\u00a0images shown" in text


def test_never_active_unit_says_so(report):
    text = (report / "units/pool/1.html").read_text()
    assert "Never active" in text and "<table>" not in text


def test_winners_lead_to_the_pages_of_their_images(report, pages):
    links = pages[report / "units/pool/2.html"].links
    assert f"../../image.html#path={quote(fakes.HOSTILE[2])}" in links


def test_layer_leads_to_its_units_that_are_not_drawn(report, pages):
    assert "../unit.html#pool/4" in pages[report / "layers/pool.html"].links


def test_undrawn_unit_is_in_a_shard(report):
    text = (report / "data/units/pool/0.js").read_text()
    assert text.startswith('convatlas.put("units/pool/0",[[4,[[["5","7 of 10 (70.0\\u00a0%)","<script>')


def test_a_section_that_knows_nothing_of_a_unit_says_nothing_of_it():
    about = LayerPart(
        layer="conv", unit_facts=(Column(name="smoothness", form="number"),), unit_related=("near",), units=()
    )
    known = UnitPart(unit=1, facts=(0.5,), related=((),))
    assert numbers(about, known) == [["0.5"], [], None, [[]]]
    assert numbers(about, UnitPart(unit=1, facts=(None,), related=((),))) == 0
    assert numbers(about, UnitPart(unit=1, facts=(None,), related=((UnitLink("conv", 2, 0.5),),)))


def test_tables_are_safe_for_spreadsheets(report):
    files = sorted(report.rglob("*.csv"))
    assert {"summary-classes.csv", "skipped.csv", "metrics.csv"} <= {file.name for file in files}
    for file in files:
        with file.open(newline="", encoding="utf-8") as opened:
            cells = [cell for row in csv.reader(opened) for cell in row]
        starts = {cell[0] for cell in cells if cell} & set("=+@")
        assert not starts, file


def test_a_section_says_from_which_files_and_parameters_it_was_drawn(report):
    text = (report / "chapters/codes.html").read_text(encoding="utf-8")
    said = text.partition("Source and parameters")[2].partition("</details>")[0]
    assert re.findall(r'href="([^"]+)"', said) == [
        "about.html#artifact-embedding", "about.html#artifact-topk"
    ]  # fmt: skip
    assert "made by the stage <code>topk</code> from manifest</li>" in said
    assert re.findall(r"<pre[^>]*>([^<]+)</pre>", said) == ["topk:\n  k: 9"]


def test_provenance_is_shown_and_given_as_json(report):
    text = (report / "chapters/about.html").read_text()
    for expected in ("abababababab", "2.4.6", "openTSNE", "1,797", "truncated", "skipped"):
        assert expected in text
    content = json.loads((report / "tables/provenance.json").read_text())
    assert content["artifacts"][0]["digests"]["manifest"] == "ab" * 32
    assert content["images"]["skipped"][0][0] == fakes.HOSTILE[0]


def test_files_to_take_away_are_listed_by_section(report, pages):
    links = pages[report / "chapters/about.html"].links
    for file in (
        "figures/summary/accuracy.csv",
        "tables/summary-classes.csv",
        "figures/patches/overview-0.csv",
    ):
        assert f"../{file}" in links
    assert "#artifact-topk" in links and "artifact-topk" in pages[report / "chapters/about.html"].ids


def test_long_list_of_skipped_images_is_cut_but_whole_in_the_csv(tmp_path):
    report = make(tmp_path, skipped_shown=2)
    page = (report / "chapters/about.html").read_text()
    assert "of which 2 shown here" in page
    # Long paths are broken, else what was found lies out of sight on a phone; one more is an odd image's.
    assert page.count('<td class="path">') == 2 + 1
    with (report / "tables/skipped.csv").open(newline="", encoding="utf-8") as opened:
        assert len(list(csv.reader(opened))) == 1 + len(fakes.HOSTILE)


def test_of_skipped_images_that_are_not_listed_it_is_not_said_that_there_are_none(tmp_path):
    page = (make(tmp_path, skipped_shown=0) / "chapters/about.html").read_text()
    assert 'class="path"' not in page
    assert "No image was skipped" not in page and "of which 0 shown here" in page


def test_a_corrected_caption_changes_its_page_and_the_first_one_alone(tmp_path):
    report = make(tmp_path)
    before = _contents(report)
    caption = tmp_path / "captions" / "codes.md"
    caption.write_text(caption.read_text().replace("Pan and zoom.", "Move about."))
    make(tmp_path)
    after = _contents(report)
    changed = {str(path) for path in after if after[path] != before[path]}
    assert changed == {"chapters/codes.html"} and before.keys() == after.keys()


def test_a_second_report_has_equal_bytes_and_takes_the_first_ones_place(tmp_path):
    first = make(tmp_path)
    before = _contents(first)
    (first / "left.html").write_text("of an earlier run")
    make(tmp_path)
    assert before == _contents(first)
    assert {path.name for path in tmp_path.iterdir()} == {"figures", "captions", "report"}


def test_pages_of_units_are_the_same_from_several_processes(tmp_path, monkeypatch):
    first = make(tmp_path, out="first")
    monkeypatch.setattr(site, "MANY_PAGES", 0)
    monkeypatch.setenv("CONVATLAS_WORKERS", "3")
    monkeypatch.setattr(site, "write_layer", _elsewhere(site.write_layer))
    assert _contents(make(tmp_path, out="second")) == _contents(first)


def _elsewhere(function):
    """Refuse to be called in this process."""
    here = os.getpid()

    def checked(*arguments):
        assert os.getpid() != here
        return function(*arguments)

    return checked


def test_figures_are_linked_into_the_report_or_copied_where_that_cannot_be(tmp_path, monkeypatch):
    linked = make(tmp_path, out="linked")
    inodes = {path.stat().st_ino for path in (tmp_path / "figures").rglob("*")}
    files = [path for path in (linked / "figures").rglob("*") if path.is_file()]
    assert files and all(path.stat().st_ino in inodes for path in files)

    def refuse(source, target):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    copied = make(tmp_path, out="copied")
    assert _contents(copied) == _contents(linked)
    assert not any(path.stat().st_ino in inodes for path in (copied / "figures").rglob("*"))


def test_a_fact_that_is_an_image_leads_to_its_page(tmp_path):
    page = (make(tmp_path) / "chapters/codes.html").read_text()
    path = f"{fakes.HOSTILE[0]}/0.png"
    assert f'<a href="../image.html#path={quote(path)}">{fakes.escaped(path)}</a></bdi>' in page


def test_failure_leaves_the_earlier_report(tmp_path):
    report = make(tmp_path)
    (tmp_path / "figures/codes/codes/points.js").write_text("nothing")
    with pytest.raises(UserError, match=r"points\.js: holds no points"):
        make(tmp_path)
    assert (report / "index.html").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"figures", "captions", "report"}


def test_folder_that_is_no_report_is_not_replaced(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="not a report"):
        make(tmp_path)
    assert (tmp_path / "report" / "thesis.tex").is_file()


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("codes.md", "predictions.accuracy", "predictions.top9", r"codes\.md: no number 'predictions\.top9'"),
        ("codes.md", "## map", "## plan", r"codes\.md: no words for 'map'"),
        ("codes.md", "chapter: codes", "chapter: code", "no chapter 'code'; did you mean 'codes'"),
        ("codes.md", "card: map\n", "", r"codes\.md: names no figure for the card .*'card: still'"),
        ("summary.md", "{{ bins }}", "{{ boxes }}", r"summary\.md, '## accuracy': no number 'boxes'"),
        ("chapters.yaml", "about: ", "more: ", "lists no chapter 'about'"),
    ],
)
def test_a_fault_in_a_caption_is_named(tmp_path, file, old, new, message):
    source = fakes.captions(tmp_path / "captions") / file
    source.write_text(source.read_text().replace(old, new))
    with pytest.raises(UserError, match=message):
        make(tmp_path)


def test_section_needs_its_caption(tmp_path):
    (fakes.captions(tmp_path / "captions") / "patches.md").unlink()
    with pytest.raises(UserError, match=r"patches\.md"):
        make(tmp_path)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ([0, 0, 0, 1, 1, 2, -1], ["40.0\u00a0%", "20.0\u00a0%", "", ""]),
        ([0, 1], ["", "", "", ""]), ([1, 1, -1], []), ([-1, -1], []),
    ],
)  # fmt: skip
def test_chance_of_a_neighbour_s_label_is_that_of_the_labelled_others(label, said):
    assert chances(np.array(label), 4) == said


def test_two_maps_have_two_pages(tmp_path):
    figures = fakes.write_figures(tmp_path / "figures")
    with new_chapter(figures / "other") as chapter:
        fakes.codes(chapter)
        chapter.sections[0].name = "later"
        (chapter.folder / "codes").rename(chapter.folder / "later")
        chapter.sections[0].folder = chapter.folder / "later"
    folder = fakes.captions(tmp_path / "captions")
    (folder / "later.md").write_text(fakes.CAPTIONS["codes"].replace("order: 10", "order: 20"))
    report = make(tmp_path)
    assert "figures/codes/points.js" in (report / "map.html").read_text()
    assert "figures/later/points.js" in (report / "map-later-viewer.html").read_text()


def test_two_thousand_units(tmp_path):
    with new_chapter(tmp_path / "figures" / "units") as chapter:
        fakes.patches(chapter, 2000, layers=("features.1",))
    report = make(tmp_path)
    assert len(list((report / "units/features-1").glob("*.html"))) == 1999


def test_every_caption_of_the_project_can_be_read():
    chapters = read_chapters()
    read = [read_caption(path.stem) for path in sorted(FOLDER.glob("*.md"))]
    assert read and len({(caption.chapter, caption.order) for caption in read}) == len(read)
    assert {caption.chapter for caption in read} <= set(chapters)


def _contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
