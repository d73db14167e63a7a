"""`config.yaml`: every setting of a study, resolved, so that the study alone says what was searched."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from nas_isp.errors import InputError
from nas_isp.picture_size import FULL_HD_PACKED
from nas_isp.raw.sensor import SensorDescription
from nas_isp.recipe import Recipe
from nas_isp.search.space import SearchSpace
from nas_isp.seeds import LARGEST_SEED
from nas_isp.settings import STORED, Settings, load_yaml


class StudyConfig(Settings):
    """The settings that all trials of a study share. Workers and budget are the command's and may change."""

    format_version: Annotated[Literal[1], Field(description="Version of the study's layout.")] = 1
    program: Annotated[str, Field(description="Version of the program that began the study.")]
    demo: Annotated[bool, Field(description="Whether the embedded demo set is used.")] = False
    raw: Annotated[Path | None, Field(description="Folder of RAW captures.")] = None
    rgb: Annotated[Path | None, Field(description="Folder of photos.")] = None
    val: Annotated[Path | None, Field(description="Folder of true pairs; quality is PSNR on them.")] = None
    sensor: Annotated[SensorDescription | None, Field(description="Sensor given by the user.")] = None
    scene_disjoint: Annotated[bool, Field(description="Whether RAW and photos of one stem are kept apart.")] = False
    shading: Annotated[bool, Field(description="Whether gain maps of RAW files are applied.")] = True
    light: Annotated[str | None, Field(description="Which light is neutral; None as files say.")] = None
    group: Annotated[str | None, Field(description="The captures of one sensor that are taken, None for all.")] = None
    device: Annotated[str, Field(description="Latency table: shipped name or absolute path.")]
    device_digest: Annotated[str, Field(description="Digest of the latency table.")] = ""
    packed_height: Annotated[int, Field(gt=0, description="Packed rows that latency is predicted for.")] = (
        FULL_HD_PACKED[0]
    )
    packed_width: Annotated[int, Field(gt=0, description="Packed columns that latency is predicted for.")] = (
        FULL_HD_PACKED[1]
    )
    max_latency_ms: Annotated[float | None, Field(gt=0, description="Slower networks are not trained.")] = None
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED, description="Seed of sampling and training.")] = 0
    sampler: Annotated[str, Field(min_length=1, description="Who suggests architectures: a sampler.")] = "tpe"
    score_version: Annotated[int, Field(ge=1, description="Version of the reference-free score; they do not mix.")] = 1
    recipe: Annotated[Recipe, Field(description="How trials are trained; the recipe file's content.")]
    space: Annotated[SearchSpace, Field(description="What is searched; the space file's content.")]

    def to_yaml(self) -> str:
        """The text of `config.yaml`."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)


def load_config(path: Path, to_go_on: bool = False) -> StudyConfig:
    """Read a study's `config.yaml`.

    Args:
        path: the file.
        to_go_on: what it names has to be there: losses, scores and blocks of other packages. Reading needs none.

    Raises:
        InputError: not readable, or not the configuration of a study.
    """
    return load_yaml(path, StudyConfig, None if to_go_on else STORED)


def refuse_other_config(stored: StudyConfig, given: StudyConfig, folder: Path) -> None:
    """Check that a search may go on in a study.

    Raises:
        InputError: a setting differs; the message names the first such field and both values, or the folders that say
            whether the data are the demo set. Or the latency table has other contents than when the study began.
    """
    if stored.demo != given.demo:
        folders = f"raw {stored.raw} and rgb {stored.rgb}; give them"
        begun = "the demo set; leave out raw and rgb" if stored.demo else folders
        raise InputError(f"{folder} was begun with {begun}, or give another study folder", "raw", "rgb", "study")
    before, now = stored.model_dump(mode="json"), given.model_dump(mode="json")
    differing = [name for name in StudyConfig.model_fields if name != "program" and before[name] != now[name]]
    if differing == ["device_digest"]:
        raise InputError(
            f"{folder}: the latency table '{stored.device}' has changed since the study began, so old and new "
            "latencies do not compare; bring the table of then back, or give another study folder",
            "study",
        )
    if differing:
        name, old, new = _first_difference(differing[0], before[differing[0]], now[differing[0]])
        raise InputError(
            f"{folder} was begun with {name} {old}, now {new} is given; "
            "repeat the first command's setting, or give another study folder",
            "study",
        )


def _first_difference(name: str, before: Any, now: Any) -> tuple[str, str, str]:
    """The deepest field in which two plain values differ, and its values in short."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *now]:
            if before.get(key) != now.get(key):
                return _first_difference(f"{name}.{key}", before.get(key), now.get(key))
    return name, _shown(before), _shown(now)


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
