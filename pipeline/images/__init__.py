"""From the bytes of an image to the input of a network, and from there back to places in the image."""
