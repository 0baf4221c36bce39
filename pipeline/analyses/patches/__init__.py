"""The parts of images that made units respond, cut from the original pixels."""
