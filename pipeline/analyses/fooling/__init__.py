"""Images that a network, or a linear classifier, takes for what they are not.

- `pixels`: a network as a function of grey levels
- `attacks`, `minimal`: probes changed, within a distance and as little as it takes; `shown`: what that does
  to other images and networks
- `making`: images that are made; `ascent`: up the slope of a class; `evolving`, `encodings`: without a slope
- `linear`, `codes`, `breaking`: the same of linear classifiers
"""
