"""The canvas: the same drawing as PNG and as SVG."""

import base64
import io
from re import findall
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from pipeline.figures.drawing.canvas import (
    BLACK,
    INK,
    WHITE,
    Canvas,
    Edge,
    Label,
    Pixels,
    Rectangle,
    Segments,
    cut_bold,
    text_width,
)
from pipeline.report.captions import FOLDER

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 12, 3)).astype(np.uint8)


def drawn():
    canvas = Canvas(60, 40)
    canvas.draw(
        Pixels(3, 5, PIXELS), Edge(3, 5, 12, 8), Rectangle(20, 10, 40, 30), Label(2, 30, "a < b & c", 9)
    )
    return canvas


def test_pictures_lie_where_they_are_put_and_nothing_around_them():
    image = np.asarray(drawn().image())
    np.testing.assert_array_equal(image[5:13, 3:15, :3], PIXELS)
    assert (image[5:13, 3:15, 3] == 255).all()
    assert (image[4, 2:16, 3] == 255).all()
    assert not image[:4, :, 3].any()


def test_a_frame_is_white_between_dark_edges():
    image = np.asarray(drawn().image())
    line = [tuple(pixel) for pixel in image[20, 20:25, :3].tolist()]
    assert line[:4] == [BLACK, WHITE, WHITE, BLACK]
    assert image[20, 24, 3] == 0


def test_a_tiny_frame_can_still_be_seen():
    canvas = Canvas(20, 20)
    canvas.draw(Rectangle(5, 5, 5.2, 5.1))
    assert (np.asarray(canvas.image())[..., 0] == 255).sum() >= 8


def test_svg_holds_the_same_elements(tmp_path):
    drawn().save_svg(tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.get("viewBox") == "0 0 60 40"
    image = root.find("{*}image")
    encoded = image.get("href").removeprefix("data:image/png;base64,")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded)))), PIXELS)
    assert (image.get("x"), image.get("y")) == ("3", "5")
    assert root.find("{*}text").text == "a < b & c"
    assert len(root.findall("{*}rect")) == 3


def test_svg_keeps_what_is_transparent(tmp_path):
    canvas = Canvas(64, 64)
    tile = np.zeros((64, 64, 4), np.uint8)
    tile[:32] = 200, 100, 50, 255
    canvas.draw(Pixels(0, 0, tile), Pixels(0, 0, np.full_like(tile, 255)))
    canvas.save_svg(tmp_path / "a.svg")
    first, second = ElementTree.parse(tmp_path / "a.svg").getroot().findall("{*}image")
    encoded = first.get("href").removeprefix("data:image/png;base64,")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded)))), tile)
    assert second.get("href").startswith("data:image/")


def test_equal_drawings_give_equal_bytes(tmp_path):
    contents = []
    for _ in range(2):
        for name in ("a.webp", "a.svg"):
            getattr(drawn(), f"save_{name[2:]}")(tmp_path / name)
        contents.append([(tmp_path / name).read_bytes() for name in ("a.webp", "a.svg")])
    assert contents[0] == contents[1]


def test_a_layer_s_name_is_cut_at_its_front_to_the_width_that_there_is():
    whole = text_width("features.10.conv", 14, bold=True)
    assert cut_bold("features.10.conv", 14, whole) == "features.10.conv"
    cut = cut_bold("features.10.conv", 14, whole - 20)
    assert cut.startswith("…") and cut.endswith("10.conv")
    assert whole - 40 < text_width(cut, 14, bold=True) <= whole - 20


def test_text_width_grows_with_the_text():
    assert text_width("ab", 12) < text_width("abc", 12) < text_width("abc", 12, bold=True)


def test_segments_are_lines_between_dots(tmp_path):
    canvas = Canvas(60, 40)
    canvas.draw(Segments(((10, 20, 50, 20),), (200, 30, 40)), Segments((), (0, 0, 0)))
    image = np.asarray(canvas.image())
    assert (image[20, 30, :3] == (200, 30, 40)).all() and (image[18, 10, :3] == (200, 30, 40)).all()
    assert not image[16, 30, 3] and not image[20, 3, 3] and not image[20, 57, 3]
    canvas.save_svg(tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert [path.get("d") for path in root.findall("{*}path")][:2] == ["M10 20L50 20", "M10 20h0 M50 20h0"]


def test_dashed_segments_have_gaps():
    whole, dashed = (Canvas(60, 10) for _ in range(2))
    for canvas, broken in ((whole, False), (dashed, True)):
        canvas.draw(Segments(((5, 5, 55, 5),), (255, 255, 255), dashed=broken))
    lines = [(np.asarray(canvas.image())[5, 10:50, 3] > 128).mean() for canvas in (whole, dashed)]
    assert lines[0] == 1 and 0.4 < lines[1] < 0.8


def test_words_in_pictures_are_legible_on_light_and_on_dark_pages():
    style = (FOLDER.parent / "assets/style.css").read_text()
    (grounds,) = findall(r"--picture: light-dark\(#(\w+), #(\w+)\);", style)
    assert "background: var(--picture);" in style.partition(".plate {")[2].partition("}")[0]
    for ground in grounds:
        lighter, darker = sorted((luminance(INK), luminance(bytes.fromhex(ground))), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def luminance(colour):
    """Of three bytes, as WCAG 2 defines it."""
    values = np.array(list(colour)) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)
