"""The pictures of README.md, taken of the default run's report in a headless browser.

    python -m tests.pictures [--report report] [--out docs/pictures]    what `make pictures` runs

Of the first screen, of the page of a unit and of the map: 1440 pixels wide, as WebP.
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from pipeline.figures.drawing.webp import save_webp
from tests.pipeline.report.browser import CHROMIUM, Page, at, browser

WIDTH, HEIGHT = 1440, 900
QUALITY = 80
# All data files of the repository together stay below a megabyte.
LARGEST = 800_000  # bytes, of all pictures
UNIT = re.compile(r'href="(units/[^"#]+\.html)')
# Near enough for its images to be seen.
MAP, VIEW = "map.html", "#v=0.47,0.45,2.2"
PATIENCE = 20.0  # seconds until a page stands still


def pages(report: Path) -> dict[str, str]:
    """Return what is taken: the name of each picture, and the page.

    The unit is one of those that the first screen shows, in the middle of the network.
    """
    shown = UNIT.findall((report / "index.html").read_text(encoding="utf-8"))
    found = {"first-screen": "index.html"}
    found |= {"unit": shown[len(shown) // 2]} if shown else {}
    return found | ({"map": MAP + VIEW} if (report / MAP).is_file() else {})


def take(page: Page, address: str, out: Path) -> None:
    """Take the picture of a page once it stands still: maps and pictures come in after a moment."""
    page.call("Emulation.setScrollbarsHidden", hidden=True)
    page.open(address, width=WIDTH, height=HEIGHT)
    with tempfile.TemporaryDirectory() as folder:
        now, end = Path(folder, "now.png"), time.monotonic() + PATIENCE
        before = b""
        while time.monotonic() < end:
            page.picture(now)
            if now.read_bytes() == before:
                break
            before = now.read_bytes()
            time.sleep(0.5)
        save_webp(out, Image.open(now).convert("RGB"), QUALITY, small=0.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the pictures; return 1 where there is no browser or no report, or they are too large."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("--report", type=Path, default=Path("report"), help="the report's folder")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), help="the pictures' folder")
    options = parser.parse_args(arguments)
    if not CHROMIUM or not (options.report / "index.html").is_file():
        lacking = (
            f"{options.report}: no report in it; run 'dvc repro'" if CHROMIUM else "no Chromium is installed"
        )
        print(f"pictures: error: {lacking}", file=sys.stderr)
        return 1
    taken = {name: options.out / f"{name}.webp" for name in pages(options.report)}
    with browser() as page:
        for name, address in pages(options.report).items():
            take(page, at(options.report.resolve(), address), taken[name])
            print(f"{taken[name]}: {taken[name].stat().st_size:,} bytes", file=sys.stderr)
    total = sum(path.stat().st_size for path in taken.values())
    wrong = page.problems or ([f"{total:,} bytes together, at most {LARGEST:,}"] if total > LARGEST else [])
    for problem in wrong:
        print(f"pictures: error: {problem}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
