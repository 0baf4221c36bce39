"""Where the weights of a network come from: a training, a checkpoint, or torchvision."""
