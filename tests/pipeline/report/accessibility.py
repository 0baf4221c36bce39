"""axe-core in a page: what it finds that keeps people from reading it."""

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.pipeline.report.browser import Page

_FOUND = importlib.util.find_spec("axe_playwright_python")
# The package brings axe-core along; what else it does, `browser` does.
AXE = Path(_FOUND.origin).parent / "axe.min.js" if _FOUND and _FOUND.origin else None
GRAVE = {"serious", "critical"}
SCREENS = [(1440, False), (1440, True), (390, False), (390, True)]
# Preloading would ask for style sheets, which a page from disk may not.
_RUN = """axe.run(document, {resultTypes: ['violations'], preload: false}).then(({violations}) =>
    violations.map(({id, impact, nodes}) => [impact, id, nodes.map(({html}) => html.slice(0, 200))]))"""


@cache
def _axe() -> str:
    assert AXE, "skip these tests where there is no axe-core"
    return AXE.read_text(encoding="utf-8")


def violations(page: Page) -> list[Any]:
    """Return what is grave on the page that is open: how grave, which rule, where."""
    if not page.evaluate("!!window.axe"):
        page.evaluate(f"{_axe()};0")
    return [found for found in page.evaluate(_RUN) if found[0] in GRAVE]


def on_screens(
    page: Page, screens: Sequence[tuple[int, bool]] = SCREENS
) -> dict[tuple[int, bool], list[Any]]:
    """Return what is grave by the width of the screen and whether it is dark; nothing where nothing is."""
    found = {}
    for width, dark in screens:
        page.look(width=width, height=900, dark=dark)
        page.settle()
        if grave := violations(page):
            found[width, dark] = grave
    return found
