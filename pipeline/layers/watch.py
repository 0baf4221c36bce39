"""A pass through a network that is followed, its layers' outputs handed out, or replaced, as they come up."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, fx

from pipeline.errors import UserError
from pipeline.layers.choosing import unknown_layer
from pipeline.model.outputs import logits_of
from pipeline.receptive_field.following import Following, Marks, Operation
from pipeline.receptive_field.tracing import Event, Trace

Visit = Callable[[str, Tensor], Tensor | None]


class Watch(Following):
    """One pass; what is seen is compared with the graph that was written down on one image.

    Parameters
    ----------
    traced
        The graph, with its events.
    wanted
        Layers to show.
    visit
        As `Observer.forward` takes it.

    Raises
    ------
    UserError
        A name is not in the network.
    """

    def __init__(self, traced: Trace, wanted: Iterable[str], visit: Visit) -> None:
        super().__init__(traced.network)
        names = set(traced.names.values())
        for name in sorted(set(wanted) - names):
            raise unknown_layer(name, list(traced.names.values()))
        self._shown = {node: name for node, name in traced.names.items() if name in set(wanted)}
        self._visit, self._stand_ins = visit, Marks()
        self._events = iter(traced.events)

    def logits(self, batch: Tensor) -> Tensor:
        """Run the network and return its logits, (n, K).

        Parameters
        ----------
        batch
            (n, C, h, w), of the network's dtype and on its device.

        Raises
        ------
        UserError
            It does other things with these images than with the one of the graph.
        """
        batch = self._show(next(self._events).nodes[0], batch)
        logits: Tensor = self.given(logits_of(self.run(batch)))
        _compare(next(self._events, None), None)
        return logits

    def see(self, operation: Operation) -> Any:
        """Show the result, or the items of the tuple that it is."""
        event = next(self._events, None)
        nodes = _compare(event, operation)
        result = operation.result
        if isinstance(result, Tensor):
            other = self._show(nodes[0], result)
            if any(result is item for item in operation.args):
                # Done in place: whoever holds the operand holds the result.
                self._stand_ins.put(result, other)
            return other
        if self._shown.keys().isdisjoint(nodes[1:]):
            return result
        return tuple(
            self._show(node, item) if isinstance(item, Tensor) else item
            for node, item in zip(nodes[1:], result, strict=True)
        )

    def given(self, value: Any) -> Any:
        """Return operands, each tensor that another one stands in for replaced."""
        return fx.node.map_aggregate(value, self._stand_in)

    def _stand_in(self, value: Any) -> Any:
        other = self._stand_ins.get(value) if isinstance(value, Tensor) else None
        return value if other is None else other

    def _show(self, node: fx.Node, value: Tensor) -> Tensor:
        name = self._shown.get(node)
        other = None if name is None else self._visit(name, value)
        return value if other is None else other


def _compare(event: Event | None, operation: Operation | None) -> tuple[fx.Node, ...]:
    """Return the event's nodes, if it is this operation's."""
    expected = None if event is None else (event.path, event.name)
    found = None if operation is None else (operation.path, operation.name)
    if expected != found:
        path, name = expected or found or ("", "")
        raise UserError(
            f"model: with another number of images the network does other things, from {path or 'forward'} "
            f"({name}) on; what it does may depend on the size of the images, not on their number"
        )
    return () if event is None else event.nodes
