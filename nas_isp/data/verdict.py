"""What the captures of a folder are good for, in a few lines: how many, of what sensors and lights, what is missing."""

from collections.abc import Sequence

from nas_isp.data.inspection import FileFacts
from nas_isp.raw.groups import grouped, listed


def verdict(facts: Sequence[FileFacts]) -> list[str]:
    """Lines for the user; none where there is no capture.

    Args:
        facts: of every file, as `inspect_files` gives them.
    """
    captures = [fact for fact in facts if fact.kind == "raw"]
    told = [fact for fact in captures if fact.sensor is not None]
    if not told:
        return []
    return [_sensors(told, len(captures)), *_light(told), *_matrix(told)]


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
    known = [fact.white_balance for fact in captures if fact.white_balance is not None]
    lines = []
    if known:
        red, blue = [gains[0] for gains in known], [gains[2] for gains in known]
        lights = len({tuple(round(gain, 2) for gain in gains) for gains in known})
        spread = f"red gains {min(red):.2f} to {max(red):.2f}, blue {min(blue):.2f} to {max(blue):.2f}"
        lines.append(f"{_counted(lights, 'light')}: {spread}")
    missing = len(captures) - len(known)
    if missing:
        lines.append(
            f"no white balance in {missing} of {len(captures)}: their light is guessed from the pictures; give "
            "gains in captures.tsv, or white_balance in sensor.json (docs/captures.md)"
        )
    return lines


def _matrix(captures: Sequence[FileFacts]) -> list[str]:
    missing = sum(fact.color_matrix is None for fact in captures)
    if not missing:
        return []
    return [
        f"no color matrix in {missing} of {len(captures)}: that of a typical camera is taken; give color_matrix in "
        "sensor.json (docs/captures.md)"
    ]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
