"""The numbers of the first page found anew in the artifacts, by other code than that of the pipeline.

`ORACLES` maps a section and the name of one of its numbers to a function of the opened artifacts. What is
read is HDF5 as docs/artifacts.md describes it; no reader of the project is used.
"""

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054  # of a 95 % interval
ALIKE, TWIN, CLEAR = 0.9, 0.99, 0.05
LEAST, STAYS, REPEATS = 6, 0.5, 2000  # of the scorecard of attributions


class Artifacts:
    """The artifacts of a finished run, each opened when it is asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __getattr__(self, name: str) -> h5py.File:
        return h5py.File(self.root / "artifacts" / f"{name}.h5")

    def layers(self, name: str) -> list[str]:
        return [layer.decode() for layer in self.__getattr__(name).attrs["layers"]]

    @cached_property
    def confusion(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = self.predictions["confusion"]
        return found["label"][()], found["predicted"][()], found["images"][()]

    def stored(self, file: str) -> Any:
        return json.loads((self.root / file).read_text())


def wilson(count: float, of: float) -> tuple[float, float]:
    """Wilson's score interval as its formula stands in the textbooks."""
    share, z2 = count / of, Z * Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z / (1 + z2 / of) * np.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return middle - half, middle + half


def right(a: Artifacts) -> tuple[int, int]:
    label, predicted, images = a.confusion
    return int(images[label == predicted].sum()), int(images.sum())


def share(count_and_of: tuple[int, int]) -> float:
    return count_and_of[0] / count_and_of[1]


def per_unit(a: Artifacts, artifact: str, dataset: str) -> np.ndarray:
    """A dataset of all layers, unit after unit."""
    return np.concatenate([getattr(a, artifact)[layer][dataset][()] for layer in a.layers(artifact)])


def confidence(a: Artifacts) -> float:
    bins = a.predictions["reliability"]
    count, mean = bins["count"][()], bins["confidence"][()]
    return float(np.nansum(mean * count) / count.sum())


def pairs(a: Artifacts) -> list[tuple[float, int, int, int, int]]:
    """Pairs of classes by the share that is mistaken, the largest first: share, count, of, and the two."""
    label, predicted, images = a.confusion
    size = {one: int(images[label == one].sum()) for one in {*label.tolist(), *predicted.tolist()}}
    counts: dict[tuple[int, int], int] = {}
    for one, other, count in zip(label.tolist(), predicted.tolist(), images.tolist(), strict=True):
        if one != other:
            key = (min(one, other), max(one, other))
            counts[key] = counts.get(key, 0) + count
    found = [
        (count / (size[p] + size[q]), count, size[p] + size[q], p, q) for (p, q), count in counts.items()
    ]
    return sorted(found, reverse=True)


def output(a: Artifacts, index: int) -> str:
    return a.predictions["output_name"][index].decode()


def probe_shares(a: Artifacts, kind: str) -> tuple[list[str], list[float]]:
    label, layers = a.separability["sample/label"][()], a.layers("separability")
    return layers, [
        float((a.separability[f"{layer}/{kind}/predicted"][()] == label).mean()) for layer in layers
    ]


def rise(a: Artifacts, kind: str) -> int:
    return int(np.diff(probe_shares(a, kind)[1]).argmax())


def attacked(a: Artifacts) -> list[float]:
    hit = a.fooling["attack/pgd/predicted"][()] == a.fooling["sample/output"][()][:, None]
    return hit.mean(0).tolist()


def halved(a: Artifacts) -> int:
    shares = attacked(a)
    return next(place for place, one in enumerate(shares) if one <= shares[0] / 2)


def arrival(a: Artifacts) -> np.ndarray:
    """The checkpoint from which each layer stays as it will be at the end."""
    own = np.diagonal(a.similarity["checkpoint/cka"][()], axis1=1, axis2=2)
    return np.array(
        [next(c for c in range(len(own)) if (own[c:, k] >= ALIKE).all()) for k in range(own.shape[1])]
    )


def epoch(a: Artifacts, checkpoint: int) -> str:
    return str(a.similarity["checkpoint/epoch"][checkpoint])


def beside_random(a: Artifacts) -> list[tuple[float, float]]:
    found = (a.directions[layer] for layer in a.layers("directions"))
    return [
        (one["random"].attrs["p_value"], one["random"].attrs["effect"]) for one in found if "random" in one
    ]


def nearest(a: Artifacts) -> np.ndarray:
    """Each unit's largest correlation with another of its layer, as far as both vary."""
    found = a.similar_units
    return np.concatenate([
        found[layer]["correlation"][()][found[layer]["varies"][()].astype(bool), 0]
        for layer in a.layers("similar_units")
    ])  # fmt: skip


def like_noise(a: Artifacts) -> dict[str, bool]:
    """Of each layer with kernels, whether it is as rough and as evenly spread as noise."""
    about = a.filters.attrs
    layers = {layer: a.filters[layer].attrs for layer in a.layers("filters")}
    return {
        layer: one["smoothness"] <= max(about["noise_smoothness"], 3 * one["deviation"])
        and one["evenness"] >= about["noise_evenness"]
        for layer, one in layers.items()
        if "smoothness" in one
    }


def probes_right(a: Artifacts) -> np.ndarray:
    rows = np.searchsorted(a.predictions["image_id"][()], a.probes["image_id"][()])
    return a.predictions["label_rank"][()][rows] == 0


def moved_by_covering(a: Artifacts) -> int:
    """Probes whose prediction some place of the largest square changes."""
    squares = a.occlusion[str(max(a.occlusion.attrs["windows"]))]["predicted"][()]
    whole = a.occlusion["whole/predicted"][()]
    return int((squares != whole[:, None, None]).any((1, 2)).sum())


def lower_end(values: np.ndarray) -> float:
    """Of the mean, by the draws that the verdicts are defined by: a thousand or so differ near zero."""
    random = np.random.default_rng(0)
    draws = [values[random.integers(0, len(values), len(values))].mean() for _ in range(REPEATS)]
    return float(np.quantile(draws, 0.025))


def beats_lot(a: Artifacts, method: str) -> bool:
    share = a.scorecard["share"][()]
    (gone, come), (lot, lot_in) = (
        [
            np.trapezoid(a.scorecard[f"{name}/{curve}"][()], share, axis=1)
            for curve in ("deletion", "insertion")
        ]
        for name in (method, "random")
    )
    return lower_end(lot - gone) > 0 or lower_end(come - lot_in) > 0


def hardly_changes(a: Artifacts, method: str) -> bool:
    maps = [a.scorecard[f"{method}/{name}"][()].mean(0) for name in ("shuffled", "shuffled_magnitude")]
    known = [one[~np.isnan(one)] for one in maps]
    return max((one.mean() for one in known if len(one) >= LEAST), default=-1) >= STAYS


def failing(a: Artifacts) -> int:
    """Methods whose curves are no better than by lot, or whose maps stay as they are without the weights."""
    judged = len(a.scorecard["image_id"]) >= LEAST
    methods = [one.decode() for one in a.scorecard.attrs["methods"]]
    return sum((judged and not beats_lot(a, one)) or hardly_changes(a, one) for one in methods)


def climbed(a: Artifacts) -> NDArray[np.bool_]:
    """Whether the score of each class ever left that of the zero image."""
    score = a.class_models["score"][()]
    return (score != score[:, :1]).any(axis=1)


def inverted(a: Artifacts) -> dict[str, float]:
    """The median error of the code of each layer."""
    return {layer: float(np.median(a.inversion[layer]["error"][()])) for layer in a.layers("inversion")}


ORACLES: dict[str, Callable[[Artifacts], Any]] = {
    "summary#accuracy": lambda a: share(right(a)),
    "summary#accuracy_images": lambda a: right(a)[1],
    "summary#evaluated": lambda a: right(a)[1],
    "summary#accuracy_low": lambda a: wilson(*right(a))[0],
    "summary#accuracy_high": lambda a: wilson(*right(a))[1],
    "summary#mean_confidence": confidence,
    "summary#largest_share": lambda a: max(np.bincount(a.confusion[0], a.confusion[2])) / right(a)[1],
    "summary#pair_first": lambda a: output(a, pairs(a)[0][3]),
    "summary#pair_second": lambda a: output(a, pairs(a)[0][4]),
    "summary#pair_mistaken": lambda a: pairs(a)[0][1],
    "summary#pair_of": lambda a: pairs(a)[0][2],
    "summary#pair_ends": lambda a: wilson(*pairs(a)[0][1:3]),
    "summary#layers": lambda a: len(a.layers("topk")),
    "summary#units": lambda a: len(per_unit(a, "topk", "count_active")),
    "summary#images": lambda a: len(a.manifest["path"]),
    "topk#units_never_active": lambda a: int((per_unit(a, "topk", "count_active") == 0).sum()),
    "patches#units_never_active": lambda a: int((per_unit(a, "topk", "count_active") == 0).sum()),
    "patches#units": lambda a: len(per_unit(a, "topk", "count_active")),
    "patches#units_drawn": lambda a: len(per_unit(a, "patches", "unit")),
    "patches#k": lambda a: int(a.topk.attrs["k"]),
    "units#units_dead": lambda a: int(per_unit(a, "units", "dead").sum()),
    "units#units_saturated": lambda a: int(per_unit(a, "units", "saturated").sum()),
    "units#saturated_from": lambda a: a.units.attrs["saturated_from"],
    "units#units": lambda a: len(per_unit(a, "units", "dead")),
    "units#images": lambda a: int(a.units.attrs["images"]),
    "fooling#pgd_half": lambda a: int(a.fooling["sample/level"][halved(a)]),
    "fooling#pgd_at": lambda a: attacked(a)[halved(a)],
    "fooling#before": lambda a: attacked(a)[0],
    "fooling#pgd_last": lambda a: attacked(a)[-1],
    "fooling#largest": lambda a: int(a.fooling["sample/level"][-1]),
    "fooling#images": lambda a: len(a.fooling["sample/output"]),
    "separability#held_out": lambda a: len(a.separability["sample/label"]),
    "separability#classes": lambda a: len(a.separability["sample/classes"]),
    "separability#network": lambda a: float(a.separability["sample/network_right"][()].mean()),
    **{
        f"separability#rise_{kind}_{name}": found
        for kind in ("mean", "maxima")
        for name, found in {
            "from": lambda a, kind=kind: a.layers("separability")[rise(a, kind)],
            "to": lambda a, kind=kind: a.layers("separability")[rise(a, kind) + 1],
            "shares": lambda a, kind=kind: probe_shares(a, kind)[1][rise(a, kind) :][:2],
        }.items()
    },
    **{
        f"separability#best_{kind}": lambda a, kind=kind: max(probe_shares(a, kind)[1])
        for kind in ("mean", "maxima")
    },
    "similarity#early_layer": lambda a: a.layers("similarity")[int(arrival(a).argmin())],
    "similarity#early": lambda a: epoch(a, arrival(a).min()),
    "similarity#late_layer": lambda a: a.layers("similarity")[
        int(np.flatnonzero(arrival(a) == arrival(a).max())[-1])
    ],
    "similarity#late": lambda a: epoch(a, arrival(a).max()),
    "similarity#alike": lambda a: ALIKE,
    "similarity#images": lambda a: len(a.similarity["image_id"]),
    "similarity#beside": lambda a: float(np.diagonal(a.similarity["cka"][()], 1).mean()),
    "similarity#ends": lambda a: float(a.similarity["cka"][0, -1]),
    "directions#random_compared": lambda a: len(beside_random(a)),
    "directions#random_purer": lambda a: sum(p < CLEAR and effect > 0 for p, effect in beside_random(a)),
    "directions#images": lambda a: int(a.directions.attrs["images"]),
    "neighbours#k": lambda a: int(a.neighbours.attrs["k"]),
    "neighbours#codes": lambda a: float(a.neighbours["codes/agreement"][()].mean()),
    "neighbours#pixels": lambda a: float(a.neighbours["pixels/agreement"][()].mean()),
    "neighbours#colours": lambda a: float(a.neighbours["colours/agreement"][()].mean()),
    "neighbours#chance": lambda a: float(a.neighbours["sample/chance"][()].mean()),
    "neighbours#sample": lambda a: len(a.neighbours["sample/image_id"]),
    "attributes#counted": lambda a: right(a)[1],
    "attributes#attributes": lambda a: len(a.attributes["effect"]),
    "similar_units#twins": lambda a: int((nearest(a) >= TWIN).sum()),
    "similar_units#compared": lambda a: len(nearest(a)),
    "similar_units#median": lambda a: float(np.median(nearest(a))),
    "similar_units#twin": lambda a: TWIN,
    "similar_units#images": lambda a: int(a.similar_units.attrs["images"]),
    "embedding#images": lambda a: len(a.embedding["image_id"]),
    "filters#noise_layers": lambda a: sum(like_noise(a).values()),
    "filters#noise": lambda a: ", ".join(layer for layer, is_noise in like_noise(a).items() if is_noise),
    "filters#judged": lambda a: len(like_noise(a)),
    "filters#layers": lambda a: len(a.layers("filters")),
    "probes#probes": lambda a: len(a.probes["image_id"]),
    "scorecard#failing": failing,
    "scorecard#methods": lambda a: len(a.scorecard.attrs["methods"]),
    "scorecard#images": lambda a: len(a.scorecard["image_id"]),
    "scorecard#again": lambda a: len(a.scorecard["other"]),
    "probes#right": lambda a: int(probes_right(a).sum()),
    "probes#wrong": lambda a: int((~probes_right(a)).sum()),
    "occlusion#changed": moved_by_covering,
    "inversion#least": lambda a: min(inverted(a).values()),
    "inversion#most": lambda a: max(inverted(a).values()),
    "inversion#least_layer": lambda a: min(inverted(a), key=inverted(a).__getitem__),
    "inversion#most_layer": lambda a: max(inverted(a), key=inverted(a).__getitem__),
    "training_dynamics#checkpoints": lambda a: len(a.training_dynamics["checkpoint/name"]),
    "occlusion#probes": lambda a: len(a.occlusion["whole/image_id"]),
    "occlusion#largest": lambda a: int(max(a.occlusion.attrs["windows"])),
    "gradients#probes": lambda a: len(a.gradients["image_id"]),
    "gradients#methods": lambda a: len(a.gradients.attrs["methods"]),
    "class_models#classes": lambda a: int(climbed(a).sum()),
    "class_models#recognised": lambda a: int(
        (climbed(a) & (a.class_models["output"][()] == a.class_models["predicted"][()])).sum()
    ),
    "excited_units#images": lambda a: int(a.excited_units.attrs["images"]),
    "activation_maps#layers": lambda a: len(a.layers("activation_maps")),
    "activation_maps#probes": lambda a: len(a.activation_maps["image_id"]),
    "projections#layers": lambda a: len(a.layers("projections")),
    "projections#units": lambda a: sum(
        len(a.projections[layer]["unit"]) for layer in a.layers("projections")
    ),
}
