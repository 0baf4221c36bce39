"""Every number on the first page says where it was read, and is found there and anew in the artifacts."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.report.first.strip import LEAST_ACTIVE
from tests.end_to_end.first_numbers import ORACLES, Artifacts
from tests.end_to_end.project import Project

# What is said of the method, of every run the same.
CONSTANT = re.compile(r"95 % interval|of 255|p < 0\.05")
NUMBER = re.compile(r"−?\d[\d,]*(?:\.\d+)?")


class Numbers(HTMLParser):
    """What a page says with a source, as (source, text, whether it stands above the cards), and without."""

    # Thresholds of rules, reasons of what was not run, names, and the ends of the line of an interval.
    SKIPPED = ("more", "state", "place", "axis")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sourced: list[tuple[str, str, bool]] = []
        self.bare = ""
        self._open: list[tuple[str, str | None]] = []
        self._cards = False
        self.feed(text[text.index("<main") :])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._cards |= values.get("class") == "cards"
        skipped = tag == "bdi" or any(name in (values.get("class") or "").split() for name in self.SKIPPED)
        if tag not in ("img", "path"):
            self._open.append((tag, values.get("data-source") or ("skipped" if skipped else None)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        source = next((source for _, source in reversed(self._open) if source), None)
        if source is None:
            self.bare += data
        elif source != "skipped":
            self.sourced.append((source, data, not self._cards))


@pytest.fixture(scope="module")
def shown(finished: Project) -> Numbers:
    return Numbers((finished.root / "report/index.html").read_text(encoding="utf-8"))


def test_every_number_says_where_it_was_read(shown):
    bare = CONSTANT.sub("", shown.bare.replace("\u00a0", " "))
    assert not re.findall(r".{0,30}\d.{0,20}", bare)
    assert len([one for one in shown.sourced if one[2]]) > 8


def test_every_number_is_what_its_source_holds(finished, shown):
    artifacts = Artifacts(finished.root)
    for source, text, _ in shown.sourced:
        values = [_stored(artifacts, one) for one in source.split()]
        assert _says(text, values), f"{source}: {text}, not {values}"


def test_every_number_of_the_screen_is_found_anew(finished, shown):
    artifacts, found = Artifacts(finished.root), 0
    for source, text, screen in shown.sourced:
        names = [_name(one) for one in source.split()]
        if screen and "#layers." not in source:
            assert not [name for name in names if name not in ORACLES], "write an oracle"
        if all(name in ORACLES for name in names):
            values = [ORACLES[name](artifacts) for name in names]
            assert _says(text, values), f"{source}: {text}, not {values}"
            found += 1
    assert found > 30


def test_the_strip_shows_the_most_selective_unit_that_is_drawn(finished, shown):
    artifacts = Artifacts(finished.root)
    strip = [(one.partition("#layers.")[2], text) for one, text, _ in shown.sourced if "#layers." in one]
    assert len(strip) == len(artifacts.layers("topk"))
    for place, text in strip:
        layer = place.rpartition(".units.")[0]
        drawn = artifacts.patches[layer]["unit"][()]
        active = artifacts.topk[layer]["count_active"][()][drawn]
        selectivity = np.nan_to_num(artifacts.units[layer]["selectivity"][()][drawn], nan=-1)
        enough = np.where(active >= LEAST_ACTIVE, 2, 0)
        assert int(text) == drawn[np.where(active > 0, selectivity + enough, -2).argmax()]


def _name(source: str) -> str:
    """Return the section, or the stage of a metric, and the number's name."""
    path, _, key = source.partition("#")
    return f"{Path(path).stem if path.startswith('metrics/') else Path(path).parent.name}#{key}"


def _stored(artifacts: Artifacts, source: str) -> Any:
    path, _, key = source.partition("#")
    content = artifacts.stored(path if path.startswith("metrics/") else f"artifacts/{path}")
    if path.startswith("metrics/"):
        return content[key]
    if key.startswith("blocks."):
        block = next(one for one in content["blocks"] if one.get("id") == key.split(".")[1])
        return [*map(block["evidence"].get, ("n", "level")), block["evidence"]["split"]]
    if key.startswith("layers."):
        return int(key.rpartition(".units.")[2].partition(".")[0])
    return content["numbers"][key]


def _says(text: str, values: Any) -> bool:
    """Tell whether a text is one of the names, or each number in it one of the values, rounded as it is."""
    known = list(_flat(values))
    names = [one for one in known if isinstance(one, str)]
    if len(names) == len(known):
        return text in names
    return all(
        any(number in one if isinstance(one, str) else _rounds(number, one) for one in known)
        for number in NUMBER.findall(text)
    )


def _rounds(text: str, value: float) -> bool:
    places = len(text.partition(".")[2])
    written = float(text.replace(",", "").replace("−", "-"))
    return any(abs(written - scale * value) <= 0.5000001 * 10**-places for scale in (1, 100))


def _flat(values: Any) -> Any:
    if isinstance(values, (list, tuple, np.ndarray)):
        for one in values:
            yield from _flat(one)
    elif values is not None:
        yield values
