"""HDF5, tables and metrics on disk; the only room that opens HDF5.

An artifact is written by `write`, read by `read`; the folder of activations is opened by `open_activations`.

- `writing`, `chunks`, `reading`: one HDF5 file; `activations`: many read as one
- `replacing`: files and folders that are whole or not there
- `tables`, `cells`, `metrics`: CSV and JSON
"""

from pipeline.store.activations import Activations, Shard, open_activations
from pipeline.store.reading import Origin, Reader, digest, read
from pipeline.store.writing import Writer, write

__all__ = [
    "Activations", "Origin", "Reader", "Shard", "Writer", "digest", "open_activations", "read", "write",
]  # fmt: skip
