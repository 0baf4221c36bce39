"""Every fault of an image file, made here, and what it must come to."""

import io
import pickle
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin

from pipeline.images.decoding import ImageError, check, decode, header
from pipeline.images.image_file import REASONS

NOISE = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
SMOOTH = np.stack(np.broadcast_arrays(*np.ogrid[:160:24j, :240:40j], 90), axis=-1).astype(np.uint8)


def encode(pixels, format, **options):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def png(width, height, data, *extra, color=2):
    """A PNG written by hand, chunk by chunk."""
    head = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    chunks = [(b"IHDR", head), *extra, (b"IDAT", data), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks
    ]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def refused(data):
    """The reason; `decode` and `check` must agree on it."""
    with pytest.raises(ImageError) as by_decode:
        decode(data)
    with pytest.raises(ImageError) as by_check:
        check(data)
    assert by_decode.value.reason == by_check.value.reason
    assert by_decode.value.reason in REASONS
    assert " at 0x" not in by_decode.value.message
    return by_decode.value.reason


@pytest.mark.parametrize("format", ["png", "bmp", "tiff", "gif", "webp", "jpeg"])
def test_formats_are_told_by_magic_bytes(format):
    data = encode(SMOOTH, format)
    assert header(data).format == format
    assert (header(data).width, header(data).height, header(data).orientation) == (40, 24, 1)
    assert decode(data).shape == (24, 40, 3)
    assert decode(data).dtype == np.uint8
    assert np.abs(decode(data).astype(int) - SMOOTH).mean() < 6
    check(data)


@pytest.mark.parametrize("format", ["png", "bmp", "tiff"])
def test_lossless_formats_give_the_pixels_back(format):
    assert np.array_equal(decode(encode(NOISE, format)), NOISE)


def test_zero_bytes():
    assert refused(b"") == "empty"


@pytest.mark.parametrize("data", [b"<!DOCTYPE html><html>", b"not an image", b"\0" * 64])
def test_text_named_jpg(data):
    assert refused(data) == "not an image"


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "gif", "bmp", "tiff"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_truncated(format, share):
    data = encode(NOISE, format)
    assert refused(data[: int(len(data) * share)]) == "damaged"


@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_truncation_is_seen_in_the_header(format):
    with pytest.raises(ImageError, match="truncated"):
        header(encode(NOISE, format)[:-20])


def test_truncated_is_refused_where_another_library_allowed_it(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = encode(NOISE, "webp") + b""
    assert refused(data[: len(data) // 2]) == "damaged"
    assert refused(encode(NOISE, "bmp")[:-200]) == "damaged"


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_other_colour_spaces_of_jpeg(mode):
    image = Image.fromarray(SMOOTH).convert(mode)
    data = encode(image, "jpeg", quality=95)
    assert Image.open(io.BytesIO(data)).mode in ("CMYK", "RGB")
    assert np.abs(decode(data).astype(int) - SMOOTH).mean() < 4
    check(data)


def test_inverted_cmyk_of_adobe():
    """YCCK with Adobe's marker keeps the inks inverted; Pillow undoes it."""
    data = encode(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "jpeg")
    assert decode(data).min() > 250


def test_grey_one_bit_and_grey_with_alpha():
    grey = NOISE[:, :, 0]
    assert np.array_equal(decode(encode(grey, "png")), np.repeat(grey[:, :, np.newaxis], 3, 2))
    bits = Image.fromarray(grey).convert("1")
    assert np.array_equal(decode(encode(bits, "png"))[:, :, 1], np.asarray(bits) * np.uint8(255))
    assert set(np.unique(decode(encode(bits, "tiff")))) == {0, 255}
    alpha = Image.merge("LA", [Image.fromarray(grey), Image.new("L", (40, 24), 255)])
    assert np.array_equal(decode(encode(alpha, "png"))[:, :, 2], grey)


@pytest.mark.parametrize("format", ["png", "tiff"])
def test_sixteen_bit_grey_is_scaled_not_clipped(format):
    values = np.array([[0, 128, 129, 257], [1000, 32896, 65406, 65535]], np.uint16)
    expected = np.round(values * 255.0 / 65535).astype(np.uint8)
    decoded = decode(encode(values, format))
    assert np.array_equal(decoded, np.repeat(expected[:, :, np.newaxis], 3, 2))


def test_sixteen_bit_rgb_keeps_its_high_bytes():
    head = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + struct.pack(">HHH", 0x12FF, 0x8000, 0xFFFF))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c))
        for k, c in ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    )
    assert decode(data).tolist() == [[[0x12, 0x80, 0xFF]]]


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_values_without_a_white_are_refused(dtype):
    assert refused(encode(np.full((3, 3), 70000, dtype), "tiff")) == "pixel format"


def test_sixteen_bit_grey_with_white_as_zero_is_refused():
    assert refused(encode(np.zeros((3, 3), np.uint16), "tiff", tiffinfo={262: 0})) == "pixel format"


def test_transparency_lies_on_white():
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = (10, 20, 30, 255)
    rgba[1, 1] = (0, 0, 0, 128)
    for format in ("png", "webp", "tiff"):
        options = {"lossless": True, "exact": True} if format == "webp" else {}
        decoded = decode(encode(rgba, format, **options))
        assert decoded[0, 0].tolist() == [10, 20, 30]
        assert decoded[0, 1].tolist() == [255, 255, 255]
        assert decoded[1, 1].tolist() == [127, 127, 127]


@pytest.mark.parametrize("format", ["png", "gif"])
def test_palette_with_transparency_lies_on_white(format):
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((0, 0), 0)
    decoded = decode(encode(image, format, transparency=0))
    assert decoded[0, 0].tolist() == [255, 255, 255]
    assert decoded[2, 2].tolist() == [0, 0, 255]


def test_one_transparent_colour_of_rgb_and_grey():
    red = np.full((2, 2, 3), (255, 0, 0), np.uint8)
    assert decode(encode(red, "png", transparency=(255, 0, 0))).min() == 255
    assert decode(encode(red[:, :, 1], "png", transparency=0)).min() == 255


# The pixels as they are stored for an upright image, by EXIF 2.32, tag 274.
STORED = {
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}  # fmt: skip


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["png", "tiff", "jpeg", "webp"])
def test_orientation_is_applied(format, orientation):
    options = {"lossless": True} if format == "webp" else {"quality": 98} if format == "jpeg" else {}
    stored = np.ascontiguousarray(STORED[orientation](SMOOTH))
    data = encode(stored, format, exif=exif(orientation), **options)
    assert np.abs(decode(data).astype(int) - SMOOTH).max() <= (8 if format == "jpeg" else 0)
    assert (header(data).width, header(data).height, header(data).orientation) == (40, 24, orientation)


def test_orientation_after_the_pixels_of_a_png():
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in NOISE))
    data = png(40, 24, body)
    late = exif(6).tobytes()[6:]
    chunk = struct.pack(">I", len(late)) + b"eXIf" + late + struct.pack(">I", zlib.crc32(b"eXIf" + late))
    data = data[:-12] + chunk + data[-12:]
    assert np.array_equal(decode(data), np.rot90(NOISE, -1))
    assert (header(data).width, header(data).height) == (24, 40)


@pytest.mark.parametrize(
    "content", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0"]
)
def test_corrupt_exif_is_passed_over_with_a_note(content):
    data = encode(SMOOTH, "jpeg", exif=content)
    assert header(data).orientation == 1
    assert header(data).note
    assert decode(data).shape == SMOOTH.shape


@pytest.mark.parametrize("orientation", [0, 9, 1000])
def test_impossible_orientation_is_upright(orientation):
    assert header(encode(SMOOTH, "jpeg", exif=exif(orientation))).orientation == 1


@pytest.mark.parametrize("side", [10_000, 14_000, 60_000])
def test_decompression_bomb(side):
    data = png(side, side, zlib.compress(b"\0"))
    assert refused(data) == "too large"
    with pytest.raises(ImageError, match="too large"):
        header(data)


def test_text_bomb():
    bomb = b"Comment\0\0" + zlib.compress(b"a" * (PngImagePlugin.MAX_TEXT_CHUNK + 1))
    body = zlib.compress(b"\0\0\0\0")
    assert refused(png(1, 1, body, (b"zTXt", bomb))) == "too large"


@pytest.mark.parametrize("kind", ["iCCP", "zTXt", "tEXt", "iTXt"])
def test_a_sound_png_with_megabytes_of_profile_or_text_is_read(kind):
    text = bytes(range(32, 127)) * 40_000
    packed = zlib.compress(text, 1)
    content = {
        "iCCP": b"profile\0\0" + packed, "zTXt": b"Comment\0\0" + packed, "tEXt": b"Comment\0" + text,
        "iTXt": b"XML:com.adobe.xmp\0\1\0\0\0" + packed,
    }[kind]  # fmt: skip
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in NOISE))
    data = png(40, 24, body, (kind.encode(), content))
    assert np.array_equal(decode(data), NOISE)
    assert check(data).width == 40


PPM = {
    "P6": (b"P6\n# by hand\n2 1\n255\n\0\x80\xff\1\2\3", [[0, 128, 255], [1, 2, 3]]),
    "P5": (b"P5 2 1 255\n\0\x80", [[0] * 3, [128] * 3]),
    "P5, 15 is white": (b"P5 2 1 15\n\0\x0f", [[0] * 3, [255] * 3]),
    "P5, 16 bits": (b"P5 2 1 65535\n\xff\xff\x80\0", [[255] * 3, [128] * 3]),
    "P5, 10 bits": (b"P5 2 1 1023\n\3\xff\0\0", [[255] * 3, [0] * 3]),
    "P4": (b"P4 2 1\n\x80", [[0] * 3, [255] * 3]),
    "P3": (b"P3\n2 1 255 0 128 255 1 2 3\n", [[0, 128, 255], [1, 2, 3]]),
    "P2": (b"P2\n2 1\n15\n0 15\n", [[0] * 3, [255] * 3]),
    "P1": (b"P1 2 1\n1 0", [[0] * 3, [255] * 3]),
}


@pytest.mark.parametrize("kind", PPM)
def test_ppm_pgm_and_pbm_are_read(kind):
    data, pixels = PPM[kind]
    assert decode(data).tolist() == [pixels]
    assert (header(data).format, check(data).width, check(data).height) == ("ppm", 2, 1)


@pytest.mark.parametrize(
    "data", [b"P6 2 1 255\n\0\1\2", b"P5 2 2 1023 \3", b"P3 2 1 255 1 2 3", b"P2 1 1 255 x", b"P6 a b"]
)
def test_damaged_ppm(data):
    assert refused(data) == "damaged"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
@pytest.mark.parametrize("compression", [None, "tga_rle"])
def test_tga_is_named_with_the_formats_that_are_read(mode, compression):
    data = encode(Image.fromarray(NOISE).convert(mode), "tga", compression=compression)
    with pytest.raises(ImageError, match="TGA is not read; allowed: jpeg, png, webp, gif, bmp, tiff, ppm"):
        decode(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS.*git lfs pull"),
        (b"/annex/objects/MD5E-s1--0.png\n", "git-annex pointer"),
        (b"\n<!DOCTYPE html><html>", "a web page.*download"),
        (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "XML document"),
        (b"something", "begins with b'something'; allowed: jpeg"),
    ],
)
def test_what_stands_in_the_place_of_an_image_is_named(data, words):
    with pytest.raises(ImageError, match=f"not an image: .*{words}"):
        decode(data)


def test_svg_after_its_xml_line():
    assert refused(b'<?xml version="1.0"?>\n<svg xmlns="x"/>') == "format not allowed"


def test_animated_png_with_a_broken_sequence():
    frames = [Image.fromarray(np.roll(NOISE, shift, 1)) for shift in (0, 5, 9)]
    data = encode(frames[0], "png", save_all=True, append_images=frames[1:])
    assert np.array_equal(decode(data), NOISE)
    place = data.index(b"fcTL", data.index(b"fcTL") + 1)
    chunk = b"fcTL" + struct.pack(">I", 7) + data[place + 8 : place + 30]
    broken = data[:place] + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[place + 34 :]
    # A later frame; the first one is whole and is what is read.
    assert np.array_equal(decode(broken), NOISE)
    place = data.index(b"fcTL")
    chunk = b"fcTL" + struct.pack(">I", 7) + data[place + 8 : place + 30]
    broken = data[:place] + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[place + 34 :]
    assert refused(broken) == "damaged"


@pytest.mark.parametrize("format", ["gif", "webp"])
def test_first_frame_of_an_animation(format):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    data = encode(frames[0], format, save_all=True, append_images=frames[1:])
    assert decode(data)[4, 4].tolist()[0] > 240


def test_mpo_is_read_as_jpeg():
    data = encode(SMOOTH, "mpo", save_all=True, append_images=[Image.fromarray(NOISE)])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    assert header(data).format == "jpeg"
    assert np.abs(decode(data).astype(int) - SMOOTH).mean() < 6


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1)])
def test_extreme_shapes(shape):
    pixels = np.full((*shape, 3), 7, np.uint8)
    assert np.array_equal(decode(encode(pixels, "png")), pixels)


def test_zero_width():
    assert refused(png(0, 5, zlib.compress(b"\0" * 5))) in ("damaged", "too small")
    gif = bytearray(encode(SMOOTH[:, :, 0], "gif"))
    gif[6:10] = bytes(4)
    with pytest.raises(ImageError):
        bmp = bytearray(encode(NOISE, "bmp"))
        bmp[18:22] = bytes(4)
        decode(bytes(bmp))


FOREIGN = {
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n", "PSD": b"8BPS\0\1" + bytes(20),
    "FITS": b"SIMPLE  =                    T",
    "PDF": b"%PDF-1.7\n", "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "AVIF": b"\0\0\0\x1cftypavif\0\0\0\0",
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_formats_that_are_not_allowed_are_named(name):
    assert refused(FOREIGN[name]) == "format not allowed"
    with pytest.raises(ImageError, match=name):
        header(FOREIGN[name])


def test_a_real_avif_is_refused_though_pillow_could_read_it():
    with pytest.raises(ImageError, match="AVIF"):
        decode(encode(SMOOTH, "avif"))


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"IEND"])
def test_wrong_checksum(kind):
    data = bytearray(encode(NOISE, "png"))
    place = data.index(kind)
    end = place + 4 + int.from_bytes(data[place - 4 : place], "big")
    data[end] ^= 1
    assert refused(bytes(data)) == "damaged"
    with pytest.raises(ImageError, match=f"checksum.*{kind.decode()}"):
        header(bytes(data))


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_is_an_error_or_an_image(seed):
    """Nothing but ImageError leaves the module, whatever the bytes."""
    rng = np.random.default_rng(seed)
    format = ["jpeg", "png", "webp", "gif", "bmp", "tiff"][seed % 6]
    data = bytearray(encode(NOISE, format, exif=exif(6)) if format != "bmp" else encode(NOISE, format))
    for place in rng.integers(0, len(data), 1 + seed % 9):
        data[place] = rng.integers(256)
    try:
        header(bytes(data))
        assert decode(bytes(data)).ndim == 3
    except ImageError as error:
        assert error.reason in REASONS


def test_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(ImageError("damaged", "here")))
    assert (error.reason, error.message, str(error)) == ("damaged", "here", "damaged: here")
