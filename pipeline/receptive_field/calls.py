"""The calls of modules in a network whose operations cannot be followed."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pipeline.errors import UserError
from pipeline.model.outputs import logits_of
from pipeline.receptive_field.hooks import watching
from pipeline.receptive_field.places import described


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module.

    Attributes
    ----------
    name
        The module's path; the second call of the same module ends in `_1`, and so on. What a dense or
        convolution layer, or a bounded activation, is given has the call's name followed by `.input`.
    module
        What was called, None for an input.
    shape
        Of the output for one image.
    is_block
        Whether the module has a forward method of its own around others'.
    gives_logits
        Whether the network returns this output as its logits.
    """

    name: str
    module: nn.Module | None
    shape: tuple[int, ...]
    is_block: bool
    gives_logits: bool = False


def describe_calls(network: nn.Module, image: Tensor) -> list[ModuleCall]:
    """Run a network on one image (1, channels, h, w) and list the calls of its modules that return a tensor.

    Raises
    ------
    UserError
        The network does not run on it.
    """
    calls: list[tuple[ModuleCall, Tensor]] = []
    modules = dict(network.named_modules())

    def note(name: str, module: nn.Module | None, value: Tensor) -> None:
        is_block = module is not None and any(module.children()) and not isinstance(module, nn.Sequential)
        calls.append((ModuleCall(name, module, tuple(value.shape), is_block), value))

    try:
        with torch.no_grad(), watching(modules, note):
            logits = logits_of(network(image))
    except UserError:
        raise
    except Exception as error:
        # The user's code may fail in any way.
        raise does_not_run(network, image, error) from error
    return [replace(call, gives_logits=value is logits) for call, value in calls]


def does_not_run(network: nn.Module, image: Tensor, error: Exception) -> UserError:
    """Return the error for a network that cannot take an input like this one.

    It names the user's line: where it was not the network itself that failed, but a graph of it, the network
    is run for that.
    """
    try:
        with torch.no_grad():
            network(image.clone())
    except Exception as own:
        # The user's code may fail in any way.
        error = own
    _, channels, height, width = image.shape
    several = "" if channels == 3 else f" and {channels} channel{'s' * (channels > 1)}"
    return UserError(
        f"the network does not run on an input of {height}x{width} pixels{several}: {described(error)}"
    )
