import logging
import zlib
from pathlib import Path
from re import DOTALL, findall

import numpy as np
from PIL import Image

import pipeline.figures
from pipeline.figures.drawing.plotting import ending, plot, short

FIGURES = Path(pipeline.figures.__file__).parent


def _painted(figure, theme):
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=theme.accent)
    axes.set_title("Five $a$ of ten")


def test_a_plot_has_equal_bytes_in_every_form(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        files = plot(folder, "line", (3, 2), _painted)
    names = {files["image"], files["dark"], files["vector"], files["pdf"]}
    assert names == {path.name for path in first.iterdir()}
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_the_pdf_keeps_text_as_text_on_white_and_names_no_date(tmp_path):
    plot(tmp_path, "line", (3, 2), _painted)
    content = (tmp_path / "line.pdf").read_bytes()
    assert content.startswith(b"%PDF") and b"CreationDate" not in content
    assert b"/CIDFontType2" in content and b"/ToUnicode" in content
    streams = [zlib.decompress(one) for one in findall(rb"stream\n(x\x9c.*?)\nendstream", content, DOTALL)]
    # The ground comes first: white, filled over the whole page.
    assert any(b"1 g" in one and b"0 0 m\n216 0 l\n216 144 l\n0 144 l" in one for one in streams)


def test_a_plot_says_nothing_where_stages_log(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    plot(tmp_path, "line", (3, 2), _painted)
    assert not caplog.records


def test_a_label_longer_than_the_figure_goes_on_in_a_second_line(tmp_path):
    def paint(figure, theme):
        axes = figure.add_subplot()
        axes.set_xlabel("share of the neurons that lie above the level, %")
        axes.set_ylabel("distance of the code, relative to its length")

    files = plot(tmp_path, "long", (2.5, 2.2), paint)
    with Image.open(tmp_path / files["image"]) as picture:
        ink = np.asarray(picture.getchannel("A"))
        assert not any(edge.any() for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))


def test_an_inch_is_96_pixels_of_the_page_and_twice_as_many_of_the_picture(tmp_path):
    files = plot(tmp_path, "one", (2, 1.53), _painted)
    assert (files["width"], files["height"]) == (192, 147)
    with Image.open(tmp_path / files["image"]) as picture:
        assert picture.size == (384, 293)


def test_plots_write_in_one_size_of_type_and_a_lesser_one():
    """What is larger or smaller than the rest stands out where nothing is meant by it."""
    written = {
        (path.name, size)
        for path in FIGURES.rglob("*.py")
        for size in findall(r"(?:fontsize|labelsize)=([\d.]+)", path.read_text(encoding="utf-8"))
    }
    assert {size for _, size in written} <= {"8", "9"}


def test_a_class_keeps_its_beginning_and_a_layer_its_end():
    assert short("Chesapeake Bay retriever", 10) == "Chesapeak…"
    layers = ("features.13.block.0.relu", "features.13.block.1.relu")
    assert [ending(layer, 14) for layer in layers] == ["….block.0.relu", "….block.1.relu"]
    assert ending("layer4.1.relu", 13) == "layer4.1.relu"
