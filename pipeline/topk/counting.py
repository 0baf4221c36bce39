"""What a ranking comes to in numbers: how many units are active, how many have ties, how many images win."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


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
        Units whose rank `k` has the positive value of the rank before it: which of the two images is shown is
        arbitrary. None where no further rank is known.
    winners
        Ids of the images among the first `k` of any unit that they activate.
    overlap
        Of each layer that was ranked again after half precision, the share of the first `k` that stayed.
    """

    k: int
    units: int = 0
    never_active: int = 0
    tied: int | None = None
    winners: set[int] = field(default_factory=set)
    overlap: list[float] = field(default_factory=list)

    def add(
        self,
        value: NDArray[np.floating],
        image_id: NDArray[np.integer],
        count_active: NDArray[np.integer],
        overlap: float | None = None,
    ) -> None:
        """Count a layer.

        Parameters
        ----------
        value, image_id
            (U, R) maxima by falling rank, and their images.
        count_active
            (U,) images on which each unit's maximum is positive.
        overlap
            As in `formats.topk.RankedLayer`.
        """
        self.units += len(value)
        self.never_active += int(np.count_nonzero(count_active == 0))
        first = value[:, : self.k] > 0
        self.winners.update(np.unique(image_id[:, : self.k][first]).tolist())
        if value.shape[1] > self.k:
            last, further = value[:, self.k - 1], value[:, self.k]
            self.tied = (self.tied or 0) + int(np.count_nonzero((last == further) & (last > 0)))
        if overlap is not None and not np.isnan(overlap):
            self.overlap.append(float(overlap))

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
        return known
