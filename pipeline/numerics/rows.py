"""Dataclasses whose attributes are arrays of one length, a row of each a picture, a unit, a point."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

Part = TypeVar("Part")


def joined(parts: Sequence[Part]) -> Part:
    """Return the rows of several parts, at least one, as one."""
    names = [field.name for field in fields(parts[0])]  # type: ignore[arg-type]
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in names
    }
    return type(parts[0])(**columns)
