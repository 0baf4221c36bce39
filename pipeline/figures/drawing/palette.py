"""Colours: of the classes, and of the page's two themes."""

from __future__ import annotations

from dataclasses import dataclass

# Found by search: any two lie at least 28 apart in CIELAB, for normal eyes and for each kind of colour
# blindness (simulated after Machado, Oliveira & Fernandes 2009), and all stand out from a light and a dark
# page. Beyond ten, classes differ by the marker too.
SEQUENCE = (
    "#5500ff", "#ee9966", "#006644", "#ff4488", "#33cccc",
    "#666600", "#9999ee", "#bbbb00", "#992288", "#aa55ff",
)  # fmt: skip
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "p", "<", ">")
LOOKS = len(SEQUENCE) * len(MARKERS)
UNLABELLED = "#9a9a9a"
# Of numbers, from low to high: cividis (Nunez, Anderton & Renslow 2018), which is read alike by all eyes; its
# darkest part is left out, which a dark page would swallow.
SCALE = (
    "#163770", "#273e6e", "#33446d", "#3e4b6c", "#48526c", "#51586d", "#5a5f6e", "#62656f",
    "#6b6d72", "#727374", "#7b7a78", "#848279", "#8d8878", "#969077", "#9f9775", "#a99f73",
    "#b3a670", "#bdae6c", "#c7b767", "#d1bf61", "#dcc859", "#e6d051", "#f1d945", "#fce236",
)  # fmt: skip
# Of what the network gets right, and wrong.
RIGHT, WRONG = "#4c86d8", "#e0702a"


@dataclass(frozen=True)
class Theme:
    """The inks of a light or a dark page.

    Attributes
    ----------
    paper, ink, soft, line : str
        Ground (for halos; figures are transparent), text, lesser text, and rules.
    accent, contrast : str
        Two colours for data without classes.
    """

    paper: str
    ink: str
    soft: str
    line: str
    accent: str
    contrast: str


LIGHT = Theme("#fbfbf9", "#16202b", "#55606c", "#dcdfe3", "#1d5b9e", "#c2571a")
DARK = Theme("#14181d", "#e6eaef", "#a3adb8", "#313943", "#86bdf5", "#f2a35e")


def colour(index: int) -> str:
    """Return the colour of a class as #rrggbb; grey for -1, no class."""
    return SEQUENCE[index % len(SEQUENCE)] if index >= 0 else UNLABELLED


def marker(index: int) -> str:
    """Return the marker of a class, matplotlib's code: another one after each round of the colours."""
    return MARKERS[index // len(SEQUENCE) % len(MARKERS)] if index >= 0 else "."
