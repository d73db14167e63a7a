"""The scores that a recipe may choose as the quality of a training, by name; placed as `recipe.loss_registry` is."""

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, ValidationInfo

from nas_isp.errors import InputError
from nas_isp.registry import Registry
from nas_isp.settings import is_stored

if TYPE_CHECKING:
    from nas_isp.training.scores import Score

AUTO = "auto"

SCORES: "Registry[Score]" = Registry(
    "score",
    "nas_isp.scores",
    {"psnr": "nas_isp.training.scores:PSNR", "reference-free": "nas_isp.training.scores:REFERENCE_FREE"},
)


def _checked(name: str, info: ValidationInfo) -> str:
    try:
        return name if name == AUTO or is_stored(info) else SCORES.check(name)
    except InputError as error:
        raise ValueError(f"{error}, or {AUTO}") from error


ScoreName = Annotated[str, AfterValidator(_checked)]
"""A member of `SCORES`, or `auto`: PSNR where there are true pairs to score with, else the reference-free score."""
