"""``class_names.h5``: what people call the classes of the dataset and the outputs of the network.

It lies apart from predictions.h5, so that figures which only name classes are not drawn again with every
prediction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline import store

VERSION = 1


@dataclass(frozen=True)
class ClassNames:
    """Names for people, each once in its list.

    Attributes
    ----------
    of_class
        (C,) in the order of the manifest's classes.
    of_output
        (K,) in the order of the network's outputs.
    """

    of_class: tuple[str, ...]
    of_output: tuple[str, ...]


def write_class_names(path: Path, names: ClassNames, *, made_from: Mapping[str, str]) -> None:
    """Write the names; `made_from` as of `pipeline.store.write`."""
    with store.write(path, stage="predictions", version=VERSION, made_from=made_from) as file:
        file.put_strings("class", names.of_class)
        file.put_strings("output", names.of_output)


def read_class_names(path: Path) -> ClassNames:
    """Read the names; `UserError` as of `pipeline.store.read`."""
    with store.read(path, version=VERSION) as file:
        return ClassNames(tuple(file.strings("class")), tuple(file.strings("output")))
