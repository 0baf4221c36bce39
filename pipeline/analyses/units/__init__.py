"""What a unit does over a whole dataset: how often it is silent, how its maxima are spread."""
