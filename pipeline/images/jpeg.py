"""Whether the stream of a JPEG holds all of its picture: its end mark may have been put back after a cut.

Decoders pass over what is missing before the mark: the rest is grey, or coarser where the picture was
written in several passes. Nothing here decodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

START, END, SCAN = b"\xff\xd8", b"\xff\xd9", b"\xff\xda"
# Frames of pixels in one pass (baseline, extended), and in several that refine each other.
SEQUENTIAL, PROGRESSIVE = (0xC0, 0xC1), 0xC2
# What a decoder may ask for beyond the last pixel; less than a block takes in any code that is in use.
AHEAD = 16  # bytes
COEFFICIENTS = 64  # of a block


@dataclass(frozen=True)
class Scan:
    """One pass of a JPEG: of which components which coefficients are sent, down to which bit.

    Attributes
    ----------
    components
        Their numbers in the file.
    first, last
        Of the coefficients, 0 to 63.
    bit
        The lowest one that is sent; 0 where they are whole then.
    """

    components: tuple[int, ...]
    first: int
    last: int
    bit: int


def open_ended(data: bytes) -> bytes | None:
    """Return a file of one pass without its end mark: one that lacks pixels makes a decoder ask for more.

    Parameters
    ----------
    data
        A JPEG with an end mark.

    Returns
    -------
    bytes or None
        None of a file in several passes, which no decoder begins before it has seen the end.
    """
    frame = _frame(data)
    if frame is None or frame.kind not in SEQUENTIAL:
        return None
    scans = list(_scans(data, frame.end))
    if len(scans) != 1 or len(scans[0].components) != frame.components:
        return None
    return data[: data.rfind(END)] + bytes(AHEAD)


def lacks_passes(data: bytes) -> bool:
    """Return whether a progressive file ends before every coefficient of every component was sent in full.

    One that was cut within its last pass is not told from a whole one.
    """
    frame = _frame(data)
    if frame is None or frame.kind != PROGRESSIVE:
        return False
    whole: dict[int, set[int]] = {}
    for scan in _scans(data, frame.end):
        for component in scan.components:
            sent = range(scan.first, scan.last + 1) if scan.bit == 0 else ()
            whole.setdefault(component, set()).update(sent)
    return len(whole) < frame.components or any(len(sent) < COEFFICIENTS for sent in whole.values())


@dataclass(frozen=True)
class _Frame:
    """How the picture is written: its kind by the mark, how many components, and where its segment ends."""

    kind: int
    components: int
    end: int


def _frame(data: bytes) -> _Frame | None:
    """Go from segment to segment, which may hold a thumbnail of its own, up to the frame's."""
    place = len(START)
    while place + 10 <= len(data) and data[place] == 0xFF:
        mark, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if mark in (*SEQUENTIAL, PROGRESSIVE):
            return _Frame(mark, data[place + 9], place + 2 + length)
        # Before a mark bytes may stand that fill up.
        place += 1 if mark == 0xFF else 2 + length
    return None


def _scans(data: bytes, place: int) -> Iterator[Scan]:
    """Yield the heads of the passes: within the coded pixels no mark occurs but those of restarts."""
    while (place := data.find(SCAN, place)) >= 0:
        place += len(SCAN)
        count = data[place + 2] if place + 2 < len(data) else 0
        head = data[place : place + 6 + 2 * count]
        # The length, as every head has it: in a table the mark's two bytes may stand by chance.
        if count and len(head) == int.from_bytes(head[:2], "big"):
            first, last, bits = head[-3:]
            yield Scan(tuple(head[3:-3:2]), first, last, bits & 0x0F)
