"""The library: what a network has learned, as arrays. Of DVC only `revisions` knows."""
