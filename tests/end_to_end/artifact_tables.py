"""Reading docs/artifacts.md and holding HDF5 files against it.

A heading that names a file in backticks, such as `topk.h5`, version 1, or `activations/part-<key>.h5`,
version 1, begins that file's part. A table whose first column is called "dataset" then describes its
datasets, with the columns shape, dtype, unit, range and meaning; one whose first column is "attribute"
describes attributes, with the column "of" for what bears them ("/" is the file). `<x>` in a name stands for
any one component of a path. What begins its meaning with "Optional" or "Where" may be absent.

In a shape, digits are literal and a capital letter is one size throughout the file; U and V, throughout one
layer. A dtype is a name of NumPy, `utf-8` or `any`. A range is `0..255`, `-1..`, `..0`; anything else says
it in words and is not checked.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

# Borne by every file, described once.
COMMON_ATTRIBUTES = re.compile(r"schema_version|stage|complete|(digest|version)_.*")
NUMBER = r"-?(?:\d+(?:\.\d+)?|inf)"


@dataclass(frozen=True)
class Row:
    """One line of a table: what it names and what its columns say."""

    name: str
    columns: Mapping[str, str]

    @property
    def optional(self) -> bool:
        return self.columns["meaning"].lstrip().startswith(("Optional", "Where"))

    def match(self, name: str) -> re.Match | None:
        return re.fullmatch(pattern(self.name), name)


@dataclass
class Described:
    """What the document says of one kind of file."""

    datasets: list[Row]
    attributes: list[Row]
    version: int | None = None


def pattern(name: str) -> str:
    """Return the regular expression of a documented name: `<x>` is one component of a path."""
    return re.sub(r"<\w+>", "([^/]+)", re.escape(name).replace(r"\<", "<").replace(r"\>", ">"))


def read_document(text: str) -> dict[str, Described]:
    """Return, for each file that the document names, its datasets and attributes."""
    found: dict[str, Described] = {}
    current: Described | None = None
    header: list[str] = []
    for line in text.splitlines():
        heading = re.match(r"#+ .*?`([\w./<>-]+\.h5)`(?:, version (\d+))?", line)
        if heading:
            version = int(heading.group(2)) if heading.group(2) else None
            current = found.setdefault(heading.group(1), Described([], [], version))
        cells = _cells(line)
        if not cells:
            header = []
        elif not header:
            header = [cell.strip().lower() for cell in cells]
        elif current is not None and not re.fullmatch(r"[\s|:-]+", line):
            row = Row(cells[0].strip("` "), dict(zip(header, cells, strict=True)))
            {"dataset": current.datasets, "attribute": current.attributes}.get(header[0], []).append(row)
    return found


def faults(path: Path, described: Described) -> Iterator[str]:
    """Yield what differs between a file and its description."""
    with h5py.File(path) as file:
        nodes: dict[str, h5py.HLObject] = {"": file}
        file.visititems(lambda name, node: nodes.__setitem__(name, node))
        datasets = {name: node for name, node in nodes.items() if isinstance(node, h5py.Dataset)}
        sizes: dict[tuple[str, str], int] = {}
        for name, dataset in datasets.items():
            rows = _most_specific([row for row in described.datasets if row.match(name)])
            if len(rows) != 1:
                yield f"{name}: {len(rows)} lines of the document describe it"
            else:
                yield from _dataset_faults(name, dataset, rows[0], sizes)
        # What was not done holds its status alone.
        done = file.attrs.get("status", "done") == "done"
        if done:
            yield from _absent(described.datasets, datasets)
        if file.attrs.get("schema_version") != described.version:
            yield f"version {file.attrs.get('schema_version')}, documented {described.version}"
        yield from _attribute_faults(nodes, described.attributes, done=done)


def _dataset_faults(
    name: str, dataset: h5py.Dataset, row: Row, sizes: dict[tuple[str, str], int]
) -> Iterator[str]:
    dtype = "utf-8" if h5py.check_string_dtype(dataset.dtype) else dataset.dtype.name
    if row.columns["dtype"].strip("` ") not in (dtype, "any"):
        yield f"{name}: dtype {dtype}, documented {row.columns['dtype']}"
    shape = [part.strip() for part in row.columns["shape"].strip("` ()").split(",") if part.strip()]
    if len(shape) != dataset.ndim:
        yield f"{name}: shape {dataset.shape}, documented {row.columns['shape']}"
        return
    group = "/".join(row.match(name).groups()) if "<layer>" in row.name else ""
    for symbol, size in zip(shape, dataset.shape, strict=True):
        if symbol.isdigit() and int(symbol) != size:
            yield f"{name}: shape {dataset.shape}, documented {row.columns['shape']}"
        elif re.fullmatch(r"[A-Z]", symbol):
            # N, M, K count the same thing everywhere; U, V belong to a layer.
            scope = group if symbol in "UV" else ""
            if sizes.setdefault((scope, symbol), size) != size:
                yield f"{name}: {symbol} is {size}, elsewhere {sizes[scope, symbol]}"
    if dtype != "utf-8" and dataset.size:
        yield from _range_faults(name, dataset[()], row.columns["range"])


def _range_faults(name: str, values: np.ndarray, text: str) -> Iterator[str]:
    if np.isnan(values).any() and "NaN" not in text:
        yield f"{name}: holds NaN"
    found = re.match(rf"`?({NUMBER})?\s*\.\.\s*({NUMBER})?", text.strip())
    if not found:
        return
    low, high = (
        float(bound) if bound else sign * np.inf for bound, sign in zip(found.groups(), (-1, 1), strict=True)
    )
    least, most = np.nanmin(values), np.nanmax(values)
    if least < low or most > high:
        yield f"{name}: {least} to {most}, documented {text}"


def _most_specific(rows: list[Row]) -> list[Row]:
    """Return the lines with the fewest placeholders: `<layer>/unit` before `<layer>/<method>`."""
    fewest = min((row.name.count("<") for row in rows), default=0)
    return [row for row in rows if row.name.count("<") == fewest]


def _attribute_faults(nodes: Mapping[str, h5py.HLObject], rows: list[Row], *, done: bool) -> Iterator[str]:
    seen = set()
    for node_name, node in nodes.items():
        for attribute in node.attrs:
            if not node_name and COMMON_ATTRIBUTES.fullmatch(attribute):
                continue
            matching = [row for row in rows if _bears(row, node_name) and row.match(attribute)]
            seen.update(id(row) for row in matching)
            if not matching:
                yield f"/{node_name}: attribute {attribute} is not documented"
    for row in rows:
        if id(row) not in seen and not row.optional and (done or row.name.startswith("status")):
            yield f"{row.columns['of']}: attribute {row.name} is documented and absent"


def _bears(row: Row, node: str) -> bool:
    return re.fullmatch(pattern(row.columns["of"].strip("` ").strip("/")), node) is not None


def _absent(rows: list[Row], datasets: Mapping[str, h5py.Dataset]) -> Iterator[str]:
    for row in rows:
        if not row.optional and not any(row.match(name) for name in datasets):
            yield f"{row.name}: documented and absent"


def _cells(line: str) -> list[str]:
    if not line.lstrip().startswith("|"):
        return []
    # A bar inside a cell is written \|.
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
