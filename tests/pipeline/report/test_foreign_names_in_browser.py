"""Names of people's own scripts, and long ones: shown as they are, and no page is broken by them."""

from urllib.parse import quote

import pytest

from pipeline.contents.reading import read_sections
from pipeline.report.site import Texts, write_report
from tests.pipeline.report import fakes
from tests.pipeline.report.browser import CHROMIUM, at

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
PAGES = (
    "index.html",
    *(f"chapters/{name}.html" for name in ("network", "units", "codes", "about")),
    "layers/pool.html", "units/pool/2.html", "unit.html#pool/4",
    *(f"image.html#path={quote(name)}/{place}.png" for place, name in enumerate(fakes.FOREIGN)),
    f"map.html#path={quote(fakes.FOREIGN[6])}/6.png",
)  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    figures = fakes.write_figures(folder / "figures", names=fakes.FOREIGN)
    texts = Texts(fakes.FOREIGN[6], captions=fakes.captions(folder / "captions"))
    write_report(folder / "report", read_sections(figures), fakes.provenance(fakes.FOREIGN), texts)
    return folder / "report"


@pytest.mark.parametrize("name", PAGES)
def test_pages_fit(page, report, name):
    page.open(at(report, name))
    page.wait("!document.querySelector('.found') || document.querySelector('.found').children.length > 0")
    for width in (1440, 390):
        page.look(width=width, height=844, dark=False)
        page.settle()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert page.evaluate("document.querySelector('.bar').offsetHeight") < 60, width
        # Nothing reaches beyond what its box shows, unless the box scrolls or cuts it with a sign.
        cut = """[...document.querySelectorAll(':is(h1, h2, h3, dd, td, li, p):not(.unseen)')].filter(one => {
            const { overflowX, textOverflow } = getComputedStyle(one);
            const beyond = one.scrollWidth > one.clientWidth + 1;
            return beyond && overflowX === 'hidden' && textOverflow !== 'ellipsis';
        }).map(one => one.outerHTML.slice(0, 90))"""
        assert page.evaluate(cut) == [], width


def test_names_are_shown_as_they_are(page, report):
    for place, name in enumerate(fakes.FOREIGN):
        page.open(at(report, f"image.html#path={quote(name)}/{place}.png"))
        page.wait("document.querySelector('.found').children.length > 0")
        assert page.evaluate("document.querySelector('h1').textContent") == f"{name}/{place}.png"
    page.open(report / "units/pool/2.html")
    cells = page.evaluate("[...document.querySelectorAll('td')].map(one => one.textContent)")
    assert {fakes.FOREIGN[2], fakes.FOREIGN[3], fakes.FOREIGN[4], fakes.FOREIGN[5]} <= set(cells)
    page.open(report / "map.html")
    shown = page.evaluate("[...document.querySelectorAll('.legend bdi')].map(one => one.textContent)")
    assert shown == [f"{fakes.FOREIGN[k % 8]} {k}" for k in range(10)]


@pytest.mark.parametrize("place", range(len(fakes.FOREIGN)))
def test_names_are_found(page, report, place):
    page.open(report / "index.html")
    page.key("/")
    page.wait("search.index?.complete === true")
    page.call("Input.insertText", text=f"{fakes.FOREIGN[place]}/{place}.png".upper())
    hits = page.evaluate("[...document.querySelectorAll('.hits bdi')].map(one => one.textContent)")
    assert f"{fakes.FOREIGN[place]}/{place}.png" in hits
