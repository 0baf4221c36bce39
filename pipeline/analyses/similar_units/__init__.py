"""Which units are strong on the same images: correlation of their maxima over the dataset."""
