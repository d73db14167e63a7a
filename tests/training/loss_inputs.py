"""What a generator step shows, drawn at random, for tests of loss terms."""

import torch
from torch import Tensor, nn

from nas_isp.recipe import TrainSettings
from nas_isp.training.discriminators import build_discriminators
from nas_isp.training.loss_term import VIEWS, LossInputs

SHAPES = dict.fromkeys(VIEWS, (6, 8, 8))


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def loss_inputs(generated: Tensor, photos: Tensor | None = None) -> LossInputs:
    """Pictures `(B, 3, H, W)` with views that depend on them, all discriminators and synthetic pairs."""
    photos = drawn(1, *generated.shape) if photos is None else photos
    torch.manual_seed(0)
    judges = build_discriminators(TrainSettings(), {name: SHAPES[name] for name in VIEWS if name != "content"})
    return LossInputs(
        generated=generated,
        references=drawn(2, *generated.shape),
        photos=photos,
        views=_views(generated, VIEWS),
        photo_views=_views(photos, [name for name in VIEWS if name != "content"]),
        reference_content=drawn(3, len(generated), *SHAPES["content"]),
        discriminators=judges.requires_grad_(False),
        synthetic=(generated.flip(3), drawn(4, *generated.shape)),
    )


def _views(images: Tensor, names: "list[str] | tuple[str, ...]") -> dict[str, Tensor]:
    maps = nn.functional.adaptive_avg_pool2d(torch.cat((images, images.square()), 1), SHAPES["content"][1:])
    return {name: maps * (1 + at) for at, name in enumerate(names)}
