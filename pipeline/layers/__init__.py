"""The layers of a network: which there are, which are chosen, and what they put out."""
