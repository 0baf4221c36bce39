"""What a ranking comes to in numbers: how many units are active, how many have ties, how many images win."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.formats.topk import RankedLayer


@dataclass
class Totals:
    """Counts over layers; each is added once.

    Attributes
    ----------
    k
        Images shown for each unit.
    units, never_active
        Units so far, and those without a positive maximum on any image.
    tied
        Active units that do not tell rank `k` from the rank before it: which of the two images is shown is
        arbitrary. None where no further rank is known.
    winners
        Ids of the images among the first `k` of any unit that they activate.
    overlap
        Of each layer that was ranked again after half precision, the share of the first `k` that stayed.
    lost
        Units that are estimated to lack one of their first `k`; None in float32.
    """

    k: int
    units: int = 0
    never_active: int = 0
    tied: int | None = None
    winners: set[int] = field(default_factory=set)
    overlap: list[float] = field(default_factory=list)
    lost: float | None = None

    def add(self, layer: RankedLayer) -> None:
        """Count a layer."""
        self.units += len(layer.value)
        self.never_active += int(np.count_nonzero(layer.count_active == 0))
        first = layer.value[:, : self.k] > 0
        self.winners.update(np.unique(layer.image_id[:, : self.k][first]).tolist())
        if layer.key.shape[1] > self.k:
            same = layer.key[:, self.k - 1] == layer.key[:, self.k]
            self.tied = (self.tied or 0) + int(np.count_nonzero(same & first[:, -1]))
        if layer.overlap is not None and not np.isnan(layer.overlap):
            self.overlap.append(float(layer.overlap))
        if layer.lost is not None:
            self.lost = (self.lost or 0.0) + layer.lost * len(layer.value)

    def numbers(self) -> dict[str, int | float]:
        """Return the counts by the names that the metrics have; what is not known is left out."""
        known: dict[str, int | float] = {
            "k": self.k,
            "units": self.units,
            "units_never_active": self.never_active,
            "winners": len(self.winners),
        }
        if self.tied is not None:
            known["units_tied"] = self.tied
        if self.overlap:
            known["overlap"] = float(np.mean(self.overlap))
        if self.lost is not None:
            known["share_lost"] = self.lost / self.units
        return known
