"""Files of tensors (safetensors) that can be used where they lie, and compute the same bits as any others.

Matrix products differ in their last bits with the alignment of their operands. PyTorch allocates on 64
bytes, a safetensors file packs tensors as they come; so here the header is padded to 64 bytes, and tensors
whose length is a multiple of that come first. The few others are copied when they are read.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from pipeline.errors import UserError
from pipeline.store.replacing import replaced

ALIGNMENT = 64
DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
    torch.bool: "BOOL",
}  # fmt: skip


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a safetensors file, whole or not at all; equal tensors give equal bytes.

    Parameters
    ----------
    path
        Replaced if it exists.
    tensors
        Name to tensor.

    Raises
    ------
    UserError
        A tensor's type is not one of those of networks.
    """
    order = sorted(tensors, key=lambda name: (tensors[name].nbytes % ALIGNMENT != 0, name))
    header, offset = {}, 0
    for name in order:
        tensor = tensors[name]
        if tensor.dtype not in DTYPES:
            raise UserError(f"'{name}': tensors of type {tensor.dtype} cannot be kept")
        header[name] = {
            "dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape),
            "data_offsets": [offset, offset + tensor.nbytes],
        }  # fmt: skip
        offset += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    with replaced(path) as unfinished, unfinished.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            file.write(numbers(tensors[name]))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Map the tensors of a safetensors file into memory, so that processes share them.

    Parameters
    ----------
    path
        Written by `write_tensors`; any other safetensors file will do, but more of it is copied.

    Returns
    -------
    dict
        Name to tensor on the CPU, each aligned as PyTorch aligns its own.

    Raises
    ------
    OSError, SafetensorError
        The file cannot be read.
    """
    return {
        name: tensor if tensor.data_ptr() % ALIGNMENT == 0 else tensor.clone()
        for name, tensor in load_file(path).items()
    }


def numbers(tensor: Tensor) -> Any:
    """Return a tensor's bytes, a (nbytes,) uint8 array; no copy where it is contiguous on the CPU."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
