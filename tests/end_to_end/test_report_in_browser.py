"""The report of the finished run in a browser: each kind of page, on desktop and phone, in light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.project import Project
from tests.pipeline.report import accessibility
from tests.pipeline.report.browser import CHROMIUM, Page, at, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
MOST_STOPS = 20
FIRST_VIEW = 1_000_000  # bytes of a page as it opens


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
