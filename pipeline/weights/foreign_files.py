"""What a file is that was named as a checkpoint and holds no weights that can be read, and the way out."""

import json
import zipfile
from pathlib import Path

from pipeline.errors import stand_in

HEAD_BYTES = 4096
ZIP = b"PK\x03\x04"
# How files begin that are no checkpoints of torch.
BEGINNINGS = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes; load it there and save a state_dict with torch"),
    (b"\x1f\x8b", "compressed by gzip; unpack it"),
    (b"BZh", "compressed by bzip2; unpack it"),
    (b"\xfd7zXZ\0", "compressed by xz; unpack it"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it"),
    (b"Rar!", "a rar archive; unpack it"),
    (b"\x93NUMPY", "an array of NumPy; save a state_dict with torch"),
    (b"GGUF", "a GGUF file; take the checkpoint that it was made from"),
)
TORCHSCRIPT = (
    "a TorchScript archive; save its weights alone: "
    "torch.save(torch.jit.load('{name}').state_dict(), 'weights.pt')"
)
EXPORTED = (
    "a program of torch.export; save its weights alone: "
    "torch.save(torch.export.load('{name}').state_dict, 'weights.pt')"
)


def foreign(path: Path) -> str | None:
    """Return what a file is and what to do, by its content; None where it may be a checkpoint."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(ZIP):
        return _in_zip(path)
    begun = next((what for start, what in BEGINNINGS if head.startswith(start)), None)
    tar = "a tar archive; unpack it" if head[257:262] == b"ustar" else None
    text = "a JSON text; give the file of the weights" if _is_json(path, head) else None
    return stand_in(head) or begun or tar or text


def is_safetensors(path: Path) -> bool:
    """Return whether a file begins as a safetensors file does: the length of a JSON text, then that text."""
    with path.open("rb") as file:
        head = file.read(9)
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size


def is_of_torch(path: Path) -> bool:
    """Return whether a file begins as one of `torch.save` does: a zip archive or a pickle."""
    with path.open("rb") as file:
        head = file.read(4)
    # The length with which a safetensors file begins may look like the mark of a pickle.
    return head.startswith((ZIP, b"\x80")) and not is_safetensors(path)


def _in_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.partition("/")[2] or name for name in archive.namelist()]
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return None
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return TORCHSCRIPT.format(name=path.name)
    if "archive_format" in names or "models/model.json" in names:
        return EXPORTED.format(name=path.name)
    if "data.pkl" in names:
        return None
    if all(name.endswith(".npy") for name in names):
        return "an archive of NumPy's arrays; save a state_dict with torch"
    return "a zip archive, not a file of torch.save; unpack it"


def _is_json(path: Path, head: bytes) -> bool:
    if not head.lstrip().startswith((b"{", b"[")) or path.stat().st_size > HEAD_BYTES * 256:
        return False
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True
