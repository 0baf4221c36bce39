"""A scorecard of made-up numbers: of three methods one passes, one fails by its order, one by the weights."""

import numpy as np

from pipeline.formats.scorecard import CENTRE, RANDOM, About, Images, Likeness, Order, Scorecard

SHARE = np.array([0, 0.5, 1])
METHODS = ("saliency", "guided_backprop", "occlusion")


def curves(middle):
    """Return an order whose probability is 0.9 with all pixels, 0.1 with none, and `middle` (P,) between."""
    count = len(middle)
    deletion = np.stack([np.full(count, 0.9), middle, np.full(count, 0.1)], 1)
    return deletion, deletion[:, ::-1].copy()


def scorecard(images=8, again=8, label=True):
    """Make one of so many images."""
    random = np.random.default_rng(0)
    noise = 0.02 * random.standard_normal(images)
    middles = {"saliency": 0.2, "guided_backprop": 0.3, "occlusion": 0.5, CENTRE: 0.4, RANDOM: 0.5}
    orders = {}
    for name, middle in middles.items():
        deletion, _ = curves(middle + (noise if name != RANDOM else -noise))
        insertion, _ = curves(1 - middle + noise)
        hit = np.where(np.arange(images) % 2 == 0, name != CENTRE, -1)
        hit = np.full(images, -1) if name == RANDOM or not label else hit
        orders[name] = Order(deletion, insertion[:, ::-1].copy(), hit.astype(np.int8))
    alike = {"saliency": 0.1, "guided_backprop": 0.9, "occlusion": 0.2}
    likeness = {}
    for name, mean in alike.items():
        values = mean + 0.05 * random.standard_normal((2, again))
        likeness[name] = Likeness(values, np.abs(values), values[0], np.abs(values[0]))
    about = About(METHODS, "zero", (8, 8), 4, 2, ("last", "first"), 3, 0)
    found = Images(
        (np.array([7, 2, 5]) if images == 3 else np.arange(images)), np.arange(images, dtype=np.int32) % 4,
        np.full(images, label), SHARE, np.where(np.arange(images) % 2 == 0, 0.25, np.nan),
        np.ones(again, np.int32), np.array([1, 2]),
    )  # fmt: skip
    return Scorecard(about, found, orders, likeness)
