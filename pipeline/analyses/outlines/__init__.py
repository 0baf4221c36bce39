"""Where on an image a unit is active: its map, cut at the unit's own level."""
