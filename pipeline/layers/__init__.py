"""The layers of a network: which there are, which are chosen, what they put out on batches of images."""
