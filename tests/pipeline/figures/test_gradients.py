import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.overlays.methods import TITLES
from pipeline.figures.gradients import add_gradients
from pipeline.formats.gradients import open_gradients
from pipeline.formats.status import not_run
from pipeline.report.captions import read_caption
from pipeline.report.wording import prose
from tests.small.gradients import ABOUT, VALUES, write
from tests.small.probes import PICTURED

NAMES = ["cat", "dog", "owl"]


def drawn(folder, shown=2):
    section = SectionDraft("gradients", folder)
    with open_gradients(write(folder / "gradients.h5")) as found:
        add_gradients(section, found, PICTURED, NAMES, shown=shown)
    return section.content()


def test_first_probes_have_a_row_and_all_a_page(tmp_path):
    content = drawn(tmp_path)
    rows, methods, refused = content.blocks
    assert (rows.id, rows.numbers["columns"]) == ("gradients", 2)
    assert rows.numbers["names"] == "dog (a/7.png); cat (b/2.png)"
    assert [row[0] for row in methods.rows] == [
        "Saliency", "Deconvnet", "Integrated gradients", "Grad-CAM"
    ]  # fmt: skip
    assert refused.rows == (("Guided backprop", "1: silu is no rectifier"),)
    assert [part.path for part in content.images] == ["a/7.png", "b/2.png", "c/5.png"]
    first, second = content.images[2].blocks[0].figures
    assert first.numbers["titles"] == "Image, Saliency, Deconvnet, Integrated gradients"
    assert (second.numbers["titles"], second.numbers["by_label"]) == ("Grad-CAM", 0)
    assert all((tmp_path / name).is_file() for name in content.files)


def test_numbers_of_the_section(tmp_path):
    numbers = drawn(tmp_path).numbers
    assert (numbers["probes"], numbers["by_label"], numbers["methods"]) == (3, 2, len(ABOUT.methods))
    assert (numbers["error"], numbers["errors"]) == (pytest.approx(0.05), 2)
    assert numbers["plain"] == 0 and "with_smoothgrad" not in numbers


def test_table_and_data_say_where_a_map_is_largest_and_how_like_the_gradient_s(tmp_path):
    content = drawn(tmp_path)
    lines = (tmp_path / "gradients-2.csv").read_text(encoding="utf-8").splitlines()
    header = lines[0].split(",")
    places = [dict(zip(header, line.split(","), strict=True)) for line in lines[1:]]
    for number, line in enumerate(places):
        if line["method"] != "integrated_gradients":
            assert (int(line["y"]), int(line["x"])) == (number, 2 * number)
    assert content.blocks[1].rows[0][2] == pytest.approx(1)
    assert abs(content.blocks[1].rows[1][2]) < 0.5


def test_rules_that_change_nothing_are_said_to_be_the_gradient(tmp_path, monkeypatch):
    monkeypatch.setitem(VALUES, "deconvnet", VALUES["saliency"])
    assert drawn(tmp_path).numbers["plain"] == 1


def test_a_map_of_zeros_is_drawn(tmp_path, monkeypatch):
    before = drawn(tmp_path).numbers
    for method in ABOUT.methods:
        monkeypatch.setitem(VALUES, method, np.zeros_like(VALUES[method]))
    content = drawn(tmp_path)
    assert "zero everywhere" in (tmp_path / "gradients-7-1.svg").read_text(encoding="utf-8")
    assert content.blocks[1].rows[0][1:] == (None, None)
    blank = ", ".join(f"{TITLES[method]} 3" for method in ABOUT.methods)
    assert content.numbers["blank"] == blank and "blank" not in before
    words = " ".join(prose(read_caption("gradients").words, content.numbers).replace("\u00a0", " ").split())
    assert f"and black, grey or the image alone: of 3 probes {blank}." in words


def test_left_out_it_says_why(tmp_path):
    section = SectionDraft("gradients", tmp_path)
    add_gradients(section, not_run("gradients"), PICTURED, NAMES, shown=2)
    assert section.content().reason == "params.yaml says gradients.run: false"
