"""Correspondence: places of an image, found again in its warp by a layer's vectors.

- `choosing`: which layers; `grids`: where their neurons look
- `warps`: known warps, and what is seen before and after; `following`: points of many images into theirs
- `matching`: a point found again; `summary`: what many points come to
"""
