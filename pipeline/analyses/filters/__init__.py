"""Filters by their weights alone: how good a layer's are, how each of the first layer looks."""
