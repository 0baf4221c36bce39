"""Running a network: look at its layers' outputs, edit them, stop after one, take gradients.

    runner = Runner(network, ["conv4"], edits={"conv1": ablate}, until="conv4")
    maps = runner.run(inputs).layers["conv4"]
    slope = runner.gradient(inputs, lambda outputs: outputs.layers["conv4"][:, 7].amax((1, 2))).value

Traced networks are run operation by operation, others are watched through hooks that exist during a pass
only; names are those of `describe_layers`. `Observer` is what lies below: it keeps nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from pipeline.errors import UserError
from pipeline.layers.observer import Observer, Visit
from pipeline.layers.rules import Rectifiers, Rule
from pipeline.model.device import device_and_dtype, is_on_gpu, place_inputs

Edit = Callable[[Tensor], Tensor]

# On its way back through a convolution a GPU leaves up to 1.5e-7 of the largest where nothing arrives, which
# a processor leaves zero: ranks and signs would be those of rounding.
ROUNDING = 2.0**-21


@dataclass(frozen=True)
class Outputs:
    """What a pass gave.

    Attributes
    ----------
    layers
        Name to output, (n, units, y, x) or (n, units), each as it was when it was computed (after its edit),
        whatever in-place operation came later.
    logits
        (n, K); None where the pass was stopped.
    """

    layers: dict[str, Tensor]
    logits: Tensor | None


@dataclass(frozen=True)
class Gradient:
    """A gradient, and the pass that it was taken of.

    Attributes
    ----------
    value
        (n, C, h, w), or the shape of the layer's output.
    score
        (n,), what was differentiated.
    outputs
        Of the pass.
    """

    value: Tensor
    score: Tensor
    outputs: Outputs


Score = Callable[[Outputs], Tensor]


class Runner:
    """A network, and what is to be done while it runs.

    Parameters
    ----------
    network
        In eval mode, on its device.
    layers
        Whose outputs are wanted.
    edits
        Layer to a function of its output, with whose result the network goes on. It is given a copy, which
        it may keep, change and return.
    until
        The layer after which to stop.

    Raises
    ------
    UserError
        A name is not in the network.
    """

    def __init__(
        self,
        network: nn.Module,
        layers: Iterable[str] = (),
        *,
        edits: Mapping[str, Edit] | None = None,
        until: str | None = None,
    ) -> None:
        self._network = network
        self._layers, self._edits, self._until = frozenset(layers), dict(edits or {}), until
        self._names = self._layers | self._edits.keys() | ({until} if until else set())
        self._observer = Observer(network, self._names)

    @property
    def is_on_gpu(self) -> bool:
        """Whether the network computes on a GPU."""
        return is_on_gpu(self._network)

    @torch.no_grad()
    def run(self, inputs: np.ndarray | Tensor) -> Outputs:
        """Run the network on a batch.

        Parameters
        ----------
        inputs
            (n, C, h, w), normalised; moved to the network's device and type.
        """
        return self._run(self._observer, self._placed(inputs), None)

    def gradient(
        self, inputs: np.ndarray | Tensor, score: Score, of: str | None = None, *, rule: Rule = "gradient"
    ) -> Gradient:
        """Differentiate a score with respect to the input, or to a layer's output.

        Parameters
        ----------
        inputs
            (n, C, h, w), normalised.
        score
            Makes of the outputs one number an image, (n,), each of its own image alone:
            `lambda outputs: outputs.logits[:, 3]`. With `until` there are no logits.
        of
            A layer (the gradient is that of its output, after its edit); None for the input.
        rule
            How the signal passes rectifiers: as of `pipeline.layers.rules`.

        Raises
        ------
        UserError
            There is no such layer, or it comes after the one to stop at.
        NoRuleError
            The rule is not the gradient's, and says nothing of something on the way.
        """
        (found,) = self.gradients(inputs, [(score, rule)], of)
        return found

    def gradients(
        self, inputs: np.ndarray | Tensor, wanted: Sequence[tuple[Score, Rule]], of: str | None = None
    ) -> list[Gradient]:
        """Send several signals back through one pass: scores, each with its rule; else as `gradient`."""
        ruled = any(rule != "gradient" for _, rule in wanted)
        with torch.inference_mode(mode=False), torch.enable_grad():
            source = _Source(of)
            known = of is None or of in self._names
            observer = self._observer if known else Observer(self._network, [*self._names, str(of)])
            batch = self._placed(inputs).detach().clone()
            with Rectifiers(self._network) if ruled else nullcontext() as rectifiers:
                outputs = self._run(observer, source.begin(batch) if of is None else batch, source)
            found = []
            for number, (score, rule) in enumerate(wanted, start=1):
                scored = score(outputs)
                if rectifiers is not None:
                    rectifiers.check(scored)
                    rectifiers.rule = rule
                value = source.gradient(scored, keep=number < len(wanted))
                value = without_rounding(value) if value.is_cuda else value
                found.append(Gradient(value, scored.detach(), _detached(outputs)))
            return found

    def _placed(self, inputs: np.ndarray | Tensor) -> Tensor:
        return place_inputs(inputs, *device_and_dtype(self._network))

    def _run(self, observer: Observer, batch: Tensor, source: "_Source | None") -> Outputs:
        seen: dict[str, Tensor] = {}
        try:
            logits = observer.forward(batch, self._visit(seen, source))
        except _Stopped:
            logits = None
        return Outputs(seen, logits)

    def _visit(self, seen: dict[str, Tensor], source: "_Source | None") -> Visit:
        def visit(name: str, value: Tensor) -> Tensor | None:
            output = value
            if name in self._edits:
                # The second copy is the network's own, to be overwritten by an in-place operation.
                output = self._edits[name](output.clone()).clone()
            if source is not None and source.layer == name:
                output = source.begin(output)
            if name in self._layers:
                # A copy, since the next operation may be in place; with gradients it is part of the graph.
                seen[name] = output.clone()
            if name == self._until:
                raise _Stopped
            return None if output is value else output

        return visit


def without_rounding(gradient: Tensor) -> Tensor:
    """Return gradients, an image each, with zero for what is under `ROUNDING` of the image's largest."""
    size = gradient.abs()
    least = ROUNDING * size.flatten(1).amax(1).view(-1, *[1] * (gradient.ndim - 1))
    return gradient.where(size >= least, 0)


class _Stopped(BaseException):
    """Unwinds a pass that is to end early; no `except Exception` in a user's network holds it up."""


@dataclass
class _Source:
    """Where a gradient ends: the input (`layer` is None) or a layer's output."""

    layer: str | None
    edge: GradientEdge | None = field(default=None, init=False)
    like: Tensor = field(default_factory=lambda: torch.empty(0), init=False)

    def begin(self, value: Tensor) -> Tensor:
        """Mark a tensor, and return what the network goes on with."""
        if not value.requires_grad:
            # A copy of the leaf: in-place operations are not allowed on a leaf itself.
            value = value.detach().requires_grad_().clone()
        # The edge stays where it is when the tensor is overwritten by the next operation.
        self.edge, self.like = get_gradient_edge(value), value.detach()
        return value

    def gradient(self, score: Tensor, *, keep: bool) -> Tensor:
        """Return the gradient of the sum of the scores, zero where they do not depend on the source.

        `keep` says whether the pass is needed for another one.

        Raises
        ------
        UserError
            The pass did not come to the source.
        """
        if self.edge is None:
            raise UserError(f"no gradient of layer '{self.layer}': the pass was stopped before it")
        found = None
        if score.requires_grad:
            (found,) = torch.autograd.grad(score.sum(), [self.edge], retain_graph=keep, allow_unused=True)
        return torch.zeros_like(self.like) if found is None else found


def _detached(outputs: Outputs) -> Outputs:
    logits = None if outputs.logits is None else outputs.logits.detach()
    return Outputs({name: value.detach() for name, value in outputs.layers.items()}, logits)
