"""No grave finding of axe-core on any kind of page, in light and dark, on desktop and phone."""

from urllib.parse import quote

import pytest

from tests.pipeline.report import accessibility, fakes
from tests.pipeline.report.browser import CHROMIUM, at

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.skipif(accessibility.AXE is None, reason="needs axe-core, of axe-playwright-python"),
]


@pytest.mark.parametrize("name", fakes.REPORT_PAGES)
def test_axe_finds_nothing_grave(page, report, name):
    page.open(at(report, name))
    page.wait("!document.querySelector('.found') || document.querySelector('.found').children.length > 0")
    assert accessibility.on_screens(page) == {}


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("index.html", "search.open()"),
        ("index.html", "keys.show()"),
        ("units/pool/2.html", "document.querySelector('.menu').open = true"),
        ("layers/pool.html#order=patches.largest", "0"),
        (
            f"map.html#box=0,0,0.5,0.5&path={quote(fakes.HOSTILE[2])}/2.png",
            "document.querySelector('.grip').click()",
        ),
    ],
)  # fmt: skip
def test_axe_finds_nothing_grave_in_what_opens(page, report, name, act):
    page.open(at(report, name))
    page.evaluate(act)
    page.wait("!search.dialog?.open || search.index?.complete === true")
    assert accessibility.on_screens(page) == {}


def test_axe_finds_what_is_wrong(page, report):
    page.open(report / "index.html")
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    page.evaluate("document.querySelector('.home').append(new Image())")
    rules = {rule for _, rule, _ in accessibility.violations(page)}
    assert rules == {"color-contrast", "image-alt"}
