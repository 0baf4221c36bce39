"""From the bytes of an image to the input of a network, and from there back to places in the image.

- `image_file`: what bytes tell before they are decoded; `jpeg`: whether those of one are all there
- `decoding`: bytes to pixels; `guarded`: the same in a process of its own
- `preprocess`: what becomes of an image, and where; `network_input`: its pixels as the network is given them
- `way_in`, `way_back`: boxes from the image into the input, and from the input into the image
- `resampling`: any part of an image at any size, by exact area
- `filling`: what lies under what is covered; `attributes`: what an image looks like, in numbers
"""
