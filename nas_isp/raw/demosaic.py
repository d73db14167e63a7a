"""Linear demosaicing of packed RGGB planes in torch: bilinear, and Malvar-He-Cutler's gradient-corrected filters."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Demosaic = Callable[[Tensor], Tensor]

_IDENTITY = ((0, 0, 0, 0, 0), (0, 0, 0, 0, 0), (0, 0, 1, 0, 0), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0))

_BILINEAR_CROSS = ((0, 0, 0, 0, 0), (0, 0, 2, 0, 0), (0, 2, 0, 2, 0), (0, 0, 2, 0, 0), (0, 0, 0, 0, 0))
_BILINEAR_ROW = ((0, 0, 0, 0, 0), (0, 0, 0, 0, 0), (0, 4, 0, 4, 0), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0))
_BILINEAR_CORNERS = ((0, 0, 0, 0, 0), (0, 2, 0, 2, 0), (0, 0, 0, 0, 0), (0, 2, 0, 2, 0), (0, 0, 0, 0, 0))

_MALVAR_CROSS = ((0, 0, -1, 0, 0), (0, 0, 2, 0, 0), (-1, 2, 4, 2, -1), (0, 0, 2, 0, 0), (0, 0, -1, 0, 0))
_MALVAR_ROW = ((0, 0, 0.5, 0, 0), (0, -1, 0, -1, 0), (-1, 4, 5, 4, -1), (0, -1, 0, -1, 0), (0, 0, 0.5, 0, 0))
_MALVAR_CORNERS = ((0, 0, -1.5, 0, 0), (0, 2, 0, 2, 0), (-1.5, 0, 6, 0, -1.5), (0, 2, 0, 2, 0), (0, 0, -1.5, 0, 0))


def demosaic_bilinear(packed: Tensor) -> Tensor:
    """Mean of the nearest samples of each color: packed RGGB `(B, 4, h, w)` -> linear RGB `(B, 3, 2h, 2w)`.

    The phase is exact: an output pixel lies on its mosaic pixel, and the color sampled there is returned as it is.
    Borders are mirrored, which keeps the phase; h and w are at least 2.
    """
    return _filter_by_site(packed, _BILINEAR_CROSS, _BILINEAR_ROW, _BILINEAR_CORNERS)


def demosaic_malvar(packed: Tensor) -> Tensor:
    """Bilinear plus a Laplacian correction: packed RGGB `(B, 4, h, w)` -> linear RGB `(B, 3, 2h, 2w)`.

    Malvar, He, Cutler, "High-quality linear interpolation for demosaicing of Bayer-patterned color images",
    ICASSP 2004. Meant for white-balanced planes. Phase and borders as in `demosaic_bilinear`.
    """
    return _filter_by_site(packed, _MALVAR_CROSS, _MALVAR_ROW, _MALVAR_CORNERS)


DEMOSAIC: dict[str, Demosaic] = {"bilinear": demosaic_bilinear, "malvar": demosaic_malvar}

Rows = tuple[tuple[float, ...], ...]


def _filter_by_site(packed: Tensor, cross: Rows, row: Rows, corners: Rows) -> Tensor:
    """One 5x5 filter per color and site, applied as a stride-2 convolution over the mosaic.

    Args:
        packed: RGGB planes `(B, 4, h, w)`.
        cross: green at a red or blue site, in eighths.
        row: a color at a green site that has it left and right, in eighths.
        corners: red at a blue site and blue at a red site, in eighths.
    """
    mosaic = F.pixel_shuffle(packed, 2)  # (B, 1, 2h, 2w)
    weight = _cell_weight(cross, row, corners).to(packed)
    cells = F.conv2d(F.pad(mosaic, (2, 2, 2, 2), mode="reflect"), weight, stride=2)  # (B, 12, h, w)
    return F.pixel_shuffle(cells, 2)


def _cell_weight(cross: Rows, row: Rows, corners: Rows) -> Tensor:
    """Convolution weight `(12, 1, 6, 6)`: color-major, then the four sites of the cell."""
    keep = torch.tensor(_IDENTITY, dtype=torch.float64)
    across = torch.tensor(cross, dtype=torch.float64) / 8
    beside = torch.tensor(row, dtype=torch.float64) / 8
    diagonal = torch.tensor(corners, dtype=torch.float64) / 8
    above = beside.T
    by_color = (
        (keep, beside, above, diagonal),  # red at sites R, G1, G2, B
        (across, keep, keep, across),
        (diagonal, above, beside, keep),
    )
    weight = torch.zeros(12, 1, 6, 6, dtype=torch.float64)
    for color, filters in enumerate(by_color):
        for site, taps in enumerate(filters):
            top, left = divmod(site, 2)
            weight[4 * color + site, 0, top : top + 5, left : left + 5] = taps
    return weight
