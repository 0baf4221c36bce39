"""What people call classes and outputs: WordNet ids and bare numbers are no names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.predictions.classes import NO_OUTPUT
from pipeline.analyses.predictions.wnids import is_wnid


def name_classes(
    classes: Sequence[str],
    class_output: NDArray[np.integer],
    outputs: Sequence[str],
    called: Mapping[str, str],
) -> tuple[str, ...]:
    """Return a name for each class of a dataset, each once.

    A class keeps its name unless that is a WordNet id: it is then called as `called` says, else as its output
    is, unless this is a number. Where two have one name, each has its id beside it.

    Parameters
    ----------
    classes
        (C,) names in the dataset.
    class_output
        (C,) their outputs, -1 where there is none.
    outputs
        (K,) names of the network's outputs.
    called
        What WordNet ids are called, as far as it is known.
    """
    names = []
    for name, output in zip(classes, class_output.tolist(), strict=True):
        known = called.get(name, "")
        if is_wnid(name) and not known and output != NO_OUTPUT:
            own = outputs[output]
            known = "" if is_wnid(own) or own.isdecimal() else own
        names.append(known if is_wnid(name) and known else name)
    return _apart(names, classes)


def name_outputs(
    outputs: Sequence[str],
    class_output: NDArray[np.integer],
    classes: Sequence[str],
    called: Mapping[str, str],
) -> tuple[str, ...]:
    """Return a name for each output of a network, each once.

    Parameters
    ----------
    outputs
        (K,) its names: an id is called as `called` says; its own number, as the one class it stands for.
        Where all are numbers, and no class is called by one, the others are "output 0" and so on.
    class_output
        (C,) the output of each class.
    classes
        (C,) the classes' names for people, of `name_classes`.
    called
        What WordNet ids are called, as far as it is known.
    """
    stands_for = Counter(class_output.tolist())
    own = {
        output: name
        for name, output in zip(classes, class_output.tolist(), strict=True)
        if stands_for[output] == 1
    }
    numbered = [f"output {index}" for index in range(len(outputs))]
    names = [
        own.get(index, name) if name == str(index) else called.get(name, name)
        for index, name in enumerate(outputs)
    ]
    if all(name == str(index) for index, name in enumerate(outputs)) and not set(outputs) & set(classes):
        # A bare number would be read as an amount: "5 falls from 7 % to 6 %".
        names = [own.get(index, name) for index, name in enumerate(numbered)]
    return _apart(names, numbered)


def _apart(names: Sequence[str], keys: Sequence[str]) -> tuple[str, ...]:
    """Put its key beside each name that is there twice."""
    count = Counter(names)
    return tuple(
        f"{name} ({key})" if count[name] > 1 else name for name, key in zip(names, keys, strict=True)
    )
