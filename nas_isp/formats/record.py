"""The record that an exported file carries about itself, so that nothing else is needed to run it right."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from nas_isp import __version__
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Architecture, Border
from nas_isp.generators.conv_spec import PACKED_CHANNELS
from nas_isp.precision import Precision
from nas_isp.raw.levels import Levels
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.sensor import Gains, SensorDescription
from nas_isp.settings import Settings, parse_json, validated

RECORD_NAME = "nas_isp"
"""Name of the record in a TFLite file's metadata and key in an ONNX file's properties."""

TensorLayout = Literal["NHWC", "NCHW"]
InputForm = Literal["normalised", "raw"]
OutputForm = Literal["float", "uint8"]

GAINS_NAME = "gains"
"""Of the second input of a file that is given the gains of a capture."""

LIGHT_FIELDS = ("network_input", "gains_input", "gains_values", "folded_gains")

PIXEL_SCALE = 1 / 255
"""Value of a level of an 8-bit picture."""

GAINS_VALUES = (
    "factors for the channels of the input, after black and scale: white-balance gains of the capture's light, G = 1, "
    "times exposure; exposure = exp(slope * (log(mean of the capture's balanced, sRGB-encoded colors) - brightness)), "
    "from 1/4 to 4, by slope and brightness in network_input; 1 where slope is 0"
)
CODES = "int8 codes: value = scale * (code - zero point), both in the tensor"
INPUT_VALUES: dict[InputForm, str] = {
    "normalised": "(x - black) / (white - black), not clipped below 0",
    "raw": "x: sensor values as int32",
}
OUTPUT_VALUES: dict[OutputForm, str] = {"float": "sRGB-encoded; clip to 0..1", "uint8": "sRGB-encoded, 0..255"}


class ExportRecord(Settings):
    """What an exported file is and how it wants its input."""

    format_version: Annotated[Literal[1], Field(description="Version of this record.")] = 1
    program: Annotated[str, Field(description="What wrote the file.")] = f"nas-isp {__version__}"
    architecture: Annotated[Architecture, Field(discriminator="family", description="The generator's description.")]
    sensor: Annotated[SensorDescription, Field(description="Sensor and levels of the training RAW.")]
    origin: Annotated[dict[str, Any], Field(default_factory=dict, description="Where the weights come from.")]
    precision: Annotated[
        Precision, Field(description="How weights are stored; values in between are int8 for int8, else fp32.")
    ]
    input: Annotated[InputForm, Field(description="Scaled values, or those that the sensor gives.")] = "normalised"
    output: Annotated[OutputForm, Field(description="Numbers around 0..1, or the levels of an 8-bit picture.")] = (
        "float"
    )
    layout: Annotated[TensorLayout, Field(description="Order of the dimensions of input and output.")]
    packed_height: Annotated[int | None, Field(ge=1, description="Rows of the packed input; null: any.")]
    packed_width: Annotated[int | None, Field(ge=1, description="Columns of the packed input; null: any.")]
    input_channels: Annotated[tuple[str, ...], Field(description="Meaning of the input's channels, in order.")] = (
        "R",
        "G of the red row",
        "G of the blue row",
        "B",
    )
    input_values: Annotated[str, Field(description="Scale of the input.")] = INPUT_VALUES["normalised"]
    input_black: Annotated[
        tuple[float, float, float, float] | None, Field(description="Black level of the input's channels, in order.")
    ] = None
    input_white: Annotated[float | None, Field(description="Saturation level of the sensor.")] = None
    output_channels: Annotated[tuple[str, ...], Field(description="Meaning of the output's channels.")] = (
        "R",
        "G",
        "B",
    )
    output_values: Annotated[str, Field(description="Scale of the output.")] = OUTPUT_VALUES["float"]
    halo: Annotated[int, Field(ge=0, description="Packed pixels around a tile that its own pixels depend on.")]
    step: Annotated[int, Field(ge=1, description="Sides and tile positions are multiples of this, packed pixels.")]
    global_head: Annotated[bool, Field(description="The output also depends on the mean over the whole picture.")]
    whole_picture: Annotated[bool, Field(description="Tiles would not join: only a whole picture comes out right.")]
    network_input: Annotated[
        NetworkInput,
        Field(description="How a capture becomes the network's input: balanced where the file is given its gains."),
    ] = NetworkInput()
    gains_input: Annotated[
        bool,
        Field(description="A second input, gains: a factor for each channel of the packed input, float32."),
    ] = False
    gains_values: Annotated[str | None, Field(description="Meaning of that input; null without it.")] = None
    folded_gains: Annotated[
        Gains | None,
        Field(description="White-balance gains that every capture gets, within the weights; null: none are."),
    ] = None
    border: Annotated[Border, Field(description="What the network sees outside of a developed picture.")] = "mirror"

    @property
    def packed_size(self) -> tuple[int, int] | None:
        """Rows and columns of the packed input, or None where any size goes."""
        if self.packed_height is None or self.packed_width is None:
            return None
        return self.packed_height, self.packed_width

    @property
    def levels(self) -> tuple[Levels, float]:
        """Black level of the packed planes, and white; only with an input of sensor values."""
        assert self.input_black is not None
        assert self.input_white is not None
        return self.input_black, self.input_white

    @property
    def gains_shape(self) -> tuple[int, ...]:
        """Of the second input: it spreads over the first."""
        return (1, 1, 1, PACKED_CHANNELS) if self.layout == "NHWC" else (1, PACKED_CHANNELS, 1, 1)

    @model_serializer(mode="wrap")
    def _without_light_where_there_is_none(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A file that takes RAW as the sensor gives it has no more to say than before there were others."""
        told: dict[str, Any] = fields(self)
        defaults = {name: type(self).model_fields[name].default for name in LIGHT_FIELDS}
        return {
            name: value for name, value in told.items() if name not in defaults or getattr(self, name) != defaults[name]
        }

    @model_validator(mode="after")
    def _gains_for_balanced_input(self) -> "ExportRecord":
        if self.gains_input != (self.network_input.kind == "balanced"):
            raise ValueError("gains_input and a balanced network_input go together")
        return self

    @model_validator(mode="after")
    def _levels_for_sensor_values(self) -> "ExportRecord":
        if self.input == "raw" and (self.input_black is None or self.input_white is None):
            raise ValueError("an input of sensor values needs input_black and input_white")
        if self.input_black is not None and self.input_white is not None and max(self.input_black) >= self.input_white:
            raise ValueError(f"input_black {self.input_black} must be below input_white {self.input_white}")
        return self


def read_record(text: str | None, path: Path) -> ExportRecord:
    """Parse the record found in a file.

    Raises:
        InputError: there is none, or it is not one of a known version.
    """
    if text is None:
        raise InputError(f"{path}: holds no nas_isp record; give a file written by an export")
    return validated(parse_json(text, f"{path}, its record"), ExportRecord, path)
