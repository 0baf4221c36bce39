"""Where a bounded activation function is flat, found out from what enters and leaves it.

Activations keep, of layers that are bounded above, the maxima of what enters them beside those of what
leaves them. All these functions are monotone, so that the pairs lie on the function's graph: which function
it is, and so which value it never exceeds, is seen from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

Float32 = NDArray[np.float32]

# How near to its largest or smallest value a smooth function counts as flat: a share of its range.
NEAR = 0.01
# How far a pair may lie beside the graph: bfloat16 has eight significant bits.
TOLERANCE = {"float32": 1e-5, "float16": 2e-3, "bfloat16": 1e-2}


class Ends(NamedTuple):
    """Outputs from which on a function is flat, above and below; infinite where it never is, or unknown.

    Attributes
    ----------
    function
        Its name; empty where it was not recognised, or is not bounded.
    """

    function: str = ""
    bottom: float = -np.inf
    top: float = np.inf


class Graph(NamedTuple):
    """A function without parameters: what it is, and the outputs from which on it is flat."""

    of: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    bottom: float
    top: float


GRAPHS: Mapping[str, Graph] = {
    "sigmoid": Graph(expit, NEAR, 1 - NEAR),
    "tanh": Graph(np.tanh, -1 + 2 * NEAR, 1 - 2 * NEAR),
    "softsign": Graph(lambda x: x / (1 + np.abs(x)), -1 + 2 * NEAR, 1 - 2 * NEAR),
    "log-sigmoid": Graph(log_expit, -np.inf, -NEAR),
    "hard sigmoid": Graph(lambda x: np.clip(x / 6 + 0.5, 0, 1), 0, 1),
}
CLAMP = "clamp"


@dataclass
class Recogniser:
    """Finds out, pair by pair, which function leads from inputs to outputs.

    Attributes
    ----------
    precision
        What the network computed in.
    left
        Names of the functions that no pair has ruled out.
    """

    precision: str = "float32"
    left: set[str] = field(default_factory=lambda: {*GRAPHS, CLAMP})
    _clipped: list[float] = field(default_factory=lambda: [np.inf, -np.inf, np.inf, -np.inf])

    def add(self, inputs: Float32, outputs: Float32) -> None:
        """Look at pairs, arrays of one shape; functions that they do not lie on are out."""
        x, y = inputs.astype(np.float64), outputs.astype(np.float64)
        near = TOLERANCE[self.precision]
        for name in self.left & set(GRAPHS):
            if not np.allclose(GRAPHS[name].of(x), y, rtol=near, atol=near):
                self.left.discard(name)
        if CLAMP in self.left:
            self._clip(x, y)

    def _clip(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        """What was cut off above must all have come to one value, and so below; the rest is as it was."""
        low, high = y[y > x], y[y < x]
        seen = self._clipped
        if low.size:
            seen[0], seen[1] = min(seen[0], low.min()), max(seen[1], low.max())
        if high.size:
            seen[2], seen[3] = min(seen[2], high.min()), max(seen[3], high.max())
        if seen[0] < seen[1] or seen[2] < seen[3]:
            self.left.discard(CLAMP)

    def ends(self) -> Ends:
        """Return where the function is flat; nothing is known where no function, or several, fit."""
        if len(self.left) != 1:
            return Ends()
        (name,) = self.left
        if name in GRAPHS:
            return Ends(name, GRAPHS[name].bottom, GRAPHS[name].top)
        # That a ReLU6 is silent at 0 is no saturation. inf where nothing was cut off: it did not saturate.
        bottom = self._clipped[0]
        return Ends(name, -np.inf if not np.isfinite(bottom) or bottom == 0 else bottom, self._clipped[2])
