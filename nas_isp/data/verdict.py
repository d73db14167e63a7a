"""What the captures of a folder are good for, in a few lines: how many, of what sensors and lights, what is missing."""

from collections.abc import Sequence

from nas_isp.data.inspection import FileFacts
from nas_isp.raw.groups import grouped, listed
from nas_isp.raw.sensor import Gains

ENOUGH = 30
"""Captures from which the look of photos is believed more than the usual one, with as many photos or more."""


def verdict(facts: Sequence[FileFacts]) -> list[str]:
    """Lines for the user; none where there is no capture.

    Args:
        facts: of every file, as `inspect_files` gives them.
    """
    captures = [fact for fact in facts if fact.kind == "raw"]
    told = [fact for fact in captures if fact.sensor is not None]
    if not told:
        return []
    return [_sensors(told, len(captures)), *_light(told), *_matrix(told), _enough(len(captures))]


def _sensors(told: Sequence[FileFacts], captures: int) -> str:
    groups = grouped([fact.sensor for fact in told if fact.sensor is not None])
    counted = _counted(captures, "capture")
    if len(told) < captures:
        counted = f"{counted}, of which {len(told)} tell their sensor:"
    if len(groups) == 1:
        return f"{counted} of one sensor: {groups[0].name}"
    names = "; ".join(listed([(group.name, len(group.members)) for group in groups]))
    return f"{counted} of {len(groups)} sensors; train on one of these groups: {names}"


def _light(captures: Sequence[FileFacts]) -> list[str]:
    said = [fact for fact in captures if fact.white_balance is not None]
    known = [fact.white_balance for fact in said if fact.white_balance is not None]
    lines = []
    if known:
        lights = len({tuple(round(gain, 2) for gain in gains) for gains in known})
        sources = " and ".join(sorted({fact.light_source for fact in said if fact.light_source}))
        lines.append(f"{_counted(lights, 'light')}{f' (from {sources})' if sources else ''}: {_spread(known)}")
    missing = len(captures) - len(known)
    if missing:
        guessed = [fact.light for fact in captures if fact.white_balance is None and fact.light is not None]
        shown = f" ({_spread(guessed)})" if guessed else ""
        lines.append(
            f"no white balance in {missing} of {len(captures)}: their light is estimated from the pictures{shown}; "
            "give gains in captures.tsv, or white_balance in sensor.json (docs/captures.md)"
        )
    return lines


def _spread(lights: Sequence[Gains]) -> str:
    red, blue = [gains[0] for gains in lights], [gains[2] for gains in lights]
    return f"red gains {min(red):.2f} to {max(red):.2f}, blue {min(blue):.2f} to {max(blue):.2f}"


def _matrix(captures: Sequence[FileFacts]) -> list[str]:
    missing = sum(fact.color_matrix is None for fact in captures)
    if not missing:
        return []
    return [
        f"no color matrix in {missing} of {len(captures)}: that of a typical camera is taken; give color_matrix in "
        "sensor.json (docs/captures.md)"
    ]


def _enough(captures: int) -> str:
    if captures >= ENOUGH:
        return "enough captures for exposure and tone to follow the photos"
    return (
        "few captures: light and noise are learned from them, but the look stays near the usual one; from about "
        f"{ENOUGH} on exposure and tone follow the photos (docs/captures.md)"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
