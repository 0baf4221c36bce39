"""Which images are nearest, by codes, by pixels and by colours, and how often they are of one class."""
