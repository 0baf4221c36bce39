"""The user's file and line, where something of their network's code came up."""

import os
import sysconfig
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import torch

HERE = f"{Path(__file__).parents[1]}{os.sep}"
TORCH = f"{Path(torch.__file__).parent}{os.sep}"
INSTALLED = sysconfig.get_paths()["purelib"]


def place(frame: FrameType | None) -> str:
    """Return file and line of the innermost of the user's own frames; of a library's where there is none."""
    found = []
    while frame is not None:
        found.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return _chosen(found) or "?"


def described(error: Exception) -> str:
    """Return where an exception came up in the user's code, its type and what it says, as one line."""
    frames = traceback.extract_tb(error.__traceback__)[::-1]
    found = _chosen([(frame.filename, frame.lineno or 0) for frame in frames])
    message = " ".join(str(error).split())[:200]
    return f"{found}{': ' if found else ''}{type(error).__name__}: {message}"


def _chosen(places: Sequence[tuple[str, int]]) -> str:
    """Return `file:line` of the first that is the user's own, else of the first library's, else nothing."""
    found = [item for item in places if not item[0].startswith((HERE, TORCH, "<"))]
    own = [item for item in found if not item[0].startswith(INSTALLED)]
    if not found:
        return ""
    file, line = next(iter(own or found))
    relative = os.path.relpath(file)
    return f"{file if relative.startswith('..') else relative}:{line}"
