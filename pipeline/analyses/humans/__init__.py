"""How people label the images, beside the network: answers are read, and compared image by image."""
