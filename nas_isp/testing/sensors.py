"""Conformance of sensors: a description that is valid, and by which its own black, white and colors are found again."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_isp.raw.packing import CANONICAL_SITES, align_to_rggb, pack
from nas_isp.raw.readers import load_sensor, read_raw
from nas_isp.raw.sensor import SensorDescription

SIDE = 16
"""Pixels of the mosaics that are written and read."""

SITES = ((0, 0), (0, 1), (1, 0), (1, 1))


class SensorConformance:
    """All that a sensor promises.

    Attributes:
        name: of the sensor in `SENSORS`.
    """

    name: str

    def test_it_survives_json(self) -> None:
        """As bundles and studies store it; it is known by a name."""
        sensor = load_sensor(self.name)
        assert SensorDescription.model_validate_json(sensor.model_dump_json()) == sensor
        assert sensor.is_named, "it has no name for reports"

    def test_its_levels_fit_its_bits(self) -> None:
        """A stored value has room in 16 bits."""
        sensor = load_sensor(self.name)
        assert sensor.white < 2**sensor.bits, f"white {sensor.white} has no room in {sensor.bits} bits"
        assert sensor.bits + sensor.shift <= 16, f"{sensor.bits} bits << {sensor.shift} have no room in 16"

    def test_black_packs_to_0_and_white_to_1(self, tmp_path: Path) -> None:
        """At every site."""
        sensor = load_sensor(self.name)
        for planes, wanted in ((sensor.black_sites, 0.0), ((sensor.white,) * 4, 1.0)):
            packed = self._packed(planes, tmp_path)
            # Files hold whole numbers; half of one is the most that rounding can move a level.
            allowed = 0.5 / (sensor.white - max(sensor.black_sites)) + 1e-6
            assert np.abs(packed - wanted).max() <= allowed, f"{planes} packs to {packed.min()} to {packed.max()}"

    def test_each_site_packs_into_the_plane_of_its_color(self, tmp_path: Path) -> None:
        """R, G of the red row, G of the blue row, B."""
        sensor = load_sensor(self.name)
        for plane, site in enumerate(CANONICAL_SITES[sensor.cfa]):
            values = list(sensor.black_sites)
            values[SITES.index(site)] = sensor.white
            brightest = self._packed(values, tmp_path).mean((1, 2)).argmax()
            assert brightest == plane, f"site {site} of {sensor.cfa} packs into plane {brightest}, not {plane}"

    def _packed(self, values: "list[float] | tuple[float, ...]", folder: Path) -> NDArray[np.float32]:
        """A file with one true value a site, read and packed."""
        sensor = load_sensor(self.name)
        mosaic = np.empty((SIDE, SIDE), np.uint16)
        for value, (row, column) in zip(values, SITES, strict=True):
            mosaic[row::2, column::2] = round(value) << sensor.shift
        stored = mosaic
        if sensor.layout == "packed-rggb":
            stored = np.stack([mosaic[row::2, column::2] for row, column in CANONICAL_SITES[sensor.cfa]], axis=-1)
        np.save(folder / "mosaic.npy", stored)
        return pack(align_to_rggb(read_raw(folder / "mosaic.npy", sensor)))
