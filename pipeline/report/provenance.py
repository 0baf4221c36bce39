"""What the figures were made from, read from the artifacts themselves.

No date, no host and no git revision is in it: the report is an output that must be equal on every rerun.
The revision is stamped when the report is published.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline import store
from pipeline.contents.values import Number
from pipeline.errors import UserError
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import open_activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.weights import read_description
from pipeline.params import read_params


@dataclass(frozen=True)
class Counted:
    """The dataset as the manifest has it.

    Attributes
    ----------
    counts
        What is counted, to how many.
    skipped
        Path of each image that was passed over, reason, and what was found.
    noted
        Path of each image that is odd and was taken all the same, and what is odd about it.
    """

    dataset: str
    counts: Mapping[str, int]
    skipped: tuple[tuple[str, str, str], ...]
    noted: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Artifact:
    """A file of numbers: what it was made from, and by which versions."""

    name: str
    stage: str
    schema_version: int
    digests: Mapping[str, str]
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Provenance:
    """Everything that decides what the report shows.

    Attributes
    ----------
    network
        The description of the weights: architecture, classes, preprocessing, digest and so on.
    params
        Every block of the params file as YAML.
    metrics
        ``stage.key`` to value.
    """

    images: Counted
    network: Mapping[str, Any]
    artifacts: tuple[Artifact, ...]
    params: str
    metrics: Mapping[str, Number]

    @cached_property
    def blocks(self) -> Mapping[str, Any]:
        """Each block of the params file by its name."""
        return yaml.safe_load(self.params) or {}

    @property
    def versions(self) -> dict[str, str]:
        """Package to its version; several where artifacts differ."""
        found: dict[str, set[str]] = {}
        for artifact in self.artifacts:
            for package, version in artifact.versions.items():
                found.setdefault(package, set()).add(version)
        return {package: ", ".join(sorted(found[package])) for package in sorted(found)}


def read_provenance(artifacts: Path, metrics: Path, settings: Path) -> Provenance:
    """Read the provenance of a report.

    Parameters
    ----------
    artifacts
        The folder of the artifacts: its manifest, its weights, and every other HDF5 file in it.
    metrics
        The folder with one JSON file a stage.
    settings
        The params file; its values are shown, not its comments.

    Raises
    ------
    UserError
        Naming a file that is missing or damaged.
    """
    files = sorted([*artifacts.glob("*.h5"), *artifacts.glob(f"activations/{INDEX}")])
    network = read_description(artifacts / "weights")
    trained = network.training is not None
    return Provenance(
        images=read_images(artifacts / "manifest.h5", artifacts / "activations", trained=trained),
        network=network.model_dump(mode="json"),
        artifacts=tuple(_read_artifact(file, artifacts) for file in files),
        params=yaml.safe_dump(read_params(settings), sort_keys=False, allow_unicode=True),
        metrics=read_metrics(metrics),
    )


def read_images(manifest: Path, activations: Path, *, trained: bool) -> Counted:
    """Read what a manifest says about the dataset as a whole.

    Parameters
    ----------
    manifest
        Its file.
    activations
        The folder that names the images which failed later; left out where there is none.
    trained
        Whether the network was trained here; if not, splits that were drawn for that say nothing.
    """
    with open_manifest(manifest) as file:
        labels, splits = file.label(), file.split()
        skipped, noted = [(item.path, item.reason, item.message) for item in file.skipped()], file.notes()
        failed = open_activations(activations).skipped() if activations.is_dir() else []
        paths = file.take_path(np.array([item.image_id for item in failed], np.int64)).tolist()
        skipped += [
            (path.decode(), item.reason, item.message) for path, item in zip(paths, failed, strict=True)
        ]
    counts = {
        "images": len(labels),
        "labelled images": int((labels >= 0).sum()),
        "classes": len(file.class_names),
    }
    if trained or not file.splits_drawn:
        counts |= {
            f"images in split “{split}”": splits.count(split) for split in sorted(set(splits)) if split
        }
    counts |= {"duplicate images": file.duplicates, "skipped images": len(skipped)}
    return Counted(file.dataset, counts, tuple(skipped), tuple(noted))


def read_metrics(folder: Path) -> dict[str, Number]:
    """Read every metrics file below a folder as ``stage.key`` to value, sorted.

    Raises
    ------
    UserError
        Naming a file that is not JSON.
    """
    numbers: dict[str, Number] = {}
    for file in sorted(folder.glob("*.json")):
        try:
            content = json.loads(file.read_bytes())
        except ValueError as error:
            raise UserError(f"{file}: not valid JSON ({error}); run its stage again") from None
        numbers |= _flat(file.stem, content)
    return dict(sorted(numbers.items()))


def _flat(name: str, value: Any) -> dict[str, Number]:
    """Flatten nested numbers to dotted names; what is not there (null) gets none."""
    if isinstance(value, dict):
        pairs = [(f"{name}.{key}", item) for key, item in value.items()]
    elif isinstance(value, list):
        pairs = [(f"{name}.{index}", item) for index, item in enumerate(value)]
    else:
        return {} if value is None else {name: value}
    return {key: number for inner, item in pairs for key, number in _flat(inner, item).items()}


def _read_artifact(path: Path, folder: Path) -> Artifact:
    with store.read(path, version=None) as file:
        origin = file.origin()
    name = path.relative_to(folder).as_posix()
    return Artifact(name, origin.stage, origin.version, origin.made_from, origin.versions)
