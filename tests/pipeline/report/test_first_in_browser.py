import re

import pytest

from tests.pipeline.report.browser import CHROMIUM, at

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
CANVAS = "document.querySelector('.first-map canvas')"
STILL = "getComputedStyle(document.querySelector('.first-map img')).visibility"
# More would be tedious with the keyboard alone.
STOPS = 20


@pytest.fixture
def alive(page, report):
    page.open(report / "index.html")
    page.wait(f"!!{CANVAS}?.first")
    return page


def test_first_view_brings_no_script_of_the_map_but_the_one_that_wakes_it(report):
    text = (report / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<script src="([^"]*map[^"]*)"', text) == ["assets/first-map.js"]
    assert 'data-scripts="figures/codes/points.js' in text


def test_the_map_comes_alive_in_the_place_of_its_picture(alive):
    assert alive.evaluate(f"{CANVAS}.view.data.count") == 400
    assert alive.evaluate(STILL) == "visible"
    x, y = alive.evaluate(
        f"(b => [b.left + b.width / 2, b.top + b.height / 2])({CANVAS}.getBoundingClientRect())"
    )
    alive.mouse("mouseMoved", x, y)
    alive.wait(f"{STILL} === 'hidden'")
    alive.mouse("mouseMoved", 5, 5)
    alive.wait(f"{STILL} === 'visible'")


def test_the_map_is_moved_with_the_keyboard_and_leads_to_an_image(alive):
    alive.evaluate(f"{CANVAS}.focus()")
    for key in ("+", "ArrowRight"):
        alive.key(key)
    assert alive.evaluate(f"{CANVAS}.view.scale / {CANVAS}.view.fitScale") == pytest.approx(1.4)
    assert alive.evaluate(f"{CANVAS}.view.x") > 0.5
    assert alive.evaluate(STILL) == "hidden"
    alive.key("Enter")
    alive.wait("location.pathname.endsWith('/map.html') && location.hash.startsWith('#path=')")


def test_a_page_that_is_scrolled_is_not_caught_by_the_map(alive):
    x, y = alive.evaluate(f"(b => [b.left + b.width / 2, b.top + 20])({CANVAS}.getBoundingClientRect())")
    alive.mouse("mouseWheel", x, y, deltaX=0, deltaY=120)
    alive.wait("scrollY > 0")
    assert alive.evaluate(f"{CANVAS}.view.scale === {CANVAS}.view.fitScale")


def test_every_chapter_is_few_stops_from_the_top(page, report):
    page.open(report / "index.html")
    links = page.evaluate("document.querySelectorAll('nav.chapters a').length")
    reached = set()
    for _ in range(STOPS):
        page.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        page.call("Input.dispatchKeyEvent", type="keyUp", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        reached.add(
            page.evaluate("document.activeElement.closest('nav.chapters') && document.activeElement.href")
        )
    assert len(reached - {None}) == links > 4


def test_without_scripts_the_picture_leads_to_the_map(page, report):
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.call("Page.navigate", url=at(report, "index.html"))
        page.wait("document.readyState === 'complete' && location.href.includes('index.html')")
        assert page.evaluate("document.querySelector('.first-map a.still').href").endswith("/map.html")
        assert page.evaluate("document.querySelector('.first-map img').naturalWidth") > 0
        assert not page.evaluate(f"!!{CANVAS}")
    finally:
        page.call("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_cards_of_a_line_are_even(page, report, width):
    page.open(report / "index.html", width=width)
    page.evaluate("document.querySelectorAll('.card img').forEach(i => (i.loading = 'eager'))")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.card > .thumb')].map(e => [e.offsetWidth, e.offsetHeight].join())"
    )
    assert len(set(sizes)) == 1 and len(sizes) == 4
