"""Runs of images that are computed and kept together; ``python -m pipeline.shards`` lists those kept."""
