"""Pictures of captures without any network: the classical rendering, and the same with the photos' look."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nas_isp.preparation.content_reference import look_pictures
from nas_isp.preparation.look import Look
from nas_isp.raw.classical import render
from nas_isp.raw.glance import glance
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.sensor import Gains


@dataclass(frozen=True)
class ClassicalBaseline:
    """What a network has to beat.

    Attributes:
        color_matrix: balanced camera RGB to linear sRGB, rows; None where no capture brings one.
        exposure: factor that gives the classical renderings the photos' brightness.
        look: of the photos.
        network_input: a balanced one: the light where a capture tells none, and how captures are metered.
    """

    color_matrix: list[list[float]] | None
    exposure: float
    look: Look
    network_input: NetworkInput

    @property
    def white_balance(self) -> Gains:
        """Gains that suit the captures on the whole."""
        return self.network_input.white_balance

    def render(self, packed: Tensor, gains: Tensor | None = None) -> Tensor:
        """The classical rendering of packed RAW `(B, 4, h, w)`, sRGB 0..1 `(B, 3, 2h, 2w)`.

        Args:
            packed: (x - black) / (white - black), canonical order.
            gains: of the captures' own light, `(3,)` or `(B, 3)`; None takes the common ones.
        """
        matrix = None if self.color_matrix is None else torch.tensor(self.color_matrix)
        balance = torch.tensor(self.white_balance) if gains is None else gains
        return render(packed, balance, matrix, exposure=self.exposure)

    def render_with_look(self, packed: Tensor, gains: Tensor | None = None) -> Tensor:
        """The same with the photos' exposure, tone and saturation; `packed` are whole captures."""
        balance = torch.tensor(self.white_balance) if gains is None else gains
        rows = (balance / balance[..., 1:2]).reshape(-1, 3).expand(len(packed), 3).tolist()
        factors = [
            self.network_input.factors(glance(one), (red, green, blue))
            for one, (red, green, blue) in zip(packed.numpy(), rows, strict=True)
        ]
        return look_pictures(packed, np.stack(factors), self.look)
