"""The loss terms that take part in a training, and what they need together."""

from dataclasses import dataclass

from torch import Tensor

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
            InputError: a name that no loss term has, or one whose package cannot be imported.
        """
        terms = {name: (LOSSES[name], weight) for name, weight in with_weight(settings.weights).items()}
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
        """The terms of one step; a part of a term is named `term_part`."""
        values: WeightedValues = {}
        for name, (term, weight) in self.terms.items():
            if term.synthetic_pairs and inputs.synthetic is None:
                continue
            value = term.value(inputs)
            parts = {name: value} if isinstance(value, Tensor) else {f"{name}_{part}": value[part] for part in value}
            values |= {part: (scalar, weight) for part, scalar in parts.items()}
        return values
