"""Scores a way to develop pictures on true pairs, and looks for artefacts beside the classical rendering."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from nas_isp.data.pairs import Pairs
from nas_isp.evaluation.appearance import Appearance, appearance_faults, appearance_words, mean_appearance
from nas_isp.evaluation.appearance_beside import appearance_of_pictures
from nas_isp.evaluation.artefacts import artefact_report, artefacts_of
from nas_isp.evaluation.beside_classical import CLASSICAL, lines_beside_classical
from nas_isp.evaluation.lpips import Lpips
from nas_isp.evaluation.metrics import Image8, Scores, mean_scores
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.raw.classical import render_image
from nas_isp.raw.image import RawImage
from nas_isp.raw.orientation import upright

Developer = Callable[[RawImage], Image8]
"""From RAW to its 8-bit sRGB picture `(H, W, 3)`."""


@dataclass(frozen=True)
class Evaluation:
    """How good pictures are.

    Attributes:
        scores: means over the pairs.
        artefacts: what was looked for, what of it was seen, and the limits; see `artefact_report`.
        baselines: the same of what the model has to beat, by name; `classical` among them.
        look: beside the classical rendering, mean over the pictures; None where that was not asked for.
    """

    scores: Scores
    artefacts: dict[str, Any]
    baselines: "dict[str, Evaluation]" = field(default_factory=dict)
    look: Appearance | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain data; `baselines` only where there are some."""
        row = {**self.scores.to_dict(), "artefacts": self.artefacts}
        if self.look is not None:
            row["look"] = {
                **self.look.to_dict(),
                "words": appearance_words(self.look),
                "faults": appearance_faults(self.look),
            }
        others = {name: baseline.to_json() for name, baseline in self.baselines.items()}
        return {**row, "baselines": others} if others else row

    def said(self) -> list[str]:
        """How the model looks beside the classical rendering, and a warning where it is worse."""
        scores = self.scores.to_dict() | ({} if self.look is None else self.look.to_dict())
        classical = self.baselines.get(CLASSICAL)
        return lines_beside_classical("the model", scores, None if classical is None else classical.scores.to_dict())


def evaluate_pictures(
    pairs: Pairs,
    develop: Developer,
    lpips: Lpips | None = None,
    progress: ReportsProgress = unseen,
    anchor: Developer | None = None,
) -> Evaluation:
    """Develop the RAW of true pairs and compare with their photos.

    Args:
        pairs: the pairs.
        develop: makes the pictures.
        lpips: to score LPIPS with, or None to leave it out.
        progress: told (pairs done, pairs).
        anchor: makes the classical renderings that pictures are looked at beside; None leaves looks out.

    Raises:
        InputError: a RAW file that cannot be developed.
    """
    artefacts, looks = [], []

    def pictures() -> Iterator[tuple[Image8, Image8]]:
        for done, pair in enumerate(pairs):
            progress(done, len(pairs))
            picture = develop(pair.raw)
            artefacts.append(artefacts_of(picture, render_image(pair.raw, "bilinear")))
            if anchor is not None:
                looks.append(appearance_of_pictures(picture, anchor(pair.raw)))
            yield picture, upright(pair.photo, pair.raw.flip)

    scores = mean_scores(pictures(), lpips)
    return Evaluation(scores, artefact_report(artefacts), look=mean_appearance(looks) if looks else None)
