"""What is said of a model beside the classical rendering: its look in words, and one line where it is worse."""

from collections.abc import Mapping
from typing import Any

from nas_isp.evaluation.appearance import appearance_of_scores, appearance_words

CLASSICAL = "classical"
"""The rendering's row in tables, and the entry of recorded scores that holds what it scores."""

PAIRED = (("psnr", "PSNR", "dB", 1), ("delta_e00", "CIEDE2000", "", -1))
REFERENCE_FREE = (("reference_free", "the reference-free score", "dB", 1),)


def lines_beside_classical(name: str, scores: Mapping[str, Any], classical: Mapping[str, Any] | None) -> list[str]:
    """The look of a model in words, and a warning where it is worse; as far as either can be told.

    Args:
        name: what to call the model.
        scores: recorded of it: `psnr`, `delta_e00`, `reference_free`, and the fields of `Appearance`.
        classical: the same of the classical rendering.
    """
    look = appearance_of_scores(scores)
    words = [] if look is None else [f"{name}, beside the classical rendering: {appearance_words(look)}"]
    worse = "" if classical is None else worse_than_classical(scores, classical)
    return words + ([f"warning: {name} is {worse}"] if worse else [])


def worse_than_classical(scores: Mapping[str, Any], classical: Mapping[str, Any]) -> str:
    """By what a model is worse than the classical rendering, such as `worse than ...: PSNR 16.7 dB against 17.6 dB`.

    Where both were measured on true pairs, these decide, PSNR and CIEDE2000 each for itself; otherwise the
    reference-free score does. Empty where the model is not worse, or nothing was measured of both.
    """
    paired = [row for row in PAIRED if row[0] in scores and row[0] in classical]
    shown = []
    for key, title, unit, sign in paired or REFERENCE_FREE:
        own, other = scores.get(key), classical.get(key)
        if isinstance(own, int | float) and isinstance(other, int | float) and sign * own < sign * other:
            shown.append(f"{title} {_number(own, unit)} against {_number(other, unit)}")
    return f"worse than the classical rendering: {', '.join(shown)}" if shown else ""


def _number(value: float, unit: str) -> str:
    return f"{value:.2f} {unit}".rstrip()
