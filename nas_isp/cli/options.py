"""Options that several verbs share, and how their texts are read."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nas_isp.errors import InputError
from nas_isp.picture_size import FULL_HD_TEXT, checked_size
from nas_isp.seeds import LARGEST_SEED

Format = Literal["table", "json"]
PreviewUse = Literal["validate", "off"]
PreviewsOption = Annotated[
    PreviewUse, typer.Option(help="Measure the model against the camera's own pictures in the RAW files, or do not.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="How the result is printed.")]
BundleOption = Annotated[Path, typer.Option("-o", "--output", help="Model bundle to write (.safetensors).")]
RawOption = Annotated[Path | None, typer.Option(help="Folder of RAW captures; without it the demo set.")]
RgbOption = Annotated[Path | None, typer.Option(help="Folder of good photos of other scenes.")]
ValOption = Annotated[Path | None, typer.Option(help="Folder of true pairs (raw/, rgb/) to score on by PSNR.")]
SensorOption = Annotated[str | None, typer.Option(help="Sensor of bare mosaics: a known name or a JSON file.")]
GroupOption = Annotated[
    str | None, typer.Option(help="Captures of one sensor only: its number or a part of its name, as they are listed.")
]
DisjointOption = Annotated[bool, typer.Option("--scene-disjoint", help="Refuse scenes that are in RAW and photos.")]
RecipeOption = Annotated[str, typer.Option(help="Training recipe: a shipped name or a YAML file.")]
PatchesOption = Annotated[
    int | None, typer.Option(min=1, help="Most patches cut of RAW and of photos, instead of the recipe's.")
]
FeaturesOption = Annotated[str | None, typer.Option(help="One frozen network for all terms, e.g. lite.")]
WeightsOption = Annotated[Path | None, typer.Option(help="Folder with weights of frozen networks.")]
TimeOption = Annotated[str | None, typer.Option("--budget", help="Wall time such as 10m: scales the steps to fit.")]
SeedOption = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of everything random.")]
ComputeOption = Annotated[str, typer.Option("--compute", help="Processor: auto, cpu, cuda, ...")]
SizeOption = Annotated[
    str, typer.Option("--input-size", help=f"Packed rows x columns; {FULL_HD_TEXT} makes pictures of 1088x1920.")
]
ShadingOption = Annotated[
    bool, typer.Option("--shading/--no-shading", help="Apply the gain maps of RAW files against lens shading.")
]
LightOption = Annotated[
    str | None,
    typer.Option(help="Neutral light: as-shot (the file's, else estimated), estimated, fixed (the set's), or R,G,B."),
]
ModelShadingOption = Annotated[
    bool | None,
    typer.Option("--shading/--no-shading", help="Apply gain maps against lens shading; else as the training did."),
]
AdaptOption = Annotated[
    bool, typer.Option("--adapt/--no-adapt", help="Bring RAW of another sensor to the model's; says so.")
]


def parse_size(text: str) -> tuple[int, int]:
    """Rows and columns of packed RAW from ``HxW``.

    Raises:
        InputError: not two numbers that a picture can have.
    """
    height, cross, width = text.lower().partition("x")
    if cross and height.isdecimal() and width.isdecimal():
        return checked_size((int(height), int(width)))
    raise InputError(f"size '{text}': give rows x columns of the packed RAW, such as {FULL_HD_TEXT}", "input_size")
