"""The calls of modules in a network that torch.fx cannot trace."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pipeline.layers.hooks import watching
from pipeline.model.outputs import logits_of
from pipeline.receptive_field.fields import does_not_run


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module.

    Attributes
    ----------
    name
        The module's path; the second call of the same module ends in `_1`, and so on. What a dense or
        convolution layer is given has its name followed by `.input`.
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
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        raise does_not_run(image, error) from error
    return [replace(call, gives_logits=value is logits) for call, value in calls]
