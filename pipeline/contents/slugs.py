"""Names of layers in addresses and file names."""

import hashlib
import re

# Names of devices on Windows, which no file and no folder there may have.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])")
_PLAIN = re.compile(r"[a-z0-9_]")
_LONGEST = 160  # characters; a file name may have 255 bytes, and its ending comes on top
_KEPT = 120


def layer_slug(name: str) -> str:
    """Return a layer's name as part of an address; different names give different slugs.

    Lower-case letters, digits and ``_`` stay, ``.`` becomes ``-``, an upper-case letter A becomes ``~a``, and
    any other byte of the name in UTF-8 ``~.`` and its two hexadecimal digits. So two slugs differ on file
    systems that do not tell upper from lower case, and none depends on the other layers.

    Parameters
    ----------
    name
        A layer's dotted name, such as ``features.0``.

    Returns
    -------
    str
        Of the letters of a URL that need no escape; its end is a digest where the name is very long.
    """
    slug = "".join(map(_escaped, name)) or "~."
    if _RESERVED.fullmatch(slug):
        slug = _bytes(slug[0]) + slug[1:]
    if len(slug) > _LONGEST:
        # No escape has two tildes, so a cut name is never taken for a short one.
        slug = f"{slug[:_KEPT]}~~{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return slug


def layer_file(name: str, ending: str) -> str:
    """Return the path of a layer's file: in the layer's folder, and named by it for when it is taken out."""
    slug = layer_slug(name)
    return f"{slug}/{slug}-{ending}"


def _escaped(letter: str) -> str:
    if _PLAIN.fullmatch(letter):
        return letter
    if letter == ".":
        return "-"
    return f"~{letter.lower()}" if "A" <= letter <= "Z" else _bytes(letter)


def _bytes(letter: str) -> str:
    return "".join(f"~.{byte:02x}" for byte in letter.encode("utf-8", errors="surrogatepass"))
