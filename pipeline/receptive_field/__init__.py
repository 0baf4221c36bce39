"""What part of the input each layer sees, worked out on the network's graph.

``python -m pipeline.receptive_field torchvision:alexnet --input 224`` prints the table.

- `tracing`: the graph; `recording`, `following`: of networks whose code torch.fx cannot go through; `nodes`:
  what is called there
- `geometry`: fields as intervals; `operations`, `windows`, `tokens`: what operations do to them
- `fields`: the fields of all layers
- `hooks`, `calls`, `places`: where nothing can be followed, what is seen of it, and where it stands
"""

from pipeline.numerics.geometry import ReceptiveField
from pipeline.receptive_field.fields import receptive_fields

__all__ = ["ReceptiveField", "receptive_fields"]
