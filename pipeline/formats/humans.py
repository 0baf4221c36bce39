"""``humans.h5``: what people say of the images, beside the network, and what they see in its units.

The file's status is that of the labels; choices (`pipeline.formats.human_choices`) have one of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.human_choices import Choices, get_choices, put_choices
from pipeline.formats.status import Status, mark, status_of

VERSION = 2
NONE, NOT_GIVEN = -1, -2  # a guess that names no class, and a guess that was not made
NETWORK = -1  # in the place of a rater


@dataclass(frozen=True)
class Raters:
    """Who labelled.

    Attributes
    ----------
    name
        (R,) annotators by answers, then tables of counts.
    tabled : (R,) bool
        Whether it is a table of counts, whose answer is the class that most people chose.
    ties : (R,) int64
        Images of a table on which two classes have the most people; they count as "none".
    left_out
        Annotators with fewer answers, who are not compared one by one.
    """

    name: tuple[str, ...]
    tabled: NDArray[np.bool_]
    ties: NDArray[np.int64]
    left_out: int


@dataclass(frozen=True)
class Answers:
    """A answers of the raters, by rater, condition, image.

    Attributes
    ----------
    rater, condition : (A,) int32
        Places in the lists of raters and of conditions.
    image_id : (A,) int64
        Rows of the manifest.
    guess : (A, G) int32
        Classes, the first guess first; -1: none of them, -2: not given.
    confidence : (A,) float32
        0 to 1, NaN where not given.
    """

    rater: NDArray[np.int32]
    condition: NDArray[np.int32]
    image_id: NDArray[np.int64]
    guess: NDArray[np.int32]
    confidence: NDArray[np.float32]


@dataclass(frozen=True)
class Network:
    """What the network says of the M images that people labelled and that have a label of their own.

    Attributes
    ----------
    image_id : (M,) int64
        Ascending.
    label, predicted : (M,) int32
        Classes of the dataset; `predicted` is -1 where the output stands for none.
    right, right_top5 : (M,) bool
    """

    image_id: NDArray[np.int64]
    label: NDArray[np.int32]
    predicted: NDArray[np.int32]
    right: NDArray[np.bool_]
    right_top5: NDArray[np.bool_]


@dataclass(frozen=True)
class Compared:
    """Each of R raters against the network, over the rater's answers on images of `Network`.

    Attributes
    ----------
    cells : (R, C, 4) int64
        By condition: both right, only the rater, only the network, both wrong.
    same_error : (R,) int64
        Of those that both get wrong, how often they name the same class.
    mcnemar : (R,) float64
        Exact two-sided p.
    z, z_p : (R,) float64
        Test of two proportions, one-sided.
    top5, network_top5 : (R,) int64
        Right among five guesses; -1 where the rater gave one guess alone or there are five classes or fewer.
    """

    cells: NDArray[np.int64]
    same_error: NDArray[np.int64]
    mcnemar: NDArray[np.float64]
    z: NDArray[np.float64]
    z_p: NDArray[np.float64]
    top5: NDArray[np.int64]
    network_top5: NDArray[np.int64]


@dataclass(frozen=True)
class Consistency:
    """Error consistency of P pairs who labelled the same images.

    Attributes
    ----------
    first, second : (P,) int32
        Raters; `first` is -1 for the network.
    kappa, low, high : (P,) float64
        Mean over the conditions, and its 95 % bootstrap interval.
    images, conditions : (P,) int64
        Answers that were compared, and conditions that have some.
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    kappa: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    images: NDArray[np.int64]
    conditions: NDArray[np.int64]


@dataclass(frozen=True)
class Doubt:
    """The S images that many people labelled.

    Attributes
    ----------
    image_id : (S,) int64
        Ascending.
    count : (S, K) int64
        People who chose each class of the dataset.
    none : (S,) int64
        People who found none of them right.
    entropy, network_entropy : (S,) float64
        Of people's shares of the classes, and of the network's probabilities, nats.
    cross_entropy : (S,) float64
        Of the network's probabilities under people's shares, nats; NaN where a class is no output.
    log_loss : (S,) float64
        Of the label that the dataset gives, nats; NaN without it.
    share_right : (S,) float64
        Of the people; NaN where the image has no label.
    network_right : (S,) int8
        1, 0; -1 where it is not known.
    bin : (S,) int64
        Ascending with the entropy.
    interval : (2,) float64
        95 % bootstrap interval of the mean cross-entropy.
    """

    image_id: NDArray[np.int64]
    count: NDArray[np.int64]
    none: NDArray[np.int64]
    entropy: NDArray[np.float64]
    network_entropy: NDArray[np.float64]
    cross_entropy: NDArray[np.float64]
    log_loss: NDArray[np.float64]
    share_right: NDArray[np.float64]
    network_right: NDArray[np.int8]
    bin: NDArray[np.int64]
    interval: NDArray[np.float64]


@dataclass(frozen=True)
class Humans:
    """All of it.

    Attributes
    ----------
    raters, answers, network, compared, consistency
        As their classes say; C conditions.
    conditions
        (C,) names; one empty name where none were given.
    unknown
        Lines of the files that are about images which the run does not have.
    unlabelled
        Answers on images without a label, which are in no comparison.
    doubt
        None where no image was labelled by many.
    """

    raters: Raters
    conditions: tuple[str, ...]
    answers: Answers
    network: Network
    compared: Compared
    consistency: Consistency
    unknown: int
    unlabelled: int
    doubt: Doubt | None


@dataclass(frozen=True)
class People:
    """What people say: of the images, and of units; or why there is nothing."""

    humans: Humans | Status
    choices: Choices | Status


_GROUPS: dict[str, type] = {
    "answers": Answers,
    "network": Network,
    "compared": Compared,
    "consistency": Consistency,
}
_FLAGS = ("tabled", "right", "right_top5")


def write_humans(path: Path, found: People, *, made_from: Mapping[str, str]) -> None:
    """Write it; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "scipy")
    with store.write(path, stage="humans", version=VERSION, made_from=made_from, versions=versions) as file:
        if isinstance(found.humans, Status):
            mark(file, found.humans)
        else:
            mark(file)
            _put_humans(file, found.humans)
        put_choices(file, found.choices)


def _put_humans(file: store.Writer, found: Humans) -> None:
    about = {"unknown": found.unknown, "unlabelled": found.unlabelled, "left_out": found.raters.left_out}
    file.set_attributes("", about)
    file.put_strings("raters/name", found.raters.name)
    file.put("raters/tabled", found.raters.tabled.astype(np.uint8))
    file.put("raters/ties", found.raters.ties)
    file.put_strings("conditions", found.conditions)
    for group in (*_GROUPS, *(("doubt",) if found.doubt else ())):
        _put(file, group, getattr(found, group))


def _put(file: store.Writer, group: str, values: object) -> None:
    for one in fields(values):  # type: ignore[arg-type]
        value = getattr(values, one.name)
        file.put(f"{group}/{one.name}", value.astype(np.uint8) if one.name in _FLAGS else value)


def read_people(path: Path) -> People:
    """Read it; `UserError` as of `pipeline.store.read`."""
    with store.read(path, version=VERSION) as file:
        status = status_of(file)
        return People(status if status.reason else _get_humans(file), get_choices(file))


def _get_humans(file: store.Reader) -> Humans:
    about = file.attributes()
    raters = Raters(
        tuple(file.strings("raters/name")), file.get("raters/tabled").astype(np.bool_),
        file.get("raters/ties"), int(about["left_out"]),
    )  # fmt: skip
    groups = {group: _get(file, group, made) for group, made in _GROUPS.items()}
    doubt = _get(file, "doubt", Doubt) if "doubt" in file else None
    return Humans(
        raters, tuple(file.strings("conditions")), **groups, unknown=int(about["unknown"]),
        unlabelled=int(about["unlabelled"]), doubt=doubt,
    )  # fmt: skip


def _get(file: store.Reader, group: str, made: type) -> Any:
    values = {}
    for one in fields(made):
        value = file.get(f"{group}/{one.name}")
        values[one.name] = value.astype(np.bool_) if one.name in _FLAGS else value
    return made(**values)
