"""How a sensor stores its mosaic: color filter array, levels, stored scale and layout; and the door for sensors."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nas_isp.registry import Registry
from nas_isp.settings import Settings

Gains = tuple[float, float, float]
"""White-balance gains of R, G and B with G = 1."""

Row = tuple[float, float, float]
Cfa = Literal["RGGB", "BGGR", "GRBG", "GBRG"]
UNNAMED = "unnamed"
ROW_SUM_TOLERANCE = 0.02

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
    width: Annotated[int | None, Field(gt=0, description="Columns of a bare .raw file.")] = None
    height: Annotated[int | None, Field(gt=0, description="Rows of a bare .raw file.")] = None
    white_balance: Annotated[
        Gains | None,
        Field(description="Gains of R, G, B, G = 1, for the captures' light, or the one a model takes for neutral."),
    ] = None
    color_matrix: Annotated[
        tuple[Row, Row, Row] | None,
        Field(description="White-balanced camera RGB to linear sRGB, row by row; every row sums to 1."),
    ] = None
    note: Annotated[str, Field(description="Free text.")] = ""

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
