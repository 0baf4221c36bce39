"""Gradients of a network's scores: of a batch of inputs, or the sum over many variants of each input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.layers.rules import Rule
from pipeline.layers.running import Outputs, Runner, Score

Maps = NDArray[np.float32]
Numbers = NDArray[np.integer]
# Given an input's place in the batch and a variant's number, returns it, (C, h, w).
Vary = Callable[[int, int], Maps]


def score_of(outputs: Numbers) -> Score:
    """Return what takes of each image the logit of its output; `outputs` is (n,)."""

    def score(found: Outputs) -> torch.Tensor:
        assert found.logits is not None, "the network ran to its end"
        return found.logits[torch.arange(len(outputs)), torch.as_tensor(np.asarray(outputs, np.int64))]

    return score


def parts(count: int, most: int) -> Iterator[slice]:
    """Yield a count of things as slices of at most so many."""
    for first in range(0, count, most):
        yield slice(first, min(first + most, count))


@dataclass(frozen=True)
class Scores:
    """Takes gradients of a network's logits with respect to its input.

    Attributes
    ----------
    runner
        Of the network, to its end.
    batch_size
        Inputs in a batch.
    """

    runner: Runner
    batch_size: int

    def gradient(self, inputs: Maps, outputs: Numbers, rule: Rule = "gradient") -> Maps:
        """Send a signal of 1 back from the logit of an output on each of n inputs.

        Parameters
        ----------
        inputs
            (n, C, h, w), normalised.
        outputs
            (n,), which.
        rule
            How it passes rectifiers.

        Returns
        -------
        (n, C, h, w) float32

        Raises
        ------
        NoRuleError
            The rule says nothing of something on the way.
        """
        some = parts(len(inputs), self.batch_size)
        return np.concatenate([self._gradient(inputs[one], outputs[one], rule) for one in some])

    def summed(
        self, inputs: Maps, outputs: Numbers, vary: Vary, weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the weighted sum of the gradients at V variants of each input, (n, C, h, w) float64.

        Parameters
        ----------
        inputs, outputs
            As of `gradient`.
        vary
            Makes the variants of an input, when they are wanted.
        weights
            (V,).
        """
        total = np.zeros(inputs.shape, np.float64)
        variants = len(weights)
        for some in parts(len(inputs) * variants, self.batch_size):
            place, number = np.divmod(np.arange(some.start, some.stop), variants)
            batch = np.stack([vary(int(one), int(which)) for one, which in zip(place, number, strict=True)])
            found = self._gradient(batch, outputs[place], "gradient").astype(np.float64)
            for one in np.unique(place):
                total[one] += np.tensordot(weights[number[place == one]], found[place == one], 1)
        return total

    def values(self, inputs: Maps, outputs: Numbers) -> NDArray[np.float64]:
        """Return the logits themselves, (n,); arguments as of `gradient`."""
        found = [
            score_of(outputs[some])(self.runner.run(inputs[some])).double().cpu().numpy()
            for some in parts(len(inputs), self.batch_size)
        ]
        return np.concatenate(found)

    def _gradient(self, inputs: Maps, outputs: Numbers, rule: Rule) -> Maps:
        return self.runner.gradient(inputs, score_of(outputs), rule=rule).value.float().cpu().numpy()
