"""What people are asked of a unit: from its strongest images, which of two further ones excites it more.

After Borowski et al., Exemplary natural images explain CNN activations better than state-of-the-art feature
visualization (ICLR 2021), who ask it of a strong and a weak image that are not among those that are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.formats.contrasts import ContrastKind
from pipeline.formats.patches import DrawnLayer
from pipeline.formats.topk import RankedLayer

NINE = 9


@dataclass(frozen=True)
class Trial:
    """One question.

    Attributes
    ----------
    layer, unit
        Of which unit.
    row
        The unit's place among those that are drawn.
    nine
        How many of the unit's strongest images are shown; nine, or all that are drawn.
    strong, box
        The image that excites it most beside these, and what the unit sees there: x0, y0, x1, y1 in pixels of
        the original image.
    weak, place
        One of its weakest images, and its place among these.
    strong_left
        Whether the strong one stands on the left.
    """

    layer: str
    unit: int
    row: int
    nine: int
    strong: int
    box: tuple[float, float, float, float]
    weak: int
    place: int
    strong_left: bool


def find_trials(layer: str, drawn: DrawnLayer, ranked: RankedLayer, weakest: ContrastKind) -> Iterator[Trial]:
    """Yield a question, the strong image on the left, for each drawn unit that has images enough.

    Neither of the two images is among the nine, and the strong one is given to the network nowhere as one of
    these: what was passed over for that is passed over here.

    Parameters
    ----------
    layer
        Its name.
    drawn
        Its units with the images that are drawn of each.
    ranked
        All of its units, with ranks beyond these.
    weakest
        Of the drawn units the images that excite them least and yet do.
    """
    for row, unit in enumerate(drawn.unit.tolist()):
        shown = drawn.image_id[row, :NINE]
        if (shown < 0).any():
            continue
        fresh = (ranked.value[unit] > 0) & ~ranked.duplicate[unit] & ~np.isin(ranked.image_id[unit], shown)
        if not fresh.any():
            continue
        rank = int(fresh.argmax())
        strong = int(ranked.image_id[unit, rank])
        apart = ~np.isin(weakest.image_id[row], [-1, strong, *shown])
        weaker = np.flatnonzero(apart & (weakest.value[row] < ranked.key[unit, rank]))
        if len(weaker):
            place, box = int(weaker[0]), tuple(ranked.box[unit, rank].tolist())
            weak = int(weakest.image_id[row, place])
            yield Trial(layer, unit, row, len(shown), strong, box, weak, place, strong_left=True)


def draw_trials(found: Mapping[str, Sequence[Trial]], most: int, seed: int) -> list[Trial]:
    """Draw questions: of each layer at most so many units, in an order and with sides drawn at random.

    Of each layer as many strong images stand on the left as on the right, or one more; the side that has one
    more changes each time.

    Parameters
    ----------
    found
        Of each layer.
    most
        Units of a layer.
    seed
        Of the units, the order and the sides.
    """
    chance, drawn, lead = np.random.default_rng(seed), list[Trial](), 0
    for trials in found.values():
        chosen = chance.permutation(len(trials))[:most]
        sides = chance.permutation((np.arange(len(chosen)) + lead) % 2)
        lead = (lead + len(chosen)) % 2
        for place, side in zip(chosen.tolist(), sides.tolist(), strict=True):
            drawn.append(replace(trials[place], strong_left=side == 0))
    return [drawn[place] for place in chance.permutation(len(drawn)).tolist()]
