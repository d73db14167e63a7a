"""What a loss term is: a value of what one generator step shows, and what has to be shown for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor, nn

from nas_isp.training.color_losses import block_lab

VIEWS = ("content", "texture_fine", "texture_coarse", "color")
"""The layers of frozen networks that a recipe names, by the names under which terms and discriminators see them."""

CONTENT_VIEW = "content"
"""The one view that compares with the content reference, and so is looked at there and not at the photos."""


@dataclass(frozen=True)
class LossInputs:
    """What the terms of one generator step may look at. Pictures are sRGB, 0..1 but for generated ones.

    Attributes:
        generated: pictures `(B, 3, H, W)` of real RAW, of which all terms but those on synthetic pairs are functions.
        references: content references `(B, 3, H, W)` of the same RAW.
        photos: target photos `(B, 3, H, W)` of other scenes; in the paired modes the true ones.
        views: float32 feature maps `(B, C, h, w)` of `generated`, those that the terms asked for.
        photo_views: the same of `photos`, but for the content view.
        reference_content: the content view of `references`, if a term asked for that view.
        discriminators: by the view that each judges, those that the terms asked for; see `discriminators`.
        synthetic: generated pictures of synthetic RAW and the photos it was made of, both `(B, 3, H, W)`, if a term
            asked for them.
    """

    generated: Tensor
    references: Tensor
    photos: Tensor
    views: dict[str, Tensor]
    photo_views: dict[str, Tensor]
    reference_content: Tensor | None
    discriminators: nn.ModuleDict
    synthetic: tuple[Tensor, Tensor] | None

    @cached_property
    def colors(self) -> Tensor:
        """Lab / 100 of 4x4 means of `generated`, as colors `(N, 3)`."""
        return block_lab(self.generated)

    @cached_property
    def photo_colors(self) -> Tensor:
        """Lab / 100 of 4x4 means of `photos`, as colors `(N, 3)`."""
        return block_lab(self.photos)


Value = Tensor | Mapping[str, Tensor]
"""A scalar, or the scalars of a term's parts by name."""


@dataclass(frozen=True)
class LossTerm:
    """A term of the generator's loss; a member of `LOSSES`, so that recipes can give it a weight by name.

    The gradient of each term is divided by its norm and multiplied by the weight: its scale does not matter.

    Attributes:
        value: smaller is better; differentiable by the generated pictures, a function of its inputs alone, which it
            leaves as they are. A GPU must not be waited for: no number is read from a tensor. Where it gives several
            scalars by name, each has the term's weight and a norm of its own.
        views: of `VIEWS`, those that `value` looks at.
        discriminators: of `VIEWS`, those whose discriminators `value` asks; to be named in `views` as well. A term with
            discriminators is left out in the mode `paired-no-adv`.
        synthetic_pairs: whether `value` looks at `synthetic`; the term is left out where there are none.
    """

    value: Callable[[LossInputs], Value]
    views: tuple[str, ...] = ()
    discriminators: tuple[str, ...] = ()
    synthetic_pairs: bool = False

    def __post_init__(self) -> None:
        """Refuse what no recipe can show.

        Raises:
            ValueError: an unknown view, or a discriminator of a view that is not looked at.
        """
        unknown = [name for name in self.views if name not in VIEWS]
        if unknown:
            raise ValueError(f"view '{unknown[0]}': known are {', '.join(VIEWS)}")
        unseen = [name for name in self.discriminators if name not in self.views]
        if unseen:
            raise ValueError(f"discriminator of '{unseen[0]}': name that view in `views` too")
        if CONTENT_VIEW in self.discriminators:
            raise ValueError(f"discriminator of '{CONTENT_VIEW}': that view is not looked at in photos; take another")
