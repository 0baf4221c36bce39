"""A network's forward pass, its layers' outputs handed out, or replaced, in the moment they are computed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx, nn

from pipeline.layers.choosing import unknown_layer
from pipeline.layers.watch import Visit, Watch
from pipeline.model.outputs import logits_of
from pipeline.receptive_field.fields import attribute
from pipeline.receptive_field.hooks import INPUT, watching
from pipeline.receptive_field.recording import NotFollowedError, follow
from pipeline.receptive_field.tracing import Trace, trace


@dataclass(frozen=True)
class Step:
    """One operation: what to run, under which name to show its value, which values to forget after it."""

    node: fx.Node
    target: Any
    shown: str | None
    done: tuple[fx.Node, ...]


class Observer:
    """A network whose layers can be looked at while it runs.

    The traced graph is run operation by operation, so that functional operations are seen as modules are,
    and an output before a following in-place operation changes it. A network that torch.fx cannot trace is
    run as it is, and its operations are seen as they happen. One that decides by values of the image is
    watched through forward hooks on its modules; a module that is called several times is `name`, `name_1`,
    ... then.

    Parameters
    ----------
    network
        In eval mode; may be moved, cast or changed in memory format between passes.
    names
        Layers to show.

    Raises
    ------
    UserError
        A name is not in the network. Where torch.fx cannot trace it, that shows in the first pass.
    """

    def __init__(self, network: nn.Module, names: Iterable[str]) -> None:
        self._network = network
        self._wanted = frozenset(names)
        traced = trace(network)
        self._steps = None if traced is None else _plan(traced, self._wanted)
        self._followed: dict[tuple[int, ...], Trace | None] = {}

    def forward(self, batch: Tensor, visit: Visit) -> Tensor:
        """Run the network on a batch.

        Parameters
        ----------
        batch
            (n, C, h, w), of the network's dtype and on its device.
        visit
            Called with a layer's name and its output as soon as that is computed. The tensor may change, or
            its memory be used again, once `visit` has returned: what is to be kept has to be copied or
            reduced. If it returns a tensor, the network goes on with that one. What it raises ends the
            pass.

        Returns
        -------
        (n, K)
            The network's output; the first, of a tuple or a dictionary.
        """
        if self._steps is None:
            traced = self._traced(batch)
            return Watch(traced, self._wanted, visit).logits(batch) if traced else self._watch(batch, visit)
        values: dict[fx.Node, Any] = {}
        for step in self._steps:
            values[step.node] = self._run(step, values, batch)
            if step.shown is not None:
                other = visit(step.shown, values[step.node])
                if other is not None:
                    _replace(values, values[step.node], other)
            # Nothing else may hold a map here: it has to go before the next one is made.
            for node in step.done:
                del values[node]
        return logits_of(values[self._steps[-1].node])

    def _traced(self, batch: Tensor) -> Trace | None:
        """Return the graph that is followed with images of this size; None where there is none."""
        size = tuple(batch.shape[1:])
        if size not in self._followed:
            try:
                self._followed[size] = follow(self._network, batch[:1])
            except NotFollowedError:
                self._followed[size] = None
        return self._followed[size]

    def _watch(self, batch: Tensor, visit: Visit) -> Tensor:
        def note(name: str, _: nn.Module | None, value: Tensor) -> Tensor | None:
            return visit(name, value) if name in self._wanted else None

        with watching(_modules(self._network, self._wanted), note):
            return logits_of(self._network(batch))

    def _run(self, step: Step, values: dict[fx.Node, Any], batch: Tensor) -> Any:
        node = step.node
        if node.op == "placeholder":
            return batch
        if node.op == "get_attr":
            return attribute(self._network, step.target)
        args = fx.node.map_arg(node.args, values.__getitem__)
        if node.op == "output":
            return args[0]
        kwargs = fx.node.map_arg(node.kwargs, values.__getitem__) if node.kwargs else {}
        if node.op == "call_method":
            return getattr(args[0], step.target)(*args[1:], **kwargs)
        return step.target(*args, **kwargs)


def _plan(traced: Trace, wanted: frozenset[str]) -> list[Step]:
    missing = sorted(wanted - set(traced.names.values()))
    if missing:
        raise unknown_layer(missing[0], list(traced.names.values()))
    order = {node: number for number, node in enumerate(traced.graph.nodes)}
    done: dict[fx.Node, list[fx.Node]] = {}
    for node in order:
        last = max(node.users, key=order.__getitem__, default=node)
        if last.op != "output" and node.op != "output":
            done.setdefault(last, []).append(node)
    steps = []
    for node in order:
        name = traced.names.get(node)
        target = traced.module(node) or node.target
        steps.append(Step(node, target, name if name in wanted else None, tuple(done.get(node, ()))))
    return steps


def _modules(network: nn.Module, wanted: frozenset[str]) -> dict[str, nn.Module]:
    """Return the modules that wanted names are calls of."""
    modules = dict(network.named_modules())
    chosen = {}
    for name in sorted(wanted):
        path = name.removesuffix(INPUT)
        numbered, _, number = path.rpartition("_")
        path = path if path in modules or not number.isdigit() else numbered
        if path not in modules:
            raise unknown_layer(name, [path for path in modules if path])
        chosen[path] = modules[path]
    return chosen


def _replace(values: dict[fx.Node, Any], value: Tensor, other: Tensor) -> None:
    """Put `other` wherever `value` stands: an in-place operation returns its operand."""
    for node, found in values.items():
        if found is value:
            values[node] = other
