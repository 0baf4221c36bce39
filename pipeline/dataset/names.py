r"""Names of files as text: readable, valid UTF-8, and reversible.

A name may hold any byte but NUL and "/". In a manifest it is UTF-8 text in which bytes that are not, control
characters and the backslash itself are written ``\xHH``; every ordinary name stays as it is.
"""

import os
import re

# What systems and tools leave in folders and archives, by name, lower case.
LEFT_BEHIND = frozenset(
    (
        "__macosx", ".ds_store", ".appledouble", ".spotlight-v100", ".trashes", ".fseventsd", "icon\r",
        "icon\\x0d", "lost+found", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin",
        "system volume information", "@eadir", "#recycle", ".ipynb_checkpoints", "__pycache__", ".thumbnails",
    )
)  # fmt: skip
APPLE_DOUBLE = "._"

ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\\udc80-\udcff]")


def escape(name: str) -> str:
    r"""Write a name from the system (undecodable bytes as lone surrogates) as clean text.

    Returns
    -------
    str
        Without control characters and lone surrogates: their bytes stand as ``\xHH``.
    """
    return CONTROL.sub(lambda match: "".join(f"\\x{byte:02x}" for byte in os.fsencode(match[0])), name)


def unescape(text: str) -> str:
    r"""Return the system's name for what `escape` wrote; a backslash that begins no ``\xHH`` is itself."""
    if "\\" not in text:
        return text
    parts = ESCAPED.split(text)
    encoded = [bytes([int(part, 16)]) if i % 2 else os.fsencode(part) for i, part in enumerate(parts)]
    return os.fsdecode(b"".join(encoded))


def leaves(path: str) -> bool:
    """Return whether a relative path could lead out of its folder by its text alone."""
    return path.startswith("/") or not path or ".." in path.split("/")


def left_behind(path: str) -> str | None:
    """Return what part of a path a system or a tool left behind, ``._*`` for AppleDouble files; else None."""
    for part in path.split("/"):
        if part.startswith(APPLE_DOUBLE):
            return f"{APPLE_DOUBLE}*"
        if part.lower() in LEFT_BEHIND:
            return escape(unescape(part))
    return None


def is_hidden(path: str) -> bool:
    """Return whether a part of a path begins with a dot."""
    return any(part.startswith(".") and part not in (".", "..") for part in path.split("/"))


def order(path: str) -> bytes:
    """Return the key by which images are sorted: the bytes of the path."""
    return path.encode("utf-8")
