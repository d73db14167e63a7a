"""What the loss terms see of pictures through frozen networks, and what their discriminators are like."""

from typing import Annotated, Literal

from pydantic import Field

from nas_isp.settings import Settings


class SeenLayer(Settings):
    """A layer of a frozen network."""

    features: Annotated[str, Field(description="Frozen network by name.")] = "lite"
    layer: Annotated[str, Field(description="Its layer, or a role: shallow, middle or deep.")]
    normalize: Annotated[bool, Field(description="Shift and scale pictures as the network expects.")] = True

    def of(self, features: str, role: str) -> dict[str, str | bool]:
        """The fields of the same with another network's layer for a role."""
        return {"features": features, "layer": role, "normalize": self.normalize}


class ContentSettings(SeenLayer):
    """What the content term compares with the reference."""

    layer: Annotated[str, Field(description="Its layer, or a role: shallow, middle or deep.")] = "deep"
    picture: Annotated[
        Literal["luma", "lightness"], Field(description="Rec. 601 luma, or L of CIE Lab divided by 100; in 3 channels.")
    ] = "luma"


class TextureSettings(Settings):
    """The two texture discriminators, which see luma."""

    fine: Annotated[SeenLayer, Field(description="What the first one sees.")] = SeenLayer(layer="shallow")
    coarse: Annotated[SeenLayer, Field(description="What the second one sees.")] = SeenLayer(layer="middle")
    discriminator: Annotated[
        Literal["local", "dense"],
        Field(description="A mean of local verdicts, or convolutions and a dense layer over the whole patch."),
    ] = "local"
    dense_layer_trained: Annotated[
        bool, Field(description="False leaves the dense layer as it is drawn, a defect of the published code.")
    ] = True


class ColorSettings(SeenLayer):
    """The color discriminator, which sees a blurred picture."""

    layer: Annotated[str, Field(description="Its layer, or a role: shallow, middle or deep.")] = "middle"
    shrink: Annotated[int, Field(ge=1, description="Average blocks of this side before the blur.")] = 2
    blur_sigma: Annotated[float, Field(gt=0, description="Of the Gaussian blur, in pixels after shrinking.")] = 1.5
    blur_radius: Annotated[int, Field(ge=1, description="Where the blur is cut off, in the same pixels.")] = 4
    border: Annotated[Literal["replicate", "zeros"], Field(description="What the blur finds outside.")] = "replicate"
    side: Annotated[int | None, Field(ge=16, description="Resize to this side after the blur, bilinear.")] = None
    with_colors: Annotated[bool, Field(description="Show the blurred colors beside the features.")] = True
    width: Annotated[int, Field(ge=1, description="Hidden channels of the discriminator.")] = 64
    activation: Annotated[Literal["leaky-relu", "relu"], Field(description="Of the discriminator.")] = "leaky-relu"
