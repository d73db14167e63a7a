"""Which light a capture is taken in, and who says so, for an inspection."""

from pathlib import Path

from nas_isp.raw.capture_table import TABLE_FILE, facts_beside
from nas_isp.raw.image import RawFacts, RawImage
from nas_isp.raw.light import LightChoice, light_of
from nas_isp.raw.mosaic_files import MOSAIC_SUFFIXES
from nas_isp.raw.packing import pack
from nas_isp.raw.saturation import packed_saturation
from nas_isp.raw.sensor import Gains


def light_taken(file: Path, raw: RawFacts) -> tuple[Gains | None, str | None]:
    """The light that is taken for a capture, and who says it; neither where only pixels tell that were not read."""
    if raw.white_balance is None:
        if not isinstance(raw, RawImage):
            return None, None
        found = light_of(raw, pack(raw), LightChoice(), None, packed_saturation(raw))
        return found.gains, found.source
    if file.suffix.lower() not in MOSAIC_SUFFIXES:
        return raw.white_balance, "file"
    facts = facts_beside(file)
    return raw.white_balance, "sensor" if facts is None or facts.white_balance is None else TABLE_FILE
