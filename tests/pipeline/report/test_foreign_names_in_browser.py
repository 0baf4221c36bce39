"""Names of people's own scripts, and long ones: shown as they are, and no page is broken by them."""

import json
from urllib.parse import quote

import pytest

from pipeline.contents.reading import read_sections
from pipeline.report.escaping import named
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


BOXES = """(() => {
    const parts = [...document.querySelectorAll('h1 bdi bdi')];
    const [folder, name] = parts.map(one => one.getBoundingClientRect());
    const extension = document.createRange();
    extension.selectNode(document.querySelector('h1 bdi').lastChild);
    return [folder.right, name.left, name.right, extension.getBoundingClientRect().left];
})()"""


@pytest.mark.parametrize("place", [0, 1])
def test_parts_of_a_path_stand_in_their_order(page, report, place):
    """Folder, name and extension go to the right, whichever way the letters of each go."""
    page.open(at(report, f"image.html#path={quote(fakes.FOREIGN[place])}/{place}.png"))
    page.wait("!!document.querySelector('h1 bdi')")
    folder, name, end, extension = page.evaluate(BOXES)
    assert folder <= name < end <= extension + 0.1


@pytest.mark.parametrize(
    "name", [*fakes.FOREIGN, *fakes.HOSTILE[3:], "א/ب.1.png", "/א", "\ufdfa.jpg", "𐤀/1", "𞤀.a"]
)
def test_scripts_write_names_as_templates_do(page, report, name):
    page.open(report / "index.html")
    for path in (name, f"{name}/0.png"):
        page.evaluate(f"document.body.innerHTML = {json.dumps(f'<bdi>{named(path)}</bdi>')}")
        written = page.evaluate("document.body.innerHTML").replace('<bdi><bdi dir="ltr">', '<bdi dir="ltr">')
        page.open(report / "index.html")
        made = page.evaluate(f"named({json.dumps(path)}).outerHTML")
        assert made == written.replace("</bdi></bdi>", "</bdi>") if "ltr" in written else made == written


WIDE = """for (const one of document.querySelectorAll('td:not(.number)')) {
    one.classList.remove('short');
    one.querySelector('bdi').textContent = 'W'.repeat(200);
}
for (const one of document.querySelectorAll('details')) one.open = true"""


def test_long_names_leave_room_for_what_stands_beside_them(page, report):
    page.open(report / "units/pool/2.html")
    page.evaluate(WIDE)
    beyond = page.evaluate(
        "[...document.querySelectorAll('.scroll')].map(one => one.scrollWidth - one.clientWidth)"
    )
    assert beyond == [0]
    page.open(report / "chapters/codes.html")
    page.evaluate("document.querySelector('.side > :is(h3, h4) bdi').textContent = 'W'.repeat(200)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.open(report / "layers/pool.html")
    page.evaluate(
        "for (const one of document.querySelectorAll('.tools option')) one.textContent = 'W'.repeat(200)"
    )
    assert (
        max(page.evaluate("[...document.querySelectorAll('.tools select')].map(one => one.offsetWidth)"))
        < 400
    )


def test_what_is_said_of_a_name_stands_beside_it(page, report):
    """The verdict goes to the right of a class that is written to the left."""
    page.open(at(report, f"image.html#path={quote(fakes.FOREIGN[0])}/0.png"))
    page.wait("document.querySelectorAll('.details dd').length > 2")
    predicted = page.evaluate("document.querySelectorAll('.details dd')[2].firstChild.lastChild.textContent")
    assert predicted in (" (right)", " (misclassified)")
