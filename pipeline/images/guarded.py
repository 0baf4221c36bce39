"""Decoding in a process of its own, for files that may hang or kill a decoder."""

import json
import signal
import subprocess
import sys
from importlib import import_module

import numpy as np

from pipeline.images.decoding import RGB
from pipeline.images.image_file import ImageError

SECONDS = 30.0


def decode_guarded(
    data: bytes, seconds: float = SECONDS, decoder: str = "pipeline.images.decoding:decode"
) -> RGB:
    """Decode in a process of its own, which may hang or die without harm; costs a quarter of a second.

    Parameters
    ----------
    data
        The file's bytes.
    seconds
        How long the process may take.
    decoder
        "module:function" that is called there with the bytes.

    Returns
    -------
    (H, W, 3) uint8

    Raises
    ------
    ImageError
        As `decode`, and "timeout" or "crashed".
    """
    program = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        f"from pipeline.images.guarded import _serve; _serve({decoder!r})"
    )
    try:
        child = subprocess.run(
            [sys.executable, "-c", program], input=data, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise ImageError("timeout", f"not decoded within {seconds:g} s") from None
    if child.returncode:
        raise ImageError("crashed", f"the decoder's process died ({_ending(child.returncode)})")
    line, _, pixels = child.stdout.partition(b"\n")
    answer = json.loads(line)
    if "reason" in answer:
        raise ImageError(answer["reason"], answer["message"])
    return np.frombuffer(pixels, np.uint8).reshape(answer["shape"])


def _serve(decoder: str) -> None:
    """Answer `decode_guarded` from the child's side: one line of JSON, then the pixels."""
    module, _, function = decoder.partition(":")
    try:
        pixels = getattr(import_module(module), function)(sys.stdin.buffer.read())
        answer, body = {"shape": pixels.shape}, np.ascontiguousarray(pixels).tobytes()
    except ImageError as error:
        answer, body = {"reason": error.reason, "message": error.message}, b""
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + body)


def _ending(code: int) -> str:
    return signal.Signals(-code).name if -code in list(signal.Signals) else f"exit code {code}"
