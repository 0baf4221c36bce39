"""What the network takes each image for, and how often it is right."""
