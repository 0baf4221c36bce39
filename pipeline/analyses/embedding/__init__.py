"""A map of all images by their codes, and how good it is."""
