"""What a network has to beat: renderings of RAW without any network."""

from collections.abc import Callable

import torch
from torch import Tensor

from nas_isp.develop.evaluate import Developer
from nas_isp.evaluation.metrics import Image8, to_8_bit
from nas_isp.preparation.prepared_files import load_prepared
from nas_isp.raw.classical import render_image
from nas_isp.raw.image import RawImage
from nas_isp.raw.orientation import upright
from nas_isp.raw.packing import align_to_rggb, pack
from nas_isp.search.study import Study


def study_baselines(study: Study) -> dict[str, Developer]:
    """The classical rendering of a study's data: plain, and with the look of its photos.

    Each picture is rendered in its own light where the file says it, and else in the study's common one.

    Raises:
        InputError: the study has no prepared data, or damaged ones.
    """
    baseline = load_prepared(study.prepared_folder).baseline
    return {"classical": _developer(baseline.render), "look": _developer(baseline.render_with_look)}


def plain_baseline(raw: RawImage) -> Image8:
    """The classical rendering by what the file alone says: its light and matrix, bright enough to be looked at."""
    return render_image(raw, auto_exposure=True)


def _developer(render: Callable[[Tensor, Tensor | None], Tensor]) -> Developer:
    def develop(raw: RawImage) -> Image8:
        packed = torch.from_numpy(pack(align_to_rggb(raw)))[None]
        gains = None if raw.white_balance is None else torch.tensor(raw.white_balance)
        return upright(to_8_bit(render(packed, gains))[0], raw.flip)

    return develop
