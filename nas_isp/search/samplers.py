"""The door for samplers: who suggests the architectures of a search, by name.

A member makes any `optuna.samplers.BaseSampler` from a seed. Optuna takes seconds to import, so that it is imported
only by who makes one.
"""

from typing import TYPE_CHECKING, Protocol

from nas_isp.registry import Registry

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

STARTUP_TRIALS = 8
"""Random trials before TPE models anything."""

POPULATION = 16
"""Trials of a generation of NSGA-II."""


class MakesSampler(Protocol):
    """Makes a sampler: for two directions, maximize quality and minimize latency, and conditional parameters."""

    def __call__(self, seed: int, /) -> "BaseSampler":
        """A sampler whose suggestions the seed decides; a search that goes on gives another seed than it began with."""
        ...


SAMPLERS: Registry[MakesSampler] = Registry(
    "sampler",
    "nas_isp.samplers",
    {
        "tpe": "nas_isp.search.samplers:make_tpe",
        "nsga2": "nas_isp.search.samplers:make_nsga2",
        "random": "nas_isp.search.samplers:make_random",
    },
)


def make_tpe(seed: int) -> "BaseSampler":
    """Tree-structured Parzen estimator (Bergstra et al., 2011)."""
    from optuna.samplers import TPESampler

    return TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS)


def make_nsga2(seed: int) -> "BaseSampler":
    """Genetic search by non-dominated sorting (Deb et al., 2002)."""
    from optuna.samplers import NSGAIISampler

    return NSGAIISampler(seed=seed, population_size=POPULATION)


def make_random(seed: int) -> "BaseSampler":
    """Independent uniform draws."""
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=seed)
