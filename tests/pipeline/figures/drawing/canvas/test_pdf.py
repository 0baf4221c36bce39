"""PDF of a drawing: the same elements as the SVG's, on white, read here without a library for it."""

import base64
import re
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.figures.drawing import fonts
from pipeline.figures.drawing.canvas import (
    WHITE,
    Canvas,
    Edge,
    Label,
    Pixels,
    Rectangle,
    Segments,
    elements,
    pdf,
)
from pipeline.figures.drawing.canvas.coding import code
from pipeline.figures.drawing.canvas.lettering import letter

ROOT = Path(__file__).parents[5]
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
SMALL = NOISE[:8, :12]  # of which JPEG's head alone is larger than PNG


@dataclass
class Object:
    """A dictionary of the file, as it is written, and its bytes, where it has some."""

    head: str
    content: bytes = b""

    @property
    def inflated(self):
        return zlib.decompress(self.content)


def read(drawing, folder):
    """Write a drawing as PDF; return its objects by number."""
    drawing.save_pdf(folder / "a.pdf")
    file, found = (folder / "a.pdf").read_bytes(), {}
    for begin in re.finditer(rb"(?m)^(\d+) 0 obj\n(.*?)(stream\r?\n|endobj)", file, re.DOTALL):
        one = found[int(begin[1])] = Object(begin[2].decode("ascii"))
        if begin[3] != b"endobj":
            one.content = file[begin.end() :][: int(re.search(r"/Length (\d+)", one.head)[1])]
    return found


def the(objects, pattern):
    """Return the objects whose dictionaries say so, in the order of the file."""
    return [one for one in objects.values() if re.search(pattern, one.head)]


def page(objects):
    """Return what is drawn, as PDF writes it, without the line that the library begins each page with."""
    (number,) = re.findall(r"/Contents (\d+) 0 R", the(objects, "/MediaBox")[0].head)
    return objects[int(number)].inflated.decode("latin-1").partition("\n")[2]


def texts(objects):
    """Return each text by what the file says of its letters' codes, with the mode that it is written in."""
    found, letters, mode = [], {}, "0"
    for font, drawn, written in re.findall(r"/(\S+) \S+ Tf|(\d) Tr|\((.*?)(?<!\\)\) Tj", page(objects)):
        if font:
            (font_object,) = the(objects, rf"/Name /{re.escape(font)} ")
            (number,) = re.findall(r"/ToUnicode (\d+) 0 R", font_object.head)
            pairs = re.findall(rb"<(..)> <(....)>\n", objects[int(number)].inflated)
            letters = {int(code, 16): chr(int(letter, 16)) for code, letter in pairs}
        elif drawn:
            mode = drawn
        else:
            codes = re.sub(r"\\(\d{3}|.)", lambda m: chr(int(m[1], 8)) if m[1].isdigit() else m[1], written)
            found.append(("".join(letters[ord(code)] for code in codes), mode))
    return found


def test_a_page_has_three_points_for_four_pixels_and_a_white_ground(tmp_path):
    objects = read(Canvas(60, 40), tmp_path)
    assert "/MediaBox [ 0 0 45 30 ]" in the(objects, "/MediaBox")[0].head
    assert page(objects).startswith(".75 0 0 .75 0 30 cm\n1 1 1 rg\nn 0 -40 60 40 re f*\n")


def test_text_is_text_in_letters_that_lie_in_the_file(tmp_path):
    canvas = Canvas(200, 60)
    canvas.draw(Label(2, 5, "a < b & (c) \\ d", 9), Label(90, 30, "größer × ε", 12, bold=True, anchor="mm"))
    objects = read(canvas, tmp_path)
    assert [text for text, _ in texts(objects)] == ["a < b & (c) \\ d", "größer × ε"]
    for pattern in ("/BaseFont", "/FontFile2"):
        written = "".join(one.head for one in the(objects, pattern))
        assert sorted(re.findall(r"/\w{6}\+(\S+)", written)) == ["DejaVuSans", "DejaVuSans-Bold"]
    # A picture without text needs none.
    assert not the(read(Canvas(60, 40), tmp_path), "/BaseFont")


def test_text_stands_where_its_anchor_says(tmp_path):
    canvas = Canvas(200, 60)
    canvas.draw(*(Label(100, 20, "mmmm", 10, anchor=anchor) for anchor in ("lm", "mm", "rm")))
    left, middle, right = re.findall(r"1 0 0 1 (\S+) (\S+) Tm", page(read(canvas, tmp_path)))
    assert left == ("100", "-23.6")
    width = 100 - float(right[0])
    assert 38 < width < 40 and float(middle[0]) == pytest.approx(100 - width / 2, abs=0.001)


def test_a_halo_is_drawn_behind_the_letters(tmp_path):
    canvas = Canvas(60, 40)
    canvas.draw(Label(2, 5, "0.5", 12, colour=WHITE, halo=True))
    objects = read(canvas, tmp_path)
    assert texts(objects) == [("0.5", "1"), ("0.5", "0")]
    # Black, and half of it behind the letters.
    assert "0 0 0 RG\n3 w\n1 j\nBT" in page(objects) and "1 1 1 rg\nBT" in page(objects)


def test_letters_that_are_none_become_blanks(tmp_path):
    canvas = Canvas(200, 60)
    canvas.draw(Label(2, 5, "two\nlines\x01", 9))
    assert texts(read(canvas, tmp_path)) == [("two lines ", "0")]


def test_a_picture_has_the_bytes_that_it_has_in_svg(tmp_path):
    canvas = Canvas(80, 80)
    canvas.draw(Pixels(3, 5, NOISE))
    canvas.save_svg(tmp_path / "a.svg")
    (coded,) = re.findall(r"data:image/jpeg;base64,([^\"]*)", (tmp_path / "a.svg").read_text())
    objects = read(canvas, tmp_path)
    (picture,) = the(objects, "/Subtype /Image")
    assert picture.content == base64.b64decode(coded)
    assert "/Filter [ /DCTDecode ]" in picture.head and "/Height 64" in picture.head
    assert "q\n64 0 0 64 3 -69 cm\n/FormXob" in page(objects)


def test_a_picture_that_is_coded_without_loss_keeps_its_pixels(tmp_path):
    canvas = Canvas(60, 40)
    canvas.draw(Pixels(3, 5, SMALL))
    (picture,) = the(read(canvas, tmp_path), "/Subtype /Image")
    assert picture.inflated == SMALL.tobytes()


def test_a_picture_is_coded_once_for_both(tmp_path, monkeypatch):
    codings = []
    for module in (elements, pdf):
        monkeypatch.setattr(module, "code", lambda pixels: codings.append(1) or code(pixels))
    canvas = Canvas(80, 80)
    canvas.draw(Pixels(3, 5, NOISE))
    found = canvas.save(tmp_path, "a")
    assert (found["image"], found["vector"], found["pdf"]) == ("a.webp", "a.svg", "a.pdf")
    assert all((tmp_path / f"a.{form}").stat().st_size for form in ("webp", "svg", "pdf"))
    assert codings == [1]


def test_what_is_transparent_lies_on_white(tmp_path):
    tile = np.zeros((8, 8, 4), np.uint8)
    tile[:4] = 200, 100, 50, 255
    tile[4] = 200, 100, 50, 51
    canvas = Canvas(8, 8)
    canvas.draw(Pixels(0, 0, tile))
    (picture,) = the(read(canvas, tmp_path), "/Subtype /Image")
    drawn = np.frombuffer(picture.inflated, np.uint8).reshape(8, 8, 3)
    assert drawn[[0, 4, 7], 0].tolist() == [[200, 100, 50], [244, 224, 214], [255, 255, 255]]


def test_frames_are_lines(tmp_path):
    canvas = Canvas(60, 40)
    canvas.draw(Edge(3, 5, 12, 8), Rectangle(20, 10, 40, 30))
    drawn = page(read(canvas, tmp_path))
    frames = re.findall(r"(\S+) \S+ \S+ RG\n(\S+) w\nn (.*) re S", drawn)
    white, dark = ("1", "2", "22 -28 16 16"), ("0", "4", "22 -28 16 16")
    assert frames == [(".462745", "1", "2.5 -13.5 13 9"), dark, white]


def test_segments_are_lines_between_dots(tmp_path):
    canvas = Canvas(60, 40)
    canvas.draw(Segments((), WHITE), Segments(((10, 20, 50, 30),), (255, 0, 0), dashed=True))
    drawn = page(read(canvas, tmp_path))
    assert re.findall(r"(.*) RG\n", drawn) == ["0 0 0", "1 0 0"]
    lines = re.findall(r"(.*) w\n\[(.*)\] 0 d\n(\d) J\nn\n([^S]*)\nS", drawn)
    line, dots = "10 -20 m 50 -30 l", "10 -20 m 10 -20 l\n50 -30 m 50 -30 l"
    # Dots are lines of no length with round ends.
    assert lines == [
        ("3", "5 5", "0", line), ("7.2", "", "1", dots), ("1.8", "5 5", "0", line), ("6", "", "1", dots),
    ]  # fmt: skip


def test_names_of_other_scripts_are_drawn_as_pillow_draws_them(tmp_path):
    name = "\u05e9\u05dc\u05d5\u05dd"
    canvas = Canvas(100, 40)
    canvas.draw(Label(90, 10, name, 12, anchor="ra"))
    objects = read(canvas, tmp_path)
    assert not texts(objects)
    (opacity,) = the(objects, "/ColorSpace /DeviceGray")
    width, height = (int(re.search(rf"/{side} (\d+)", opacity.head)[1]) for side in ("Width", "Height"))
    drawn = np.frombuffer(opacity.inflated, np.uint8).reshape(height, width)
    large = Image.new("RGBA", (400, 160))
    letter(ImageDraw.Draw(large), Label(360, 40, name, 48, anchor="ra"))
    left, top, right, bottom = large.getbbox()
    assert (drawn.shape, drawn.max()) == ((bottom - top, right - left), 255)
    # They may begin between two pixels here, and at one there.
    difference = drawn - np.asarray(large.crop(large.getbbox()))[..., 3].astype(float)
    assert np.abs(difference).mean() < 8
    places = re.findall(r"q\n(\S+) 0 0 (\S+) (\S+) -(\S+) cm\n/FormXob", page(objects))
    assert [float(one) for one in places[0]] == pytest.approx(
        [(right - left) / 4, (bottom - top) / 4, left / 4, bottom / 4], abs=0.3
    )


def test_letters_that_no_font_has_are_written_as_their_code_points(tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "readable", lambda text: text.replace("\u732b", "U+732B"))
    canvas = Canvas(100, 40)
    canvas.draw(Label(2, 5, "\u732b", 12))
    assert texts(read(canvas, tmp_path)) == [("U+732B", "0")]


DRAWING = """
import sys
from pathlib import Path
import numpy as np
from pipeline.figures.drawing.canvas import Canvas, Label, Pixels, Segments
canvas = Canvas(90, 90)
noise = np.random.default_rng(0).integers(0, 256, (8, 12, 3)).astype(np.uint8)
canvas.draw(*(Pixels(0, y, noise[:y]) for y in range(1, 8)), Segments(((1, 2, 30, 40),), (9, 9, 9)))
canvas.draw(*(Label(1, 1, text, 9, bold=text == "b") for text in ("a", "b", "\\u05e9")))
canvas.save_pdf(Path(sys.argv[1]) / "a.pdf")
"""


def test_equal_drawings_give_equal_bytes_in_any_process(tmp_path):
    contents = []
    for seed, settings in (("1", "useA85 = 1; pageCompression = 0"), ("2", "")):
        folder = tmp_path / seed
        folder.mkdir()
        # Settings of a user's own.
        (folder / ".reportlab_settings").write_text(settings)
        own = {"PYTHONHASHSEED": seed, "HOME": str(folder), "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", DRAWING, str(folder)], check=True, env=own, cwd=ROOT)
        contents.append((folder / "a.pdf").read_bytes())
    assert contents[0] == contents[1]
    assert b"Date" not in contents[0]
