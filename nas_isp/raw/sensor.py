"""How a sensor stores its mosaic: color filter array, levels, stored scale and layout; and the door for sensors."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from nas_isp.registry import Registry
from nas_isp.settings import Settings

Gains = tuple[float, float, float]
"""White-balance gains of R, G and B with G = 1."""

Row = tuple[float, float, float]
Cfa = Literal["RGGB", "BGGR", "GRBG", "GBRG"]
UNNAMED = "unnamed"
ROW_SUM_TOLERANCE = 0.02
LARGEST_SIDE = 65535

StoredType = Literal["uint8", "uint16", "mipi10", "mipi12"]
"""Bytes; 16 bits, low byte first; packed 10 and 12 bits (MIPI CSI-2)."""

BITS_OF_TYPE: dict[StoredType, int] = {"mipi10": 10, "mipi12": 12}
CAMERA_FORMAT = re.compile(r"S(RGGB|BGGR|GRBG|GBRG)(8|10|12|14|16)(_CSI2P)?")
"""What picamera2 and libcamera call a format, such as SRGGB10_CSI2P."""

CFA_ORDERS: tuple[Cfa, ...] = ("RGGB", "BGGR", "GRBG", "GBRG")


class SensorDescription(Settings):
    """Sensor facts that a bare mosaic file does not carry (`sensor.json` beside the files)."""

    name: Annotated[str, Field(description="Name for reports; also tells sensors apart.")] = UNNAMED
    cfa: Annotated[Cfa, Field(description="Colors of the 2x2 cell, row by row, at row 0, column 0.")]
    bits: Annotated[int, Field(ge=8, le=16, description="Bits of a true value.")] = 10
    black: Annotated[
        float | tuple[float, float, float, float],
        Field(description="Black level of true values: one number, or four in CFA-site order."),
    ] = 0.0
    white: Annotated[float, Field(gt=0, le=65535, description="Saturation level of true values.")]
    shift: Annotated[int, Field(ge=0, le=15, description="Stored value = true value << shift.")] = 0
    layout: Annotated[
        Literal["mosaic", "packed-rggb"], Field(description="One plane, or four canonical planes last.")
    ] = "mosaic"
    type: Annotated[
        StoredType | None,
        Field(description="How a file stores a value, where its format does not say it; picamera2's names do as well."),
    ] = None
    width: Annotated[
        int | None, Field(gt=0, le=LARGEST_SIDE, description="Columns of the mosaic, in whatever format it is.")
    ] = None
    height: Annotated[
        int | None, Field(gt=0, le=LARGEST_SIDE, description="Rows of the mosaic, in whatever format it is.")
    ] = None
    white_balance: Annotated[
        Gains | None,
        Field(description="Gains of R, G, B, G = 1, for the captures' light, or the one a model takes for neutral."),
    ] = None
    color_matrix: Annotated[
        tuple[Row, Row, Row] | None,
        Field(description="White-balanced camera RGB to linear sRGB, row by row; every row sums to 1."),
    ] = None
    unique_model: Annotated[str, Field(description="UniqueCameraModel of DNG files.")] = ""
    calibration: Annotated[
        tuple[float, ...], Field(max_length=27, description="Color matrices of DNG files as they are written.")
    ] = ()
    other_levels: Annotated[
        bool, Field(description="Whether a model was trained on captures of other levels as well.")
    ] = False
    shading_left: Annotated[
        bool, Field(description="Whether a model was trained on captures whose lens shading was left in.")
    ] = False
    group: Annotated[str, Field(max_length=200, description="Of the captures of a model, as their table names it.")] = (
        ""
    )
    optics: Annotated[str, Field(max_length=200, description="Lens or focal length of the captures of a model.")] = ""
    note: Annotated[str, Field(description="Free text.")] = ""

    @model_validator(mode="before")
    @classmethod
    def _of_camera_format(cls, fields: Any) -> Any:
        """A type by the camera's name says the CFA and the bits as well."""
        name = fields.get("type") if isinstance(fields, dict) else None
        match = CAMERA_FORMAT.fullmatch(name) if isinstance(name, str) else None
        if match is None:
            return fields
        cfa, bits, packed = match.groups()
        if (packed and bits not in ("10", "12")) or fields.get("cfa", cfa) != cfa:
            raise ValueError(f"type '{name}': packed are 10 or 12 bits, and the CFA is that of `cfa`")
        kind = f"mipi{bits}" if packed else "uint8" if bits == "8" else "uint16"
        return {"bits": int(bits), "cfa": cfa, **fields, "type": kind}

    @model_validator(mode="before")
    @classmethod
    def _bits_of_type(cls, fields: Any) -> Any:
        """Packed values say how many bits they have."""
        kind = fields.get("type") if isinstance(fields, dict) else None
        return {"bits": BITS_OF_TYPE[kind], **fields} if isinstance(kind, str) and kind in BITS_OF_TYPE else fields

    @model_validator(mode="after")
    def _type_fits(self) -> "SensorDescription":
        bits = BITS_OF_TYPE.get(self.type, self.bits) if self.type else self.bits
        if bits != self.bits or (self.type in BITS_OF_TYPE and (self.shift or self.layout != "mosaic")):
            raise ValueError(f"type '{self.type}' holds {bits} bits of one plane, not shifted")
        if self.type == "uint8" and int(self.white) << self.shift > 255:
            raise ValueError(f"type 'uint8' does not reach white {self.white:g}")
        return self

    @model_validator(mode="after")
    def _levels_in_order(self) -> "SensorDescription":
        if max(self.black_sites) >= self.white:
            raise ValueError(f"black {self.black} must be below white {self.white}")
        if min(self.black_sites) < 0:
            raise ValueError(f"black {self.black} must not be negative")
        return self

    @model_validator(mode="after")
    def _colors_plausible(self) -> "SensorDescription":
        if self.white_balance and min(self.white_balance) <= 0:
            raise ValueError(f"white_balance {self.white_balance} must be above 0")
        if any(abs(sum(row) - 1) > ROW_SUM_TOLERANCE for row in self.color_matrix or ()):
            raise ValueError("every row of color_matrix must sum to 1: it takes white-balanced colors")
        return self

    @property
    def is_named(self) -> bool:
        """Whether it has a name to be known by."""
        return self.name not in ("", UNNAMED)

    @property
    def black_sites(self) -> tuple[float, float, float, float]:
        """Black level of the sites (0,0), (0,1), (1,0), (1,1)."""
        if isinstance(self.black, tuple):
            return self.black
        return (self.black, self.black, self.black, self.black)


SENSORS: Registry[SensorDescription] = Registry(
    "sensor",
    "nas_isp.sensors",
    {
        "ultraisp": "nas_isp.raw.built_in_sensors:ULTRAISP",
        "zrr": "nas_isp.raw.built_in_sensors:ZRR",
        "up-isp": "nas_isp.raw.built_in_sensors:UP_ISP",
        "nokia-n900": "nas_isp.raw.built_in_sensors:NOKIA_N900",
    },
)
