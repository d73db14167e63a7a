"""Samplers by name, and any of Optuna's through the door."""

import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.samplers import BaseSampler, NSGAIISampler, QMCSampler, RandomSampler, TPESampler

from nas_isp.errors import InputError
from nas_isp.search.budget import Budget
from nas_isp.search.journal import open_journal
from nas_isp.search.run import SearchRequest, resolve
from nas_isp.search.samplers import SAMPLERS
from nas_isp.search.study import Study
from tests.search.search_tools import config, search

REPLACED = {
    "tpe": lambda: TPESampler(seed=3, n_startup_trials=8),
    "nsga2": lambda: NSGAIISampler(seed=3, population_size=16),
    "random": lambda: RandomSampler(seed=3),
}


def _twenty_points(sampler: BaseSampler) -> list[dict[str, object]]:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    for _ in range(20):
        trial = study.ask()
        kind, width = trial.suggest_categorical("kind", ("a", "b")), trial.suggest_int("width", 0, 30)
        study.tell(trial, [width + (kind == "a"), width**2])
    return [trial.params for trial in study.trials]


@pytest.mark.parametrize("name", REPLACED)
def test_the_built_in_ones_are_optunas_with_our_settings(name: str) -> None:
    assert _twenty_points(SAMPLERS[name](3)) == _twenty_points(REPLACED[name]())


def test_a_registered_one_suggests_a_searchs_architectures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []

    def make(seed: int) -> QMCSampler:
        seeds.append(seed)
        return QMCSampler(seed=seed)

    monkeypatch.setitem(SAMPLERS._registered, "quasi", make)
    search(tmp_path / "s", Budget(trials=5), config(sampler="quasi", seed=7))
    asked = len(open_journal(tmp_path / "s" / "journal.log", "quasi", 7)[0].trials)
    assert asked >= 5
    assert seeds == [7, 7 + asked]


def test_an_unknown_one_is_refused_before_any_work_and_the_known_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown sampler 'cma': known are tpe, nsga2, random"):
        resolve(SearchRequest(tmp_path / "s", sampler="cma"))


def test_a_study_of_a_sampler_that_is_not_here_can_be_read_but_not_gone_on_with(tmp_path: Path) -> None:
    foreign = config(sampler="elsewhere")
    Study.begin(tmp_path / "s", foreign).close()
    assert Study.open(tmp_path / "s").config.sampler == "elsewhere"
    with pytest.raises(InputError, match="unknown sampler 'elsewhere'"):
        search(tmp_path / "s", Budget(trials=1), foreign)


def test_reading_a_study_imports_neither_optuna_nor_torch(tmp_path: Path) -> None:
    Study.begin(tmp_path / "s", config()).close()
    program = (
        "import sys; from pathlib import Path; from nas_isp.search.study import Study; "
        f"Study.open(Path({str(tmp_path / 's')!r})); print({{'torch', 'optuna', 'ray'}} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
