"""The one pass over all images: codes, outputs, maxima and their places, written in shards."""
