"""Streaming top-k: the images that excite each unit most, and where.

- `streaming`: the k largest of a stream; `ranking`: of all shards
- `first_ranks`: a ranking beside an earlier one; `duplicates`: ranks that show what another has shown
- `unit_counts`: how many images activate a unit; `counting`: what a ranking comes to in numbers
- `boxes`: from places in a map to places in the image; `ranked_images`: where in an image a rank looked, and
  whether it repeats
"""

from pipeline.topk.streaming import TopK

__all__ = ["TopK"]
