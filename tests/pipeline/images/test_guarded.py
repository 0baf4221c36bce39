"""A decoder that hangs or dies costs its own process only."""

import io

import numpy as np
import pytest
from PIL import Image

from pipeline.images.guarded import decode_guarded
from pipeline.images.image_file import ImageError

NOISE = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)


def encode(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def test_guarded_decoding_gives_the_same_pixels():
    assert np.array_equal(decode_guarded(encode(NOISE)), NOISE)


def test_guarded_decoding_passes_errors_on():
    with pytest.raises(ImageError) as error:
        decode_guarded(b"")
    assert error.value.reason == "empty"


DECODERS = """
import os, signal, time
def hang(data): time.sleep(1000)
def die(data): os.kill(os.getpid(), signal.SIGSEGV)
def leave(data): os._exit(3)
"""


@pytest.mark.parametrize(
    ("name", "seconds", "reason"),
    [("hang", 1.5, "timeout"), ("die", 100, "crashed"), ("leave", 100, "crashed")],
)
def test_decoder_that_hangs_or_dies(tmp_path, monkeypatch, name, seconds, reason):
    (tmp_path / "bad_decoders.py").write_text(DECODERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ImageError) as error:
        decode_guarded(encode(NOISE), seconds=seconds, decoder=f"bad_decoders:{name}")
    assert error.value.reason == reason
    assert name != "die" or "SIGSEGV" in error.value.message
