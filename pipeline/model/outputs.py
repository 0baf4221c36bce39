"""What a network returns: its logits, alone or as the first tensor of a tuple or a dictionary."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from pipeline.errors import UserError


def logits_of(output: object) -> Tensor:
    """Return the logits among what a network returns.

    Parameters
    ----------
    output
        A tensor; or a tuple, a list or a dictionary, whose tensor ``logits`` is taken, else the first.

    Returns
    -------
    (n, K)
        As it is: the shape is not checked.

    Raises
    ------
    UserError
        There is no tensor in it.
    """
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        items: Iterable[object] = (output.get("logits"), *output.values())
    else:
        items = output if isinstance(output, list | tuple) else ()
    found = next((item for item in items if isinstance(item, Tensor)), None)
    if found is None:
        raise UserError(
            "model: the network must return a tensor of logits (images, classes), or a tuple or dictionary "
            f"whose first tensor they are, got {type(output).__name__}"
        )
    return found
