from dataclasses import replace

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft, new_chapter
from pipeline.figures.fooling import add_fooling
from pipeline.figures.fooling_pictures import Names
from pipeline.formats.status import not_run
from pipeline.report.captions import read_caption
from pipeline.report.wording import line, prose
from tests.small.fooling import FOUND
from tests.small.pages import page_of
from tests.small.probes import PICTURED

NAMES = Names(["cat", "dog", "owl"], ["a", "b", "c"])


def drawn(folder, found=FOUND):
    section = SectionDraft("fooling", folder)
    add_fooling(section, found, PICTURED, NAMES)
    content = section.content()
    assert all((folder / name).is_file() for name in content.files)
    return content


def block(content, name):
    (found,) = (one for one in content.blocks if getattr(one, "id", one.caption) == name)
    return found


def rows(folder, name):
    return [line.split(",") for line in (folder / name).read_text(encoding="utf-8").splitlines()[1:]]


def test_curves_are_shares_of_the_sample_with_intervals(tmp_path):
    content = drawn(tmp_path)
    lines = rows(tmp_path, "curves.csv")
    assert [(one[0], one[1], one[2], one[3]) for one in lines[:3]] == [
        ("FGSM", "0", "4", "5"), ("FGSM", "2", "2", "5"), ("FGSM", "8", "1", "5"),
    ]  # fmt: skip
    assert float(lines[0][7]) == pytest.approx(FOUND.attacks["fgsm"].confidence[:, 0].mean(), rel=1e-5)
    assert (content.numbers["before"], content.numbers["pgd_last"]) == (0.8, 0.2)
    assert (content.numbers["pgd_half"], content.numbers["pgd_at"]) == (2, 0.4)
    evidence = block(content, "curves").evidence
    assert (evidence.n, evidence.split, evidence.interval) == (5, "test", "wilson")


def test_smallest_distances_are_of_the_images_that_were_right(tmp_path):
    numbers = drawn(tmp_path).numbers
    assert (numbers["pgd_tried"], numbers["pgd_never"], numbers["pgd_median"]) == (4, 1, 3)
    assert (numbers["fgsm_median"], numbers["fgsm_least"]) == (4.5, 1)
    assert rows(tmp_path, "smallest.csv")[3] == ["8", "-1", "-1"]


def test_where_none_is_right_there_is_no_smallest_distance(tmp_path):
    attacks = {name: replace(one, smallest=np.zeros(5, int)) for name, one in FOUND.attacks.items()}
    content = drawn(tmp_path, replace(FOUND, attacks=attacks))
    assert block(content, "none-right").kind == "notice"
    assert "pgd_median" not in content.numbers
    numbers = {"before": 0.0, "largest": 32, "pgd_last": 0.0, "images": 5, "by_label": 1}
    finding = line(read_caption("fooling").words, "finding", numbers)
    assert finding.replace("\u00a0", " ").endswith(
        "has none of 5 images right as they are, so that there is nothing to fool."
    )


def test_each_probe_has_its_rows(tmp_path):
    content = drawn(tmp_path)
    assert block(content, "probes").images == (7, 2)
    first, second = (part.blocks[0].numbers for part in content.images)
    assert (first["output"], first["fooled"], first["tried"], first["right"]) == ("dog", 4, 4, 1)
    # The network has the second wrong as it is, so that nothing is left but a chosen class and the pixels.
    assert (second["fooled"], second["tried"], second["right"]) == (0, 2, 0)
    assert [line[0].strip('"').split()[0] for line in rows(tmp_path, "fooled-2.csv")] == [
        "smallest",
        "linear",
    ]
    assert content.numbers["probes_wrong"] == 1
    lines = rows(tmp_path, "fooled-7.csv")
    assert "ε = 3" in ",".join(lines[0])
    assert lines[0][-2:] == ["3", "42"]
    assert [fact.value for fact in content.images[0].facts] == [2] and not content.images[1].facts


def test_a_probe_that_is_wrong_as_it_is_and_that_nothing_else_was_tried_on_has_no_picture(tmp_path):
    first, second = drawn(tmp_path, replace(FOUND, minimal=None, pixels=None)).images
    assert len(first.blocks) == 1 and not second.blocks and not second.facts


def test_nothing_is_rounded_of_what_did_not_get_there(tmp_path):
    lost = replace(FOUND.minimal, reached=np.zeros(2, np.int8), stretch=np.full(2, np.nan))
    made = replace(FOUND.ascended, confidence=np.full(4, 0.2, np.float32))
    with new_chapter(tmp_path / "failures") as chapter:
        add_fooling(chapter.section("fooling"), replace(FOUND, minimal=lost, ascended=made), PICTURED, NAMES)
    page = " ".join(page_of(tmp_path / "failures/fooling", tmp_path).replace("\u00a0", " ").split())
    assert "0 of 2 got there." in page and "After rounding" not in page
    assert "Given up after 6 steps." in page and "In the median after" not in page


@pytest.mark.parametrize(
    ("reached", "plainly", "said"),
    [
        (4, 0, "none does so still; all were stretched, at most three times, until they do,"),
        (1, 0, "none does so still; it was stretched, at most three times, until it does,"),
        (4, 3, "3 do so still; the other was stretched, at most three times, until it does,"),
        (4, 1, "1 does so still; the others were stretched, at most three times, until they do,"),
        (2, 2, "2 do so still."),
    ],
)
def test_what_was_stretched_is_counted_in_words(reached, plainly, said):
    numbers = {"probes": 4, "asked": 4, "reached": reached, "plainly": plainly, "rounded": reached}
    assert said in " ".join(prose(read_caption("fooling").part("minimal"), numbers).split())


def test_tables_count_what_reached_and_what_was_carried_over(tmp_path):
    content = drawn(tmp_path)
    minimal = block(content, "minimal")
    assert (minimal.numbers["reached"], minimal.numbers["rounded"], minimal.numbers["plainly"]) == (1, 1, 0)
    assert minimal.rows[0][:4] == ("a/7.png", "dog", "cat", 0.25) and minimal.rows[1][3] is None
    transfer = block(content, "transfer")
    # epoch-1 has the first, the third and the fourth right, the network these and the second.
    assert transfer.rows == (("epoch-1", (2, 3), (1, 3)), ("final", (0, 3), (2, 4)))
    assert transfer.numbers["others_fooled"] == pytest.approx(1 / 3, rel=1e-5)
    assert transfer.numbers["own"] == 0.5
    codes = block(content, "codes").numbers
    assert (codes["broken"], codes["codes"], codes["share"]) == (2, 3, 0.3)
    pixels = block(content, "pixels").numbers
    assert (pixels["accuracy"], pixels["target_last"], pixels["half"]) == (1, 0.5, 8)


def test_images_from_nothing_stand_in_two_figures(tmp_path):
    noise, grey = block(drawn(tmp_path), "ascended").figures
    assert (noise.numbers["reached"], noise.numbers["made"], noise.numbers["median_steps"]) == (2, 2, 6)
    assert (grey.numbers["reached"], grey.numbers["made"]) == (1, 2)


def test_what_is_not_there_is_left_out(tmp_path):
    found = replace(FOUND, evolved={}, minimal=None, transfer=None, codes=None, pixels=None)
    content = drawn(tmp_path, found)
    names = [getattr(one, "id", one.caption) for one in content.blocks]
    assert names == ["curves", "confidence", "smallest", "probes", "ascended", "no-transfer"]


def test_left_out_it_says_why(tmp_path):
    assert drawn(tmp_path, not_run("fooling")).reason == "params.yaml says fooling.run: false"
