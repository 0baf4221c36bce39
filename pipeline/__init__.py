"""The library: what a network has learned, as arrays. It knows nothing of DVC."""
