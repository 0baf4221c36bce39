"""Files whose end mark was put back after a cut, beside whole ones of every kind."""

import io

import numpy as np
import pytest
from PIL import Image

from pipeline.images.decoding import CUT, check, decode
from pipeline.images.jpeg import END, SCAN

PIXELS = np.random.default_rng(0).integers(0, 256, (96, 160, 3), dtype=np.uint8)
KINDS = {
    "plain": {},
    "coarse": {"quality": 20},
    "fine, colours in full": {"quality": 100, "subsampling": 0},
    "codes of its own": {"optimize": True},
    "marks of restarts": {"restart_marker_blocks": 4},
    "several passes": {"progressive": True},
    "marks within a comment": {"comment": 20 * (SCAN + END)},
}


def encode(kind, mode="RGB"):
    stream = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(stream, "jpeg", **KINDS[kind])
    return stream.getvalue()


def cut(data, share):
    """Leave a share of the coded pixels and put the end mark behind them."""
    start = data.find(SCAN, data.find(b"\xff\xc4"))
    return data[: start + int(share * (len(data) - start))] + END


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_have_no_note(kind, mode):
    assert check(encode(kind, mode)).note == ""


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(
    # Of several passes Pillow refuses what ends within the first, and within the last none is lacking.
    ("kind", "share"),
    [(kind, share) for kind in KINDS for share in ((0.5,) if kind == "several passes" else (0.1, 0.5, 0.9))],
)
def test_a_file_cut_in_half_whose_end_mark_was_put_back_is_read_and_noted(kind, share, mode):
    data = cut(encode(kind, mode), share)
    assert decode(data).shape == PIXELS.shape
    assert check(data).note == CUT


def test_what_follows_the_end_is_passed_over():
    assert check(encode("plain") + b"a trailer" + END).note == ""
    assert check(encode("plain") + encode("plain")).note == ""


def test_a_thumbnail_within_the_metadata_is_no_frame():
    small = cut(encode("plain"), 0.2)
    exif = b"\xff\xe1" + (len(small) + 2).to_bytes(2, "big") + small
    data = encode("several passes")
    assert check(data[:2] + exif + data[2:]).note == ""


def test_odd_metadata_is_noted_too():
    exif = b"Exif\0\0garbage"
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    data = cut(encode("plain"), 0.5)
    assert check(data[:2] + segment + data[2:]).note.endswith(f"; {CUT}")
