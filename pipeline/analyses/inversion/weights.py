"""How much smoothness is asked for at which depth, and the weights that the paper has for AlexNet."""

# Ends of the shares of a network's depth that have a weight of their own: AlexNet's layers 1 to 6, 7 to 12
# and 13 to 20, of the paper.
DEPTHS = (0.3, 0.6)

Three = tuple[float, float, float]
# Of total variation there, and of the sixth powers.
PAPER: Three = (1.0, 10.0, 100.0)
PAPER_SIXTH = 8e-10


def at_depth(weights: Three, depth: float) -> float:
    """Return which of three weights is that of a depth, above 0 and up to 1 for the last layer."""
    return weights[sum(depth > end for end in DEPTHS)]
