"""Names in scripts that DejaVu lacks: by a font that is found, or by code points; never by empty boxes."""

import logging
import warnings

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image, ImageDraw, ImageFont, features

from pipeline.figures.drawing import fonts
from pipeline.figures.drawing.canvas import Canvas, Label, fitted, said_of, text_width
from pipeline.figures.drawing.plotting import plot

CAT, DOG = "\u732b", "\u72ac"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The one folder in which fonts are looked for; nothing is in it."""
    place = tmp_path / "fonts"
    place.mkdir()
    monkeypatch.setattr(fonts, "_folders", lambda: [place])
    monkeypatch.setattr(fonts, "_packages", list)
    _forget()
    yield place
    _forget()


def _forget():
    for known in (fonts._others, fonts._letters, fonts._font_of, fonts._is_plain, fonts._warn):
        known.cache_clear()


def _write_font(path, letters):
    """Write a font in which each letter is a square."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 900), (900, 900), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    names = [".notdef", *(f"u{ord(letter):04X}" for letter in letters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names[1:], strict=True)})
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics({name: (1000, 0) for name in names})
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def _ink(text):
    canvas = Canvas(120, 24)
    canvas.draw(Label(2, 2, text, 14))
    return np.asarray(canvas.image())[..., 3]


def test_what_no_font_has_is_a_code_point_and_said_once(folder, caplog):
    assert fonts.readable(f"cat {CAT}\u200d") == "cat U+732B"
    assert fonts.readable(f"{CAT}{DOG}s") == "U+732B U+72AC s"
    assert fonts.readable("Ελληνικά é–") == "Ελληνικά é–"
    assert len(fonts.readable(CAT * 20)) == 24
    assert [one.levelno for one in caplog.records] == [logging.WARNING]


def test_the_first_font_that_has_a_letter_is_taken(folder):
    for name, letters in (("A-Bold.ttf", CAT + DOG), ("B.ttf", DOG), ("broken.ttf", "")):
        path = folder / name
        _write_font(path, letters) if letters else path.write_bytes(b"no font")
    assert fonts.readable(f"{CAT}{DOG}") == f"{CAT}{DOG}"
    parts = [(path.name, part) for path, part in fonts.runs(f"a {CAT} {DOG}")]
    assert parts == [("DejaVuSans.ttf", "a "), ("A-Bold.ttf", f"{CAT} {DOG}")]
    assert [path.name for path in fonts.fonts_for([DOG, "é"])] == ["B.ttf"]


def test_a_canvas_draws_with_the_fonts_that_are_there(folder):
    code = _ink(CAT)
    _write_font(folder / "Squares.ttf", CAT)
    _forget()
    square = _ink(CAT)
    assert text_width(CAT, 14) == 14
    assert (square > 200).sum() > 100 > (code > 200).sum()
    assert code[:, 20:].any() and not square[:, 20:].any()


@pytest.mark.skipif(not features.check("raqm"), reason="needs Pillow with Raqm")
def test_hebrew_is_written_from_right_to_left(folder):
    word = "\u05d0\u05d1\u05dc"
    font = ImageFont.truetype(fonts.dejavu(), 14, layout_engine=ImageFont.Layout.BASIC)
    image = Image.new("L", (120, 24))
    ImageDraw.Draw(image).text((2, 2), word[::-1], 255, font)
    assert (np.abs(_ink(word) - np.asarray(image).astype(int)) > 40).mean() < 0.005
    assert (np.abs(_ink(word[::-1]) - np.asarray(image).astype(int)) > 40).mean() > 0.01


def test_a_plot_has_no_empty_boxes(folder, tmp_path):
    names = [f"{CAT}{DOG}", "\u05d0\u05d1", "cat"]
    _write_font(folder / "Squares.ttf", CAT)
    written = []

    def paint(figure, theme):
        axes = figure.add_subplot()
        axes.barh(names, [1, 2, 3], label=CAT)
        axes.set_title(DOG)
        axes.legend()
        written.append(axes)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot(tmp_path, "bars", (3, 2), paint)
    axes = written[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == [f"{CAT} U+72AC", "\u05d0\u05d1", "cat"]
    assert axes.get_title() == "U+72AC"
    assert axes.get_legend().get_texts()[0].get_text() == CAT


def test_a_sans_of_common_weight_comes_before_other_kinds(folder):
    for name in ("NotoLoopedX-Regular", "NotoSansX-Bold", "NotoSansX-Regular", "OtherSans-Regular"):
        _write_font(folder / f"{name}.ttf", CAT)
    assert [path.stem for path in fonts._others()] == [
        "NotoSansX-Regular", "NotoLoopedX-Regular", "OtherSans-Regular", "NotoSansX-Bold",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "most", "taken"),
    [
        ("cats", 2, 2),
        ("นี้ำ", 1, 0),  # its marks follow
        ("aนี้b", 3, 1),
        ("क्षत्रिय", 2, 0),  # after a virama the conjunct goes on
        ("a\U0001f469\u200d\U0001f467b", 2, 1),
        ("a\U0001f469\u200d\U0001f467b", 3, 1),
        ("a\U0001f469\u200d\U0001f467b", 4, 4),
    ],
)
def test_no_letter_is_parted_from_its_marks(text, most, taken):
    assert fonts.whole(text, most) == taken


@pytest.mark.parametrize("name", ["cats and dogs", "w" * 200, CAT * 9, "\u05d0\u05d1" * 30, "นี้" * 40])
@pytest.mark.parametrize("width", [40, 58, 120])
def test_a_name_is_cut_to_its_room(folder, name, width):
    cut = fitted(name, 11, width)
    assert text_width(cut, 11) <= width < text_width(name, 11) or cut == fonts.readable(name)
    assert cut == fonts.readable(name) or cut.endswith("…")
    # One letter more, with its marks, would not have gone in.
    longer = next(n for n in range(len(cut), 300) if fonts.whole(fonts.readable(name), n) == n)
    assert cut == fonts.readable(name) or text_width(f"{fonts.readable(name)[:longer]}…", 11) > width


def test_a_mark_stands_before_a_name_that_is_written_to_the_left(folder):
    text = said_of("✓ ", "\u05d0\u05d1\u05d2\u05d3\u05d4\u05d5\u05d6\u05d7\u05d8", 11, 58)
    assert text.startswith("✓ \u2066\u2068\u05d0") and text.endswith("…\u2069\u2069")
    assert text_width(text, 11) <= 58
    # Enclosed it has the same font, and nothing is drawn of what encloses it.
    assert [part for _, part in fonts.runs(text)] == [text]


@pytest.mark.skipif(not features.check("raqm"), reason="needs Pillow with Raqm")
def test_a_mark_is_drawn_to_the_left_of_such_a_name(folder):
    mark, both = _ink("✓"), _ink(said_of("✓ ", "\u05d0\u05d1\u05dc", 14, 100))
    first = np.flatnonzero(mark.any(0))[-1] + 1
    assert (np.abs(both[:, :first].astype(int) - mark[:, :first]) > 40).mean() < 0.01
