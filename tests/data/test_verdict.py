"""The last lines of an inspection say what a folder's captures are good for, and what is to be given."""

from dataclasses import replace

from nas_isp.data.inspection import FileFacts
from nas_isp.data.verdict import verdict
from nas_isp.raw.groups import SensorFacts

WIDE = SensorFacts("", "Phone", "wide", None, (100, 200), "RGGB", (64.0,) * 4, 1023.0, (), ())
TELE = SensorFacts("", "Phone", "tele", None, (100, 200), "RGGB", (64.0,) * 4, 1023.0, (), ())
FEW = (
    "few captures: light and noise are learned from them, but the look stays near the usual one; from about 30 on "
    "exposure and tone follow the photos (docs/captures.md)"
)
MATRIX = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def capture(sensor: SensorFacts, gains: tuple[float, float, float] | None, matrix: bool = True) -> FileFacts:
    return FileFacts("f", "raw", white_balance=gains, color_matrix=MATRIX if matrix else None, sensor=sensor)


def test_captures_that_say_everything_need_nothing() -> None:
    assert verdict([capture(WIDE, (2.0, 1.0, 1.5)), capture(WIDE, (1.5, 1.0, 2.25))]) == [
        "2 captures of one sensor: Phone, wide, 200x100 RGGB 64..1023",
        "2 lights: red gains 1.50 to 2.00, blue 1.50 to 2.25",
        FEW,
    ]


def test_many_captures_are_enough() -> None:
    assert verdict([capture(WIDE, (2.0, 1.0, 1.5))] * 29)[-1] == FEW
    assert verdict([capture(WIDE, (2.0, 1.0, 1.5))] * 30)[-1].startswith("enough captures")


def test_what_is_missing_is_counted_with_the_way_to_give_it() -> None:
    first, balance, matrix, _ = verdict([capture(WIDE, None, matrix=False)])
    assert first.startswith("1 capture of one sensor")
    assert balance.startswith("no white balance in 1 of 1")
    assert "captures.tsv" in balance
    guessed = replace(capture(WIDE, None), light=(1.8, 1.0, 1.4), light_source="estimated")
    assert "estimated from the pictures (red gains 1.80 to 1.80, blue 1.40 to 1.40)" in verdict([guessed])[1]
    assert matrix.startswith("no color matrix in 1 of 1")
    assert "sensor.json" in matrix


def test_where_lights_are_from_is_said() -> None:
    facts = [
        replace(capture(WIDE, (2.0, 1.0, 1.5)), light_source=source)
        for source in ("captures.tsv", "file", "captures.tsv")
    ]
    assert verdict(facts)[1] == "1 light (from captures.tsv and file): red gains 2.00 to 2.00, blue 1.50 to 1.50"


def test_several_sensors_are_listed_the_largest_first() -> None:
    gains = (2.0, 1.0, 1.5)
    line, light, _ = verdict([capture(TELE, gains), capture(WIDE, gains), capture(WIDE, gains)])
    assert line == (
        "3 captures of 2 sensors; train on one of these groups: 1: Phone, wide, 200x100 RGGB 64..1023 (2); "
        "2: Phone, tele, 200x100 RGGB 64..1023 (1)"
    )
    assert light.startswith("1 light:")


def test_a_folder_of_photos_has_no_verdict() -> None:
    assert verdict([FileFacts("f", "photo")]) == []


def test_captures_that_were_not_decoded_are_counted_apart() -> None:
    lines = verdict([capture(WIDE, (2.0, 1.0, 1.5)), FileFacts("f", "raw"), FileFacts("f", "raw")])
    assert lines[0].startswith("3 captures, of which 1 tell their sensor: of one sensor: Phone")
    assert len(lines) == 3
