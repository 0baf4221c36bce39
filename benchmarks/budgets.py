"""The budgets of a finished report, each beside what is found, in a headless browser with software rendering.

``python -m benchmarks.budgets REPORT`` opens one page of each kind from disk at 1440 x 900, moves the map,
asks the search, prints the index, and adds up files. What is meant is a report of a deep network: 30 layers,
2,000 drawn units, 1,000 classes, 50,000 images on the map, of a project as ``python -m benchmarks.deep``
makes it.

Of a kind of page the largest file is opened. A line that ends in "over" is a budget that does not hold; the
exit code says whether all hold. Times are medians of three; they depend on the machine, and a
load beside it makes them longer.
"""

import argparse
import base64
import html
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.captions import corrected
from benchmarks.maps import HEAD, Line, measure
from tests.pipeline.report.browser import Page, at, browser

MEGABYTE = 1e6
FIRST_VIEW, FIRST_SECONDS = 1.0, 1.0  # megabytes and seconds of a page as it opens
UNIT, WHOLE_IMAGE, STRIP = 60, 8, 15  # kB
# Pages that look something up, by where a link to one stands.
LOOKED_UP = {
    "image": ("chapters/activations.html", r'image\.html#[^"]+'),
    "unit that was not drawn": ("layers/*.html", r'unit\.html#[^"/]+/\d+'),
}
# How many strips a section adds to a unit's page.
STRIPS = {"contrasts": 2, "projections": 2}
IMAGE = 2.2  # kB of an image on the map and on its page
ALL, FILES = 400, 10_000  # megabytes
SEARCH = 100  # ms
SHEETS, PRINTED = 15, 10  # pages and megabytes of the index as PDF
TARGET = 24  # pixels
PHONE, DESKTOP = 390, 1440
ASKED = ("7", "a", "unit 12", "n0 jpeg", "zzz", "99")
# How long a text takes to be looked for and its hits to be laid out, ms.
ASK = """(text => {
  const start = performance.now();
  search.field.value = text;
  search.field.dispatchEvent(new Event('input'));
  search.box.getBoundingClientRect();
  return performance.now() - start;
})"""
# What can be pressed, but for links within a line of text, and is smaller than a fingertip needs.
SMALL = f"""[...document.querySelectorAll('button, select, summary, input:not([type=hidden]), [role=option]')]
  .filter(one => one.checkVisibility())
  .map(one => (one.labels?.[0] ?? one).getBoundingClientRect())
  .filter(box => box.width > 1 && Math.min(box.width, box.height) < {TARGET} - 0.5).length"""


def bytes_of(folder: Path, *patterns: str) -> int:
    """Add up the files that a pattern finds below a folder."""
    return sum(file.stat().st_size for pattern in patterns for file in folder.glob(pattern) if file.is_file())


def kinds(report: Path) -> Mapping[str, str]:
    """Return of each kind of page the one of the largest file."""

    def largest(pattern: str) -> str | None:
        found = max(report.glob(pattern), key=lambda file: file.stat().st_size, default=None)
        return None if found is None else found.relative_to(report).as_posix()

    pages = {"index": "index.html", "map": "map.html", "labelling": "label.html"}
    pages |= {f"chapter {path.stem}": f"chapters/{path.name}" for path in report.glob("chapters/*.html")}
    pages |= {kind: page for kind in ("layer", "unit") if (page := largest(f"{kind}s/**/*.html"))}
    pages |= {
        kind: page for kind, (where, link) in LOOKED_UP.items() if (page := _first(report, where, link))
    }
    return {kind: page for kind, page in pages.items() if (report / page.partition("#")[0]).is_file()}


def _first(report: Path, where: str, link: str) -> str | None:
    """Return the first link of a form in some pages."""
    texts = (file.read_text(encoding="utf-8") for file in sorted(report.glob(where)))
    found = next((match for text in texts if (match := re.search(link, text))), None)
    return None if found is None else html.unescape(found[0])


def first_views(report: Path, page: Page) -> Iterator[Line]:
    """Open each kind of page: its bytes and its seconds."""
    for kind, name in kinds(report).items():
        seconds = []
        for _ in range(3):
            page.requests.clear()
            start = time.perf_counter()
            page.open(at(report, name))
            seconds.append(time.perf_counter() - start)
        read = {
            Path(one.removeprefix("file://").partition("#")[0]) for one in page.requests if "file:" in one
        }
        size = sum(file.stat().st_size for file in read if file.is_file())
        yield Line(f"{kind}: first view, MB", FIRST_VIEW, size / MEGABYTE)
        yield Line(f"{kind}: first view, seconds", FIRST_SECONDS, median(seconds))


def sizes(report: Path) -> Iterator[Line]:
    """Add up what units and images take, and the whole."""
    units = len(list(report.glob("units/*/*.html")))
    wholes = [file.stat().st_size for file in report.glob("figures/patches/images/*")]
    if units:
        patches = bytes_of(report, "units/*/*.html", "figures/patches/**/*") - sum(wholes)
        yield Line("a drawn unit: page and patches, kB", UNIT, patches / units / 1e3)
        for section, strips in STRIPS.items():
            taken = bytes_of(report, f"figures/{section}/**/*") / units / 1e3
            yield Line(f"a drawn unit: {section}, kB", STRIP * strips, taken)
    if wholes:
        yield Line("whole images, kB each", WHOLE_IMAGE, sum(wholes) / len(wholes) / 1e3)
    yield Line("all, MB", ALL, bytes_of(report, "**/*") / MEGABYTE)
    yield Line("all, files", FILES, sum(file.is_file() for file in report.glob("**/*")))


def images(report: Path, page: Page) -> Iterator[Line]:
    """Say what an image takes on the map and on its page, and how the map moves."""
    if not (report / "map.html").is_file():
        return
    page.open(at(report, "map.html"))
    count = page.evaluate("document.querySelector('canvas.map').view.data.x.length")
    folder = "figures/embedding"
    taken = bytes_of(report, f"{folder}/atlas-*", f"{folder}/*.js", "data/images/*", "data/images.js")
    yield Line(f"map and page of an image, kB ({count:,} images)", IMAGE, taken / count / 1e3)
    yield from measure(page, report / "map.html")


def searched(report: Path, page: Page) -> Iterator[Line]:
    """Ask the search, once all is loaded."""
    page.open(report / "index.html")
    page.key("/")
    page.wait("search.index?.complete === true")
    times = [median(page.evaluate(f"{ASK}({json.dumps(text)})") for _ in range(3)) for text in ASKED]
    yield Line("search, the slowest of six, ms", SEARCH, max(times))


def printed(report: Path, page: Page) -> Iterator[Line]:
    """Print the index."""
    page.open(report / "index.html")
    file = base64.b64decode(
        page.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"]
    )
    yield Line("index as PDF, pages", SHEETS, len(re.findall(rb"/Type\s*/Page\b", file)))
    yield Line("index as PDF, MB", PRINTED, len(file) / MEGABYTE)


def targets(report: Path, page: Page) -> Iterator[Line]:
    """Count what is too small for a finger."""
    for kind, name in kinds(report).items():
        page.open(at(report, name), width=PHONE, height=844)
        yield Line(f"{kind}: targets under {TARGET} px at {PHONE} px", 0, page.evaluate(SMALL))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print each budget beside what was found."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.budgets", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("report", type=Path, nargs="?", default=Path("report"))
    parser.add_argument(
        "--rerun", action="store_true",
        help="correct a caption of the project around the report, too, run it, and put it back",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    report = options.report.resolve()
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(HEAD)
    held = True
    with browser() as page:
        for lines in (
            first_views(report, page), sizes(report), images(report, page), searched(report, page),
            printed(report, page), targets(report, page), corrected(report) if options.rerun else (),
        ):  # fmt: skip
            for line in lines:
                print(line, flush=True)
                held &= line.found <= line.budget
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
