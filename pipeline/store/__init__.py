"""HDF5, tables and metrics on disk; the only room that opens HDF5.

An artifact is written by `write`, read by `read`; the folder of activations is opened by `open_activations`.
"""

from pipeline.store.activations import Activations, Shard, open_activations
from pipeline.store.artifact import Origin, Reader, Writer, digest, read, write

__all__ = [
    "Activations", "Origin", "Reader", "Shard", "Writer", "digest", "open_activations", "read", "write",
]  # fmt: skip
