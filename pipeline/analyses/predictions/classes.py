"""Which output of a network stands for which class of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.predictions.wnids import match_wnids
from pipeline.errors import UserError, nearest
from pipeline.store.tables import read_table

NO_OUTPUT = -1


def match_classes(
    classes: Sequence[str],
    outputs: Sequence[str],
    mapping: Mapping[str, str] | None = None,
    index: Mapping[str, int] | None = None,
) -> NDArray[np.int32]:
    """Find the network's output for each class of the dataset.

    A class is the output that `mapping` gives, else the one of the same name, else the one whose name
    differs only in upper and lower case or in what parts its words, else what `wnids.match_wnids`
    finds for a WordNet id. Numbers are never matched by their order.

    Parameters
    ----------
    classes
        K names of the dataset's classes.
    outputs
        Names of the network's outputs.
    mapping
        Class to output: a name, or where that is no name, its number from 0.
    index
        Output of each WordNet id.

    Returns
    -------
    (K,) int32
        Index of the output, -1 where there is none.

    Raises
    ------
    UserError
        The mapping names a class or an output that does not exist, a class fits several outputs, or the
        index is of another number of outputs.
    """
    mapping = mapping or {}
    for name in sorted(set(mapping) - set(classes)):
        raise UserError(f"mapping.csv: the dataset has no class '{name}'{_hint(name, classes)}")
    exact, plain = _places(outputs, str), _places(outputs, _plain)
    found = [
        _given(mapping[name], exact, outputs) if name in mapping else _named(name, exact, plain)
        for name in classes
    ]
    if NO_OUTPUT in found:
        wnids = match_wnids(classes, outputs, index)
        found = [
            wnids.get(name, NO_OUTPUT) if output == NO_OUTPUT else output
            for name, output in zip(classes, found, strict=True)
        ]
    return np.array(found, np.int32)


def read_mapping(path: Path) -> dict[str, str]:
    """Read the user's mapping, a CSV file with the columns ``dataset_class,output``; empty without a file.

    Raises
    ------
    UserError
        The file is not such a table, or has a class twice.
    """
    mapping: dict[str, str] = {}
    if not path.exists():
        return mapping
    for name, output in read_table(path, ("dataset_class", "output")):
        if name in mapping:
            raise UserError(f"{path}: class '{name}' stands there twice; keep one line")
        mapping[name] = output
    return mapping


def _places(outputs: Sequence[str], form: Callable[[str], str]) -> dict[str, list[int]]:
    """Return the places of the outputs by their names in a form; of 20,000 they are looked up as often."""
    places: dict[str, list[int]] = {}
    for index, name in enumerate(outputs):
        places.setdefault(form(name), []).append(index)
    return places


def _given(output: str, exact: Mapping[str, list[int]], outputs: Sequence[str]) -> int:
    places = exact.get(output, [])
    if len(places) == 1:
        return places[0]
    if not places and output.isdecimal() and int(output) < len(outputs):
        return int(output)
    if len(places) > 1:
        raise UserError(f"mapping.csv: outputs {places} are all called '{output}'; give a number")
    raise UserError(f"mapping.csv: the network has no output '{output}'{_hint(output, outputs)}")


def _named(name: str, exact: Mapping[str, list[int]], plain: Mapping[str, list[int]]) -> int:
    places = exact.get(name) or plain.get(_plain(name), [])
    if len(places) > 1:
        raise UserError(
            f"class '{name}' fits the outputs {places}; say which in inputs/classes/mapping.csv "
            "(columns dataset_class,output)"
        )
    return places[0] if places else NO_OUTPUT


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def _hint(name: str, valid: Sequence[str]) -> str:
    meant = nearest(name, valid)
    return f"; did you mean '{meant}'?" if meant else ""
