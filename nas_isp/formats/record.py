"""The record that an exported file carries about itself, so that nothing else is needed to run it right."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from nas_isp import __version__
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Architecture, Border
from nas_isp.precision import Precision
from nas_isp.raw.levels import Levels
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.sensor import SensorDescription
from nas_isp.settings import Settings, parse_json, validated

RECORD_NAME = "nas_isp"
"""Name of the record in a TFLite file's metadata and key in an ONNX file's properties."""

TensorLayout = Literal["NHWC", "NCHW"]
InputForm = Literal["normalised", "raw"]
OutputForm = Literal["float", "uint8"]

PIXEL_SCALE = 1 / 255
"""Value of a level of an 8-bit picture."""

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
    network_input: Annotated[NetworkInput, Field(description="How a capture becomes the network's input.")] = (
        NetworkInput()
    )
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
