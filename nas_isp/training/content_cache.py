"""Content views of the references: a patch that does not change is looked at once in a training."""

import torch
from torch import Tensor

from nas_isp.training.feature_views import FeatureViews

LARGEST_BYTES = 1 << 30


class ContentCache:
    """The content views of references by patch, kept until a gigabyte is full."""

    def __init__(self, viewer: FeatureViews) -> None:
        self._viewer = viewer
        self._known: dict[int, Tensor] = {}
        self._bytes = 0

    @torch.no_grad()
    def of(self, indices: Tensor, references: Tensor) -> Tensor:
        """Content views `(B, C, h, w)` of references `(B, 3, H, W)` whose patches have these indices, on the host."""
        keys = indices.tolist()
        new = [at for at, key in enumerate(keys) if key not in self._known]
        seen: dict[int, Tensor] = {}
        if new:
            # Stacked, because to choose them by a list would wait for a GPU.
            fresh = torch.stack([references[at] for at in new])
            seen = dict(zip(new, self._viewer.see(fresh, ["content"])["content"], strict=True))
        rows = [seen[at] if at in seen else self._known[key] for at, key in enumerate(keys)]
        for at, row in seen.items():
            self._keep(keys[at], row)
        return torch.stack(rows)

    def _keep(self, key: int, row: Tensor) -> None:
        size = row.numel() * row.element_size()
        if key not in self._known and self._bytes + size <= LARGEST_BYTES:
            self._known[key] = row.clone()
            self._bytes += size
