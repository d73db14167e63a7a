"""The loss terms that a recipe gives weights to, by name.

The registry stands here, left of the training that its members belong to, because it names them as text and imports
one at its first use, as entry points do: a recipe is checked without loading what trains by it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from nas_isp.errors import InputError
from nas_isp.registry import Registry
from nas_isp.settings import is_stored

if TYPE_CHECKING:
    from nas_isp.training.loss_term import LossTerm

LOSSES: "Registry[LossTerm]" = Registry(
    "loss term",
    "nas_isp.losses",
    {
        "content": "nas_isp.training.losses:CONTENT",
        "pixel": "nas_isp.training.losses:PIXEL",
        "total_variation": "nas_isp.training.losses:TOTAL_VARIATION",
        "texture": "nas_isp.training.losses:TEXTURE",
        "color": "nas_isp.training.losses:COLOR",
        "moments": "nas_isp.training.losses:MOMENTS",
        "color_histogram": "nas_isp.training.losses:COLOR_HISTOGRAM",
        "sliced_wasserstein": "nas_isp.training.losses:SLICED_WASSERSTEIN",
        "synthetic": "nas_isp.training.losses:SYNTHETIC",
    },
)
"""Terms are added up in this order, so that a training gives the same numbers in whatever order a recipe names them."""

Weight = Annotated[float, Field(ge=0)]

DEFAULT_WEIGHTS = {
    "content": 0.25,
    "pixel": 0.3,
    "total_variation": 0.05,
    "texture": 0.1,
    "color": 0.1,
    "synthetic": 1.0,
}


def with_weight(weights: Mapping[str, float]) -> dict[str, float]:
    """The terms of some weight, in the order of `LOSSES`.

    Raises:
        InputError: a name that no loss term has.
    """
    for name in weights:
        LOSSES.check(name)
    return {name: weights[name] for name in LOSSES if weights.get(name, 0) > 0}


def _checked(weights: dict[str, float], info: ValidationInfo) -> dict[str, float]:
    if is_stored(info):
        unknown = {name: weight for name, weight in weights.items() if name not in LOSSES}
        return with_weight({name: weight for name, weight in weights.items() if name in LOSSES}) | unknown
    try:
        return with_weight(weights)
    except InputError as error:
        raise ValueError(str(error)) from error


TermWeights = Annotated[dict[str, Weight], AfterValidator(_checked)]
"""Share of each term after balancing; a term that is not named has none."""
