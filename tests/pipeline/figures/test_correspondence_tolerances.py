import csv

import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.correspondence_course import Everything
from pipeline.figures.correspondence_tolerances import STEPS, tolerances
from pipeline.formats.correspondence import open_correspondence
from pipeline.report.captions import read_caption
from pipeline.report.wording import prose
from tests.small import correspondence as small
from tests.small.pages import title_of

LAYERS = {"conv": small.layer(18), "deep": small.layer(9)}


@pytest.mark.parametrize("patches", [{}, {2: small.matched(24)}])
def test_a_line_rises_where_the_errors_are(tmp_path, patches):
    section = SectionDraft("correspondence", tmp_path / "section")
    section.folder.mkdir()
    path = small.write(tmp_path / "correspondence.h5", LAYERS, radius=2.0)
    with open_correspondence(path) as found:
        figure = tolerances(section, Everything(found, LAYERS, patches))
    assert (section.folder / figure.image).is_file() and figure.evidence.n == small.COUNT
    assert figure.numbers == {"within_pck": 0.75, "widest": 4, "widest_pck": 1}
    with (section.folder / "tolerances.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == STEPS * (2 + len(patches))
    found = {(row["by"], float(row["within_pixels"])): float(row["found"]) for row in rows}
    # Errors are 0.5 where right and 3 where wrong; the axis goes to twice the radius.
    for name, right in {"conv": 18, "deep": 9}.items():
        line = [found[name, distance] for distance in (0, 0.4, 0.5, 2.9, 3.0, 4.0)]
        assert line == pytest.approx([0, 0, right / 24, right / 24, 1, 1], rel=1e-5)


@pytest.mark.parametrize(
    ("widest", "title"),
    [
        (0.9, "In conv 75.0 % are found within 2.0 pixels, 90.0 % within 4.0"),
        (0.75, "In conv no more are found within 4.0 pixels than within 2.0"),
    ],
)
def test_the_title_says_what_a_wider_threshold_adds(widest, title):
    numbers = {"best": "conv", "within_pck": 0.75, "radius": 2.0, "widest": 4.0, "widest_pck": widest}
    assert title_of("correspondence", "tolerances", numbers) == title


@pytest.mark.parametrize(("best", "said"), [(0.4074, True), (0.4031, False)])
def test_shares_that_ties_make_differ_are_told_apart(best, said):
    numbers = {"radius": 6.4, "tied": 9, "within_pck": 0.4032, "best_pck": best}
    words = prose(read_caption("correspondence").part("tolerances"), numbers).replace("\u00a0", " ")
    assert ("and so 40.3 % here where elsewhere" in words and "it is 40.7 %." in words) == said
