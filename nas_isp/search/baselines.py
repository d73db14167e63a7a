"""What a network of a study has to beat: renderings of RAW without any network, with what its data were measured."""

from collections.abc import Callable

import torch
from torch import Tensor

from nas_isp.develop.evaluate import Developer
from nas_isp.evaluation.metrics import Image8, to_8_bit
from nas_isp.preparation.prepared_files import load_prepared
from nas_isp.raw.image import RawImage
from nas_isp.raw.orientation import upright
from nas_isp.raw.packing import align_to_rggb, pack
from nas_isp.raw.sensor import Gains
from nas_isp.search.study import Study


def study_baselines(study: Study) -> dict[str, Developer]:
    """The classical rendering of a study's data: plain, and with the look of its photos.

    Raises:
        InputError: the study has no prepared data, or damaged ones.
    """
    baseline = load_prepared(study.prepared_folder).baseline
    return {"classical": _developer(baseline.render), "look": _developer(baseline.render_with_look)}


def _developer(render: Callable[[Tensor, Gains | None], Tensor]) -> Developer:
    def develop(raw: RawImage) -> Image8:
        packed = torch.from_numpy(pack(align_to_rggb(raw)))[None]
        return upright(to_8_bit(render(packed, raw.white_balance))[0], raw.flip)

    return develop
