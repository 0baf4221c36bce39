"""Streaming top-k: the images that excite each unit most, and where."""

from pipeline.topk.streaming import TopK

__all__ = ["TopK"]
