"""What part of the input each layer sees, worked out on the network's graph.

``python -m pipeline.receptive_field torchvision:alexnet --input 224`` prints the table.
"""

from pipeline.numerics.geometry import ReceptiveField
from pipeline.receptive_field.fields import receptive_fields

__all__ = ["ReceptiveField", "receptive_fields"]
