"""Maps of numbers laid over images."""
