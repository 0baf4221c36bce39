"""Projections: what of an image made a unit answer, sent back from the unit to the image's pixels."""
