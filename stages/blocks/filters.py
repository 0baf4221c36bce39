"""The block `filters`: its schema."""

from pydantic import Field

from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `filters`."""

    dense_weights: int = Field(
        ge=0, le=2**31 - 1, description="weights of a dense layer that are kept, of filters spread over it"
    )
    noise_smoothness: float = Field(
        ge=0, le=1, description="up to here, or three deviations of noise, neighbouring weights are not alike"
    )
    noise_evenness: float = Field(ge=0, le=1, description="from here on no direction of kernels stands out")
    permutations: int = Field(ge=100, le=1_000_000, description="of the test of grey and coloured filters")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the permutations and of the noise")
