"""Correspondence: places of an image, found again in its warp by a layer's vectors."""
