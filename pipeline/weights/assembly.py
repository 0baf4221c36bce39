"""A network put together from what the parameters name: architecture, weights, preprocessing, class names."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from pipeline.errors import UserError, nearest, some
from pipeline.formats.weights import Description
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.layers import Layer, code_layer, describe_layers
from pipeline.model.architectures import INPUT_SIZE
from pipeline.model.building import build_network, find_source, line_of
from pipeline.model.outputs import logits_of
from pipeline.weights.checkpoints import SUFFIXES, class_count, fit_state, read_checkpoint
from pipeline.weights.published import TRAIN, Published, find_published

log = logging.getLogger(__name__)

NAMES = Path("classes") / "names.txt"
# What to write for a network of so many input channels, if nothing better is known: inputs from -1 to 1.
MEAN = {1: (0.5,), 3: (0.5, 0.5, 0.5)}
STD = MEAN
SHOWN = 5  # classes that a line names
# Largest difference of a sum of probabilities from 1, in float32 of a thousand outputs.
ROUNDING = 1e-4


@dataclass(frozen=True)
class Source:
    """What the parameters say of a network.

    Attributes
    ----------
    architecture
        As in `pipeline.model.build_network`.
    weights
        "train", a checkpoint file, or the name of torchvision's weights.
    preprocessing
        None for that of the weights or of the builtin network.
    inputs
        The folder of the user's files.
    """

    architecture: str
    weights: str
    preprocessing: Preprocessing | None
    inputs: Path

    @property
    def is_file(self) -> bool:
        """Whether the weights are a checkpoint file."""
        return Path(self.weights).suffix in SUFFIXES

    @property
    def name(self) -> str:
        """The architecture without its kind."""
        return self.architecture.partition(":")[2]


def untrained(source: Source, classes: Sequence[str]) -> tuple[nn.Module, Description]:
    """Build a network for training: as many outputs as classes, random weights.

    Raises
    ------
    UserError
        If it does not build, or no preprocessing is known.
    """
    network = _built(source, len(classes))
    preprocessing = _preprocessing(source, None)
    check_outputs(network, preprocessing)
    return network, Description(
        architecture=source.architecture, weights=TRAIN, classes=tuple(classes), preprocessing=preprocessing
    )


def pretrained(source: Source, dataset_classes: Sequence[str]) -> tuple[nn.Module, Description]:
    """Build a network with weights from a file or from torchvision.

    Class names are those of torchvision's weights; else the lines of ``inputs/classes/names.txt``; else the
    dataset's, if the network has as many outputs; else the numbers of the outputs.

    Raises
    ------
    UserError
        If it does not build, the weights do not fit, or no preprocessing is known.
    """
    published = None if source.is_file else _published(source)
    state = published.download() if published else read_checkpoint(_existing(source))
    classes = class_count(_built(source, None), state)
    network = _built(source, classes)
    fit_state(network, state, source.weights)
    preprocessing = _preprocessing(source, published)
    outputs = check_outputs(network, preprocessing, trained=True)
    if outputs == 1:
        log.warning(
            "the network has one output, so that every image is taken for it; if its sign tells two classes "
            "apart, return two, torch.cat([torch.zeros_like(x), x], 1), whose softmax is its sigmoid"
        )
    names = published.classes if published else _class_names(source, outputs, dataset_classes)
    weights = published.name if published else source.weights
    return network, Description(
        architecture=source.architecture, weights=weights, classes=tuple(names), preprocessing=preprocessing
    )


@dataclass(frozen=True)
class Preview:
    """A network as the parameters name it, built before there is a manifest: its weights may be random."""

    network: nn.Module
    preprocessing: Preprocessing

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Its layers."""
        return describe_layers(self.network, self.preprocessing.input_size, self.preprocessing.channels)

    @cached_property
    def code_layer(self) -> str:
        """The layer whose output is the code."""
        return code_layer(self.network, self.preprocessing.input_size, self.preprocessing.channels)


def preview(source: Source) -> Preview:
    """Build the network as far as that is possible without a dataset and without a download.

    Raises
    ------
    UserError
        What `untrained` or `pretrained` would raise.
    """
    if source.is_file:
        network, description = pretrained(source, ())
        return Preview(network, description.preprocessing)
    network = _built(source, None)
    published = None if source.weights == TRAIN else _published(source)
    preprocessing = _preprocessing(source, published)
    check_outputs(network, preprocessing)
    return Preview(network, preprocessing)


@torch.inference_mode()
def check_outputs(network: nn.Module, preprocessing: Preprocessing, *, trained: bool = False) -> int:
    """Run a network on one image of noise and return its number of outputs.

    Raises
    ------
    UserError
        If it does not run on inputs of this size and number of channels, gives no (1, K) logits but something
        else or probabilities, or, once trained, numbers that are not finite.
    """
    noise = torch.Generator().manual_seed(0)
    image = torch.randn(1, preprocessing.channels, *preprocessing.input_size, generator=noise)
    try:
        logits = logits_of(network.eval()(image))
    except UserError:
        raise
    except Exception as error:
        # The user's forward may fail in any way.
        _check_channels(network, preprocessing)
        raise _does_not_run(error, preprocessing) from error
    if logits.ndim != 2:
        raise UserError(
            f"model: the network must return logits (images, classes), got shape {tuple(logits.shape)}"
        )
    if trained and not logits.isfinite().all():
        raise UserError(
            "model: the network's outputs are NaN or infinite, for an image of noise too; see how its "
            "forward divides, and whether the weights are those of this network"
        )
    _check_logits(logits)
    return logits.shape[1]


def _does_not_run(error: Exception, preprocessing: Preprocessing) -> UserError:
    size = " x ".join(map(str, preprocessing.input_size))
    kind = "" if isinstance(error, RuntimeError) else f"{type(error).__name__}: "
    reason = " ".join(str(error).split())[:200]
    more = "; its forward is given the images alone" if isinstance(error, TypeError) else ""
    return UserError(
        f"model: {line_of(error)}the network does not run on inputs of {size} pixels: {kind}{reason}{more}"
    )


def _check_logits(outputs: Tensor) -> None:
    """Refuse probabilities: softmax of these would be taken for the network's confidence."""
    if outputs.shape[1] > 1 and bool((outputs >= 0).all()) and abs(float(outputs.sum()) - 1) < ROUNDING:
        raise UserError(
            "model: the network returns probabilities (none is negative, their sum is 1), "
            "of which confidence and log loss would be false; leave out its last softmax, or return the "
            "logarithm of what it gives"
        )


def _check_channels(network: nn.Module, preprocessing: Preprocessing) -> None:
    """See whether a network that does not run was given another number of channels than it takes."""
    first = next((module for module in network.modules() if isinstance(module, nn.Conv2d)), None)
    given, taken = preprocessing.channels, first.in_channels if first else preprocessing.channels
    if taken == given:
        return
    if taken not in MEAN:
        raise UserError(
            f"model: the network takes {taken} input channels; only 3 (R, G, B) and 1 (grey) are possible"
        )
    remedy = f"mean: {list(MEAN[taken])} and std: {list(STD[taken])}, say"
    raise UserError(
        f"model.preprocessing: mean and std have {given} value{'s' * (given > 1)}, but the network's first "
        f"convolution takes {taken} input channel{'s' * (taken > 1)}; write {remedy}"
    )


def _built(source: Source, classes: int | None) -> nn.Module:
    """Build the network, its weights random."""
    file = source.architecture.rpartition(":")[0]
    if file.endswith(".py"):
        _check_tracked(find_source(file, source.inputs), source.inputs, "model.architecture")
    return build_network(source.architecture, classes, source.inputs)


def _check_tracked(path: Path, inputs: Path, key: str) -> None:
    """See that a file is among the user's, or a link there: of others DVC would see no change."""
    folder = inputs / "network"
    named = Path(os.path.abspath(path)).is_relative_to(os.path.abspath(folder))
    # The same folder may be reached by way of a link, as that of a whole project.
    if not named and not path.parent.resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"{key}: {path} lies outside of {folder}, where a change of it would go unseen; put a copy "
            "there, or a link to it, and name that"
        )


def _existing(source: Source) -> Path:
    places = [
        Path(source.weights),
        source.inputs / source.weights,
        source.inputs / "network" / source.weights,
    ]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        folder = source.inputs / "network"
        remedy = _meant(source, {}) or f"put it into {folder}"
        raise UserError(f"model.weights: {source.weights}: no such file; {remedy}")
    _check_tracked(found, source.inputs, "model.weights")
    return found


def _published(source: Source) -> Published:
    """Return torchvision's weights, or say why what is no checkpoint that can be read is no name either."""
    given = source.weights
    if "/" in given or (Path(given).suffix.islower() and "_Weights." not in given):
        remedy = _meant(source, {}) or "save the state_dict as one of them"
        raise UserError(
            f"model.weights: {given}: no checkpoint that is read ({', '.join(SUFFIXES)}); {remedy}"
        )
    if not source.architecture.startswith("torchvision:"):
        remedy = _meant(source, {TRAIN: TRAIN}) or "weights by name are for torchvision's networks only"
        raise UserError(
            f"model.weights: '{given}' is neither {TRAIN} nor a file ({', '.join(SUFFIXES)}); {remedy}"
        )
    return find_published(source.name, given)


def _meant(source: Source, others: Mapping[str, str]) -> str:
    """Ask whether another name, or a checkpoint of the user's, was meant; empty if none is near."""
    files = sorted(item for item in (source.inputs / "network").glob("*") if item.suffix in SUFFIXES)
    known = {**{item.stem: str(item) for item in files}, **others}
    meant = nearest(Path(source.weights).stem, known)
    return f"did you mean '{known[meant]}'?" if meant else ""


def _preprocessing(source: Source, published: Published | None) -> Preprocessing:
    if source.preprocessing is not None:
        return source.preprocessing
    if published is not None:
        return published.preprocessing
    if source.architecture.startswith("builtin:") and source.name in INPUT_SIZE:
        size = INPUT_SIZE[source.name]
        return Preprocessing(input_size=size, resize=size, crop="none", mean=MEAN[3], std=STD[3])
    if source.architecture.startswith("torchvision:"):
        # What all of ImageNet's classification networks started from.
        return Preprocessing(input_size=(224, 224), resize=256)
    raise UserError(
        "model.preprocessing: auto is not possible for a network of your own; give input_size, resize, crop, "
        "interpolation, mean and std"
    )


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({error}); save it again") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _class_names(source: Source, outputs: int, dataset_classes: Sequence[str]) -> Sequence[str]:
    path = source.inputs / NAMES
    if path.is_file():
        names = _lines(path)
        if len(names) != outputs:
            raise UserError(
                f"{path}: {len(names)} names, but the network has {outputs} outputs; one line each"
            )
        return names
    if len(dataset_classes) == outputs:
        _tell_order(dataset_classes)
        return dataset_classes
    # Before there is a manifest, the dataset's classes are not known yet.
    if dataset_classes:
        log.info(
            "the network's outputs are called by their numbers, 0 to %d; %s can name them, one a line",
            outputs - 1, Path("inputs") / NAMES,
        )  # fmt: skip
    return [str(number) for number in range(outputs)]


def _tell_order(classes: Sequence[str]) -> None:
    """Say in which order outputs are taken for the classes of the dataset, and where another is likely."""
    log.info(
        "the network's outputs are taken for the dataset's classes in this order: %s", some(classes, SHOWN)
    )
    as_text = sorted(classes)
    if all(name.isdigit() for name in classes) and as_text != list(classes):
        log.warning(
            "these are numbers, and in their order; torchvision's ImageFolder and Keras order class folders "
            "as text (%s): if the network was trained so, write %s, a class a line, in that order",
            some(as_text, SHOWN), Path("inputs") / NAMES,
        )  # fmt: skip
