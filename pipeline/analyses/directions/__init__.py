"""Arbitrary directions of a layer's space beside its units: made, ranked, compared."""
