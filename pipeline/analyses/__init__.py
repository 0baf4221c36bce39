"""One method a module, or a folder of a few: arrays in, arrays out. None imports another."""
