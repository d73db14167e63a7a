"""The loss terms that take part in a training, and what they need together."""

from dataclasses import dataclass

from torch import Tensor

from nas_isp.errors import InputError
from nas_isp.recipe import TrainSettings
from nas_isp.recipe.loss_registry import LOSSES, with_weight
from nas_isp.training.loss_term import VIEWS, LossInputs, LossTerm

WeightedValues = dict[str, tuple[Tensor, float]]
"""Name to (scalar, weight), in the order in which gradients are added up."""


@dataclass(frozen=True)
class ActiveTerms:
    """The terms of some weight, in the order of `LOSSES`: name to (term, weight)."""

    terms: dict[str, tuple[LossTerm, float]]

    @staticmethod
    def of(settings: TrainSettings) -> "ActiveTerms":
        """Those of a training's adversarial steps; in the mode `paired-no-adv` without terms that ask discriminators.

        Raises:
            InputError: a name that no loss term has, or one whose package cannot be imported or gives something else.
        """
        terms = {name: (_term(name), weight) for name, weight in with_weight(settings.weights).items()}
        if settings.mode == "paired-no-adv":
            terms = {name: pair for name, pair in terms.items() if not pair[0].discriminators}
        return ActiveTerms(terms)

    @property
    def views(self) -> tuple[str, ...]:
        """The views that terms look at."""
        return tuple(view for view in VIEWS if any(view in term.views for term, _ in self.terms.values()))

    @property
    def discriminators(self) -> tuple[str, ...]:
        """The views whose discriminators terms ask."""
        return tuple(view for view in VIEWS if any(view in term.discriminators for term, _ in self.terms.values()))

    @property
    def synthetic_pairs(self) -> bool:
        """Whether terms look at synthetic pairs."""
        return any(term.synthetic_pairs for term, _ in self.terms.values())

    def values(self, inputs: LossInputs) -> WeightedValues:
        """The terms of one step; a part of a term is named `term_part`.

        Raises:
            InputError: a term gives something else than scalars that depend on the generated pictures.
        """
        values: WeightedValues = {}
        for name, (term, weight) in self.terms.items():
            if term.synthetic_pairs and inputs.synthetic is None:
                continue
            value = term.value(inputs)
            parts = {name: value} if isinstance(value, Tensor) else {f"{name}_{part}": value[part] for part in value}
            for part, scalar in parts.items():
                _check_value(name, scalar)
                values[part] = scalar, weight
        return values


def _term(name: str) -> LossTerm:
    term = LOSSES[name]
    if not isinstance(term, LossTerm):
        raise InputError(f"loss term '{name}' is a {type(term).__name__}; its package is to give a LossTerm", "recipe")
    return term


def _check_value(name: str, value: object) -> None:
    """Refuse what cannot be weighed, without reading a number from the device."""
    if not isinstance(value, Tensor):
        fault = f"a {type(value).__name__}"
    elif value.ndim:
        fault = f"a tensor of shape {tuple(value.shape)}"
    elif not value.requires_grad:
        fault = "a scalar that no gradient comes from"
    else:
        return
    raise InputError(f"loss term '{name}' gives {fault}; it is to give scalars that depend on the generated pictures")
