"""The classical rendering that content references begin as, and that a network has to beat."""

from dataclasses import dataclass

from torch import Tensor

from nas_isp.preparation.color_transport import ColorTransport
from nas_isp.preparation.content_reference import Gains, look_of


@dataclass(frozen=True)
class ClassicalBaseline:
    """One look for all captures of a data set.

    Attributes:
        white_balance: gains of R, G, B.
        color_matrix: balanced camera RGB to linear sRGB, rows; None where no capture brings one.
        exposure: factor that gives the renderings the photos' brightness.
        transport: of the rendered colors to those of the photos; the identity where references are not transported.
    """

    white_balance: Gains
    color_matrix: list[list[float]] | None
    exposure: float
    transport: ColorTransport

    def render(self, packed: Tensor, gains: Tensor | None = None) -> Tensor:
        """The plain rendering of packed RAW `(B, 4, h, w)`, sRGB 0..1 `(B, 3, 2h, 2w)`.

        Args:
            packed: (x - black) / (white - black), canonical order.
            gains: of the captures' own light, `(3,)` or `(B, 3)`; None takes the common ones.
        """
        look = look_of(self.white_balance, self.color_matrix)
        return look(packed, exposure=self.exposure, **({} if gains is None else {"white_balance": gains}))

    def render_transported(self, packed: Tensor, gains: Tensor | None = None) -> Tensor:
        """The same with transported colors."""
        return self.transport(self.render(packed, gains))
