"""What part of the input each layer sees, worked out on the network's graph.

``python -m pipeline.receptive_field torchvision:alexnet --input 224`` prints the table.
"""

from pipeline.receptive_field.fields import ReceptiveField, receptive_fields

__all__ = ["ReceptiveField", "receptive_fields"]
