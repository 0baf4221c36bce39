"""Inversion: images whose code in a layer is that of a given image."""
