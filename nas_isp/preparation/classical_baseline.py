"""The classical rendering that content references begin as, and that a network has to beat."""

from dataclasses import dataclass

from torch import Tensor

from nas_isp.preparation.color_transport import ColorTransport
from nas_isp.preparation.content_reference import look_of
from nas_isp.raw.sensor import Gains


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

    def render(self, packed: Tensor) -> Tensor:
        """The plain rendering of packed RAW `(B, 4, h, w)`, sRGB 0..1 `(B, 3, 2h, 2w)`."""
        return look_of(self.white_balance, self.color_matrix)(packed, exposure=self.exposure)

    def render_transported(self, packed: Tensor) -> Tensor:
        """The same with transported colors."""
        return self.transport(self.render(packed))
