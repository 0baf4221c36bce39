"""Building a network, and keeping it in a weights folder.

- `building`: by its name; `architectures`: the small ones that come with the project
- `network`, `tensors`: in a weights folder, and the file of its weights
- `device`: where it computes; `outputs`: which tensor of what it returns are its logits
- `random_weights`: one that has learned nothing
"""

from pipeline.model.building import build_network
from pipeline.model.network import load_network, save_network

__all__ = ["build_network", "load_network", "save_network"]
