"""The block `gradients`: its schema."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params import OptionalBlock

Method = Literal["saliency", "deconvnet", "guided_backprop", "integrated_gradients", "smoothgrad", "grad_cam"]


class Params(OptionalBlock):
    """The block `gradients`."""

    methods: Annotated[tuple[Method, ...], Field(min_length=1)] = Field(description="which")
    probes: int = Field(ge=1, le=500, description="probes, the first ones")
    steps: int = Field(ge=1, le=1000, description="points of integrated gradients")
    samples: int = Field(ge=1, le=1000, description="noisy copies of SmoothGrad")
    noise: float = Field(gt=0, le=10, description="their noise, share of the range of an input's values")
    positive: bool = Field(description="whether Grad-CAM leaves out what speaks against the class")
    batch_size: int = Field(ge=1, le=4096, description="inputs in a batch")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the noise")
