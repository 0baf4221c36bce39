"""The search of every page, its keys, and how many stops of the keyboard lead to a chapter."""

import json
from urllib.parse import quote

import pytest

from tests.pipeline.report import fakes
from tests.pipeline.report.browser import CHROMIUM, at

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
MOST_STOPS = 20
CHAPTERS = ("network", "units", "codes", "where-it-looks", "about")
LAST = fakes.visible(fakes.HOSTILE[7])
HITS = "[...document.querySelectorAll('.hits [role=option]')]"


def _search(page, text):
    page.key("/")
    page.wait("search.index?.complete === true")
    page.call("Input.insertText", text=text)


def _hits(page):
    return page.evaluate(f"{HITS}.map(one => one.querySelector('bdi').textContent)")


def _focus(page):
    return page.evaluate("document.activeElement.matches('dialog [role=combobox]')")


@pytest.mark.parametrize("start", ["index.html", "layers/pool.html", "units/pool/2.html", "map.html"])
def test_search_leads_from_any_page_to_a_unit(page, report, start):
    page.open(report / start)
    _search(page, "pool 4")
    assert _hits(page)[0] == "pool, unit 4"
    page.key("Enter")
    page.wait("location.href.endsWith('/report/unit.html#pool/4') && document.readyState === 'complete'")


@pytest.mark.parametrize(
    ("text", "name", "leads_to"),
    [
        ("FEATURES", "features.1", "layers/features-1.html"),
        ("unit 3", "features.1, unit 3", "units/features-1/3.html"),
        ("features.1/4", "features.1, unit 4", "unit.html#features.1/4"),
        ("patches", "Top patches", "chapters/units.html#patches"),
        ("about codes", "About codes", "chapters/codes.html"),
        ("399", f"{LAST}/399.png", f"image.html#path={quote(fakes.HOSTILE[7])}/399.png"),
        ("accuracy} 7", f"{LAST} 7", f"map.html#class={quote(fakes.HOSTILE[7])}%207"),
    ],
)  # fmt: skip
def test_layers_units_sections_images_and_classes_are_found(page, report, text, name, leads_to):
    page.open(report / "chapters/units.html")
    _search(page, text)
    place = _hits(page).index(name)
    for _ in range(place):
        page.key("ArrowDown")
    page.key("Enter")
    page.wait(f"decodeURIComponent(location.href).includes(decodeURIComponent({json.dumps(leads_to)}))")


def test_the_search_is_a_combobox(page, report):
    page.open(report / "index.html")
    page.evaluate("document.querySelector('button.theme').focus()")
    page.key("/")
    page.wait("search.index?.complete === true")
    chosen = "document.getElementById(search.field.getAttribute('aria-activedescendant'))"
    # Before anything is typed there are the chapters.
    assert _hits(page) == [f"About {slug}" for slug in CHAPTERS]
    assert page.evaluate("search.field.getAttribute('aria-expanded')") == "true"
    for key, expected in (("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", 4), ("ArrowDown", 0)):
        page.key(key)
        assert page.evaluate(f"{HITS}.indexOf({chosen})") == expected
        assert page.evaluate(f"{HITS}.filter(one => one.ariaSelected === 'true').length") == 1
    page.call("Input.insertText", text="no such thing")
    assert page.evaluate("search.field.getAttribute('aria-expanded')") == "false"
    assert page.evaluate("document.querySelector('.search-all [role=status]').textContent") == "Nothing found"
    page.key("Enter")
    assert _focus(page)
    page.key("Escape")
    assert page.evaluate("document.activeElement.className") == "theme"


def test_names_are_compared_without_case_and_diacritics(page, report):
    page.open(report / "index.html")
    names = [
        "Élan vital", "Straße", "Øre", "İstanbul", "ﬁsh", "हिन्दी", "ภาษาไทย", "漢字", "👩\u200d👧 pair",
        "عَرَبِيّ",
    ]  # fmt: skip
    asked = ["elan", "STRASSE", "ore", "istanbul", "fish", "हिन्दी", "ไทย", "漢", "👩👧", "عربي"]
    places = f"(texts => {json.dumps(asked)}.map(one => best(texts, [folded(one)], 3).places))"
    found = page.evaluate(f"{places}({json.dumps(names)}.map(folded))")
    assert found == [[place] for place in range(len(names))]


def test_the_best_come_first(page, report):
    page.open(report / "index.html")
    texts = ["oxcat", "a/cat.png", "category", "cat", "dog", "cat dog"]
    assert page.evaluate(f"best({json.dumps(texts)}, ['cat'], 9)") == {"places": [3, 2, 5, 1, 0], "count": 5}
    assert page.evaluate(f"best({json.dumps(texts)}, ['dog', 'cat'], 9)") == {"places": [5], "count": 1}


def test_every_image_of_a_large_report_is_found(page, report):
    page.open(report / "index.html")
    page.evaluate("""
        convatlas.kept.set('search/0', Array.from({length: 100_000}, (_, k) =>
            k % 2 ? `n0${1e6 + 37 * (k % 1000)}/n0${1e6 + k}_${k * 7919}.JPEG` : 0));
        window.big = new SearchIndex({sections: [], map: 'map.html', shards: 1, layers: [], classes: []});
        big.images()""")
    assert page.evaluate("big.find('jpeg')[0].count") == 50_000


def test_hostile_names_among_what_is_found_run_nothing(page, report):
    for width in (390, 1440):
        page.open(report / "index.html", width=width)
        for text in ("png", "script", "'", "9", "onload"):
            _search(page, text)
            assert _hits(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            left, right = page.evaluate("(b => [b.left, b.right])(search.dialog.getBoundingClientRect())")
            assert 0 <= left < right <= width
            page.key("Escape")
        assert page.evaluate("document.documentElement.dataset.hacked") is None


def test_question_mark_shows_the_keys(page, report):
    page.open(report / "map.html")
    page.key("?")
    assert page.evaluate("document.querySelector('dialog.keys').open")
    assert "step through the images" in page.evaluate("document.querySelector('dialog.keys').textContent")
    page.key("j")
    page.key("Escape")
    assert page.evaluate("[document.querySelector('dialog.keys').open, location.hash]") == [False, ""]


def test_j_and_k_go_from_unit_to_unit_and_from_image_to_image(page, report):
    page.open(report / "units/pool/1.html")
    page.key("j")
    page.wait("location.pathname.endsWith('/2.html') && document.readyState === 'complete'")
    page.key("k")
    page.wait("location.pathname.endsWith('/1.html') && document.readyState === 'complete'")
    page.open(report / "map.html")
    for key, place in (("j", 0), ("j", 1), ("k", 0)):
        page.key(key)
        assert page.evaluate("document.querySelector('canvas.map').view.selected") == place


def test_j_and_k_go_through_sections_and_on_to_the_next_chapter(page, report):
    page.open(report / "chapters/about.html")
    page.key("j")
    assert page.evaluate("document.activeElement.parentNode.id") == "provenance"
    page.open(report / "chapters/network.html")
    page.key("j")
    assert page.evaluate("document.activeElement.parentNode.id") == "summary"
    page.key("j")
    page.wait("location.pathname.endsWith('/units.html') && document.readyState === 'complete'")
    page.key("k")
    page.wait("location.pathname.endsWith('/network.html')")


def test_keys_write_in_fields(page, report):
    page.open(report / "map.html")
    page.evaluate("document.querySelector('[name=path]').focus()")
    for key in "j/?":
        page.key(key)
    assert page.evaluate("document.querySelector('[name=path]').value") == "j/?"


@pytest.mark.parametrize("name", fakes.REPORT_PAGES)
def test_every_chapter_is_at_most_twenty_stops_away(page, report, name):
    page.open(at(report, name), width=390)
    seen = "document.activeElement.getAttribute('href') || document.activeElement.tagName"
    reached = []
    for _ in range(MOST_STOPS):
        page.key("Tab")
        reached.append(page.evaluate(seen))
        page.evaluate("document.activeElement.closest('.menu')?.setAttribute('open', '')")
    chapters = {one for one in reached if "chapters/" in one}
    assert {one.rpartition("/")[2] for one in chapters} >= {f"{slug}.html" for slug in CHAPTERS}


def test_the_menu_closes_with_escape_and_with_a_click_beside_it(page, report):
    page.open(report / "index.html")
    page.evaluate("document.querySelector('.menu').open = true; document.querySelector('.menu a').focus()")
    page.key("Escape")
    closed = page.evaluate("[document.querySelector('.menu').open, document.activeElement.tagName]")
    assert closed == [False, "SUMMARY"]
    page.evaluate("document.querySelector('.menu').open = true")
    page.click(700, 700)
    assert not page.evaluate("document.querySelector('.menu').open")
