"""Images that a network, or a linear classifier, takes for what they are not."""
