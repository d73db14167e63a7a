"""The data sets of a training in one place: patches of RAW and photos, pairs, and the sampling of batches."""

from nas_isp.data.pair_patches import cut_pair_patches
from nas_isp.data.pairs import Pair, Pairs, load_pairs
from nas_isp.data.photo_patches import PhotoPatches, as_pictures, cut_photo_patches
from nas_isp.data.raw_patches import RawPatches, cut_raw_patches
from nas_isp.data.sampling import UnpairedSampler
from nas_isp.data.unpaired import UnpairedData, limit_notes, load_unpaired

__all__ = [
    "Pair",
    "Pairs",
    "PhotoPatches",
    "RawPatches",
    "UnpairedData",
    "UnpairedSampler",
    "as_pictures",
    "cut_pair_patches",
    "cut_photo_patches",
    "cut_raw_patches",
    "limit_notes",
    "load_pairs",
    "load_unpaired",
]
