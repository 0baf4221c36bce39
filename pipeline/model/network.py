"""Networks in a weights folder: `save_network` and `load_network`."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from pipeline.errors import UserError
from pipeline.formats.weights import Description, read_description, write_description
from pipeline.model.building import build_from_file, build_network, find_source
from pipeline.model.tensors import numbers, read_tensors, write_tensors

TENSORS, SOURCE = "model.safetensors", "network.py"


def save_network(
    weights_dir: Path, network: nn.Module, description: Description, inputs: Path
) -> Description:
    """Keep a network in a weights folder: model.safetensors, model.json and the source of a user's own.

    Parameters
    ----------
    weights_dir
        Made if it is not there.
    network
        Its state dict is written.
    description
        What it is; its digest is set here.
    inputs
        As in `build_network`.

    Returns
    -------
    Description
        With its digest.

    Raises
    ------
    UserError
        A weight is not finite.
    """
    weights_dir.mkdir(parents=True, exist_ok=True)
    state = network.state_dict()
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise UserError(f"{description.weights}: '{name}' holds NaN or infinity")
    kind, _, _ = description.architecture.partition(":")
    source = find_source(kind, inputs).read_bytes() if kind.endswith(".py") else b""
    described = description.model_copy(update={"digest": _digest(description, source, state)})
    if source:
        (weights_dir / SOURCE).write_bytes(source)
    write_tensors(weights_dir / TENSORS, state)
    write_description(weights_dir, described)
    return described


def load_network(weights_dir: Path) -> nn.Module:
    """Load the network of a weights folder.

    Its tensors are mapped from the file, so that the processes of a machine share them.

    Parameters
    ----------
    weights_dir
        Folder that `save_network` wrote.

    Returns
    -------
    Module
        In eval mode, on the CPU, without gradients.

    Raises
    ------
    UserError
        A file is missing or damaged, or differs from what model.json's digest stands for.
    """
    description = read_description(weights_dir)
    path = weights_dir / TENSORS
    try:
        state = read_tensors(path)
        source = (weights_dir / SOURCE).read_bytes() if _is_file(description) else b""
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: missing or damaged ({error}); run the stage weights again") from error
    if _digest(description, source, state) != description.digest:
        raise UserError(
            f"{weights_dir}: the weights are not those of its model.json; run the stage weights again"
        )
    network = _unfilled(description, weights_dir)
    given: OrderedDict[str, Tensor] = OrderedDict(state)
    # Some of torchvision's networks take a state dict without versions for one of an older layout.
    given._metadata = network.state_dict()._metadata  # type: ignore[attr-defined]
    try:
        network.load_state_dict(given, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path}: does not fit {description.architecture}: {reason}") from error
    return network.eval().requires_grad_(False)


def _unfilled(description: Description, weights_dir: Path) -> nn.Module:
    """Build a network whose tensors are about to be replaced, without filling them if that is possible."""
    if _is_file(description):
        _, _, factory = description.architecture.partition(":")
        return build_from_file(weights_dir / SOURCE, factory, len(description.classes) or None)
    try:
        with torch.device("meta"):
            network = build_network(description.architecture, len(description.classes) or None, weights_dir)
        buffers = set(dict(network.named_buffers())) - set(network.state_dict())
    except (RuntimeError, NotImplementedError):
        buffers = {"?"}
    # Buffers that are not saved would stay empty.
    return (
        build_network(description.architecture, len(description.classes) or None, weights_dir)
        if buffers
        else network
    )


def _is_file(description: Description) -> bool:
    return description.architecture.partition(":")[0].endswith(".py")


def _digest(description: Description, source: bytes, state: Mapping[str, Tensor]) -> str:
    what = description.model_dump(mode="json", include={"architecture", "classes", "preprocessing"})
    total = hashlib.sha256(json.dumps(what, sort_keys=True).encode())
    total.update(hashlib.sha256(source).digest())
    for name in sorted(state):
        tensor = state[name]
        total.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        total.update(numbers(tensor))
    return total.hexdigest()
