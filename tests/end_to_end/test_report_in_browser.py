"""The report of the finished run in a browser: each kind of page, on desktop and phone, in light and dark."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from pipeline.figures.map_neighbours import SHOWN
from pipeline.formats.manifest import open_manifest
from pipeline.formats.neighbours import Neighbours, read_neighbours
from tests.end_to_end.project import Project
from tests.pipeline.report import accessibility
from tests.pipeline.report.browser import CHROMIUM, Page, at, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
MOST_STOPS = 20
FIRST_VIEW = 1_000_000  # bytes of a page as it opens
MOST_LETTERS = 78  # of a line, as English has them
# A4 without the browser's margins, CSS pixels.
PAPER = (718, 1047)
LONG_LINES = """(() => {
  const pen = document.createElement("canvas").getContext("2d");
  const english = "the quick brown fox jumps over the lazy dog and is happy";
  const letters = (one) => {
    const { fontWeight, fontSize, fontFamily } = getComputedStyle(one);
    pen.font = `${fontWeight} ${fontSize} ${fontFamily}`;
    const range = document.createRange();
    range.selectNodeContents(one);
    return range.getBoundingClientRect().width / (pen.measureText(english).width / english.length);
  };
  return [...document.querySelectorAll("main :is(p, figcaption, .prose li, .stands li)")]
    .filter((one) => one.offsetParent && !one.querySelector("p, li, button, a.anchor"))
    .filter((one) => one.innerText.length > MOST && letters(one) > MOST)
    .map((one) => one.innerText.slice(0, 60));
})()"""
CUT_ON_PAPER = """(() => {
  const edge = document.documentElement.clientWidth + 1;
  const all = (selector) => [...document.querySelectorAll(`main ${selector}`)]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }));
  const beyond = (one) => one.getBoundingClientRect().right > edge;
  // A part of a sheet that is not as wide as it says shows another part.
  const share = ({ parentElement, style }) => parentElement.clientWidth * parseFloat(style.width) / 100;
  const moved = (one) => one.style.width && Math.abs(one.offsetWidth - share(one)) > 2;
  return [
    all("table").filter(beyond),
    all(".plate > img").filter((one) => beyond(one) || one.height > HIGH),
    all(".window img").filter((one) => !one.naturalWidth || moved(one)),
  ].map((ones) => ones.map((one) => one.outerHTML.slice(0, 120)));
})()"""


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    with browser() as page:
        yield page


@pytest.fixture(scope="module")
def pages(finished: Project) -> list[str]:
    """Of each kind of page all, or the first."""
    report = finished.root / "report"

    def first(pattern: str) -> str:
        return min(report.glob(pattern)).relative_to(report).as_posix()

    chapters = [f"chapters/{path.name}" for path in sorted(report.glob("chapters/*.html"))]
    layer = first("units/*/*.html").split("/")[1]
    return [
        "index.html", *chapters, f"layers/{layer}.html", first("units/*/*.html"),
        "unit.html#features.0/0", "image.html#path=class-0/00.png", "map.html", "label.html",
    ]  # fmt: skip


def test_pages_are_sound(finished: Project, pages: list[str], tab: Page) -> None:
    """No error on the console, no request that leaves the folder, nothing wider than the screen."""
    report = finished.root / "report"
    found = {}
    for name in pages:
        tab.problems.clear()
        tab.requests.clear()
        tab.open(at(report, name))
        wide = []
        for width, dark in accessibility.SCREENS:
            tab.look(width=width, height=844, dark=dark)
            tab.settle()
            if tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(width)
        outside = [one for one in tab.requests if not one.startswith((report.as_uri(), "data:", "about:"))]
        if wide or outside or tab.problems:
            found[name] = (wide, outside, list(tab.problems))
    assert found == {}


def test_an_image_that_is_no_probe_shows_those_nearest_to_it_by_code(finished: Project, tab: Page) -> None:
    found = read_neighbours(finished.root / "artifacts/neighbours.h5")
    assert isinstance(found, Neighbours)
    on_map, probes = found.on_map, set(found.probe.tolist())
    row = next(row for row, one in enumerate(on_map.image_id.tolist()) if one not in probes)
    with open_manifest(finished.root / "artifacts/manifest.h5") as manifest:
        path = manifest.path()
    tab.open(at(finished.root / "report", f"image.html#path={quote(path[on_map.image_id[row]])}"))
    tab.wait("!!document.querySelector('.nearest')")
    tab.evaluate("document.querySelector('.nearest').scrollIntoView()")
    tab.wait("!document.querySelector('.nearest:empty')")
    links = tab.evaluate("[...document.querySelectorAll('.nearest a')].map(a => a.getAttribute('href'))")
    expected = [f"#path={path[one]}" for one in on_map.neighbour[row, :SHOWN].tolist()]
    assert [unquote(link) for link in links] == expected


def test_lines_are_not_longer_than_eyes_follow(finished: Project, pages: list[str], tab: Page) -> None:
    found = {}
    for name in pages:
        tab.open(at(finished.root / "report", name), width=2200)
        if long := tab.evaluate(LONG_LINES.replace("MOST", str(MOST_LETTERS))):
            found[name] = long
    assert found == {}


def test_nothing_is_cut_on_paper(finished: Project, pages: list[str], tab: Page) -> None:
    width, height = PAPER
    found = {}
    for name in pages:
        tab.open(at(finished.root / "report", name), width=width, height=height)
        tab.call("Emulation.setEmulatedMedia", media="print")
        tab.evaluate("dispatchEvent(new Event('beforeprint'))")
        tab.wait("[...document.images].every((one) => one.complete)")
        cut = tab.evaluate(CUT_ON_PAPER.replace("HIGH", str(height)))
        if any(cut):
            found[name] = cut
        tab.call("Emulation.setEmulatedMedia", media="")
    assert found == {}


def test_a_page_opens_with_at_most_a_megabyte(finished: Project, pages: list[str], tab: Page) -> None:
    sizes = {}
    for name in pages:
        tab.requests.clear()
        tab.open(at(finished.root / "report", name))
        files = {one.partition("#")[0] for one in tab.requests if one.startswith("file:")}
        sizes[name] = sum(Path(one.removeprefix("file://")).stat().st_size for one in files)
    assert all(0 < size <= FIRST_VIEW for size in sizes.values()), sizes


@pytest.mark.skipif(accessibility.AXE is None, reason="needs axe-core, of axe-playwright-python")
def test_axe_finds_nothing_grave(finished: Project, pages: list[str], tab: Page) -> None:
    found = {}
    for name in pages:
        tab.open(at(finished.root / "report", name))
        if grave := accessibility.on_screens(tab, [(1440, False), (390, True)]):
            found[name] = grave
    assert found == {}


def test_every_chapter_is_at_most_twenty_stops_away(finished: Project, pages: list[str], tab: Page) -> None:
    chapters = {name.rpartition("/")[2] for name in pages if name.startswith("chapters/")}
    for name in pages:
        tab.open(at(finished.root / "report", name), width=390)
        reached = set()
        for _ in range(MOST_STOPS):
            tab.key("Tab")
            tab.evaluate("document.activeElement.closest('.menu')?.setAttribute('open', '')")
            reached.add(tab.evaluate("(document.activeElement.href || '').split('/').at(-1)"))
        assert chapters <= reached, name
