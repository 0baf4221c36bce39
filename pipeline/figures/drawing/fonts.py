"""Fonts for names of every script: DejaVu where it has the letters, else the machine's and packages'.

A letter is drawn with the first font, in a fixed order, that has it; which fonts there are is the machine's,
so names in other scripts are the one thing in pictures that differs between machines. Where no font has a
letter, its code point stands in its place: an empty box would be the same for every name.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from unicodedata import bidirectional, category, combining

from fontTools.ttLib import TTFont, TTLibError

log = logging.getLogger(__name__)
_DEJAVU = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
_KINDS = {".ttf", ".otf", ".ttc"}
# Upright sans-serif of common weight and width is like DejaVu; what a file's name says else puts it behind.
_UNLIKE = ("serif", "mono", "bold", "black", "light", "thin", "medium", "italic", "oblique", "cond", "narrow")
# Zero width: they say how letters beside them join or look, and go with them.
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"
# They enclose what is written in another direction, and are seen nowhere.
_ISOLATES = "\u2066\u2068\u2069"
_VIRAMA = 9  # its combining class
_LENGTH = 24  # letters of a name with code points, unless it had more


def is_plain(text: str) -> bool:
    """Tell whether DejaVu has all letters, each written to the right of the one before it."""
    return text.isascii() or all(map(_is_plain, text))


@lru_cache(maxsize=65_536)
def _is_plain(letter: str) -> bool:
    stands_alone = bidirectional(letter) not in ("R", "AL") and category(letter) not in ("Mn", "Cf")
    return stands_alone and letter in _letters(dejavu())


@cache
def dejavu(*, bold: bool = False) -> Path:
    """Return the file of DejaVu Sans that Matplotlib brings along; Matplotlib is not imported for it."""
    package = find_spec("matplotlib")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / _DEJAVU[bold]


def fonts_for(texts: Iterable[str]) -> list[Path]:
    """Return the fonts besides DejaVu that texts need, each once."""
    letters = sorted(set("".join(texts)) - set(_ISOLATES))
    found = {_font_of(letter): None for letter in letters if not letter.isascii()}
    return [path for path in found if path not in (None, dejavu())]


def readable(text: str) -> str:
    """Return a text with code points in place of letters that no font has, cut to the length of a name."""
    if is_plain(text) or not any(map(_is_lost, text)):
        return text
    _warn()
    parts = []
    for lost, letters in groupby(text, _is_lost):
        part = (" " if lost else "").join(f"U+{ord(one):04X}" if lost else one for one in letters)
        parts.append(part.strip(f" {_JOINERS}"))
    written, most = " ".join(filter(None, parts)), max(len(text), _LENGTH)
    return written if len(written) <= most else f"{written[: most - 1]}…"


def whole(text: str, most: int) -> int:
    """Return how many of the first `most` letters can be taken so that none is parted from its marks."""
    while 0 < most < len(text) and (_leans(text[most]) or _binds(text[most - 1])):
        most -= 1
    return most


def _leans(letter: str) -> bool:
    return category(letter).startswith("M") or letter in _JOINERS


def _binds(letter: str) -> bool:
    """Tell whether a letter joins the next one to what is before it: a joiner, or a virama."""
    return letter in _JOINERS or combining(letter) == _VIRAMA


def _is_lost(letter: str) -> bool:
    return letter.isprintable() and letter not in _JOINERS and _font_of(letter) is None


def runs(text: str, *, bold: bool = False) -> list[tuple[Path, str]]:
    """Cut a readable text into parts of one font each; spaces and joiners go with what is before them."""
    found: list[tuple[Path, str]] = []
    for letter in text:
        goes_on = letter in _JOINERS + _ISOLATES or letter.isspace()
        if found and (goes_on or letter in _letters(found[-1][0])):
            found[-1] = (found[-1][0], found[-1][1] + letter)
            continue
        font = (None if letter in _ISOLATES else _font_of(letter)) or dejavu()
        found.append((dejavu(bold=bold) if font == dejavu() else font, letter))
    return found


@lru_cache(maxsize=65_536)
def _font_of(letter: str) -> Path | None:
    return next((path for path in (dejavu(), *_others()) if letter in _letters(path)), None)


@cache
def _letters(path: Path) -> frozenset[str]:
    """Return the letters whose outlines a font has; none of what cannot be read, or is drawn in colours."""
    try:
        with TTFont(path, lazy=True, fontNumber=0) as font:
            outlined = ("glyf" in font or "CFF " in font) and "COLR" not in font
            return frozenset(map(chr, font.getBestCmap() or ())) if outlined else frozenset()
    except (OSError, TTLibError, ValueError):
        return frozenset()


@cache
def _others() -> tuple[Path, ...]:
    """Return the fonts of packages (`fontpkg`) and of the machine, those that are most like DejaVu first."""
    files = [path for folder in (*_packages(), *_folders()) for path in folder.rglob("*") if _is_font(path)]
    return tuple(sorted(dict.fromkeys(files), key=lambda path: (_distance(path), path.name, str(path))))


def _is_font(path: Path) -> bool:
    return path.suffix.lower() in _KINDS and path.is_file()


def _distance(path: Path) -> tuple[int, bool, bool]:
    name = path.stem.lower()
    # Noto's looped Thai places no marks above marks: tones would lie on vowels.
    return sum(word in name for word in _UNLIKE), "noto" not in name, "sans" not in name


def _packages() -> list[Path]:
    specs = [find_spec(entry.module) for entry in entry_points(group="fontpkg.family")]
    return [Path(place) for spec in specs if spec for place in spec.submodule_search_locations or ()]


def _folders() -> list[Path]:
    home = Path.home()
    own = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), own / "fonts", home / ".fonts"]


@cache
def _warn() -> None:
    log.warning(
        "no font here has some letters of the names: pictures show their code points. Install one, such as "
        "Debian's fonts-noto-core and fonts-noto-cjk (of emoji fonts-symbola), or put its file into "
        "~/.local/share/fonts"
    )
