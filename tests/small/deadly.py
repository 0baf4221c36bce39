"""A decoder that ends its process at a black image; imported for each image, it imports nothing large."""

import os
import signal

from pipeline.images.decoding import decode


def decode_or_die(data):
    pixels = decode(data)
    if not pixels.any():
        os.kill(os.getpid(), signal.SIGKILL)
    return pixels
