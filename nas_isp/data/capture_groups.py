"""The groups of captures in a folder: said to the user, and chosen among."""

from collections.abc import Sequence
from pathlib import Path

from nas_isp.data.patch_files import GroupCount
from nas_isp.errors import InputError
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.raw.groups import SensorFacts, chosen, grouped, listed, sensor_facts
from nas_isp.raw.readers import read_header
from nas_isp.raw.sensor import SensorDescription


def group_notes(folder: Path, groups: Sequence[GroupCount]) -> list[str]:
    """A line for the user where captures are of several sensors."""
    if len(groups) < 2:
        return []
    named = "; ".join(listed([(group.name, group.captures) for group in groups]))
    return [
        f"{folder}: captures of {len(groups)} sensors or lenses, by what the files say, are trained on together: "
        f"{named}; choose one by its number or a part of its name as group"
    ]


def of_group(
    files: Sequence[Path],
    group: str,
    folder: Path,
    sensor: SensorDescription | None = None,
    progress: ReportsProgress = unseen,
) -> tuple[list[Path], list[str]]:
    """The files of one group, and a line with the reason for each file that cannot be read and so is of none.

    Args:
        files: RAW files.
        group: number or part of the name; see `raw.groups.chosen`.
        folder: for messages.
        sensor: description of bare mosaics.
        progress: told (files done, files, text).

    Raises:
        InputError: no such group, or no file can be read.
    """
    facts: list[SensorFacts] = []
    readable: list[Path] = []
    skipped: list[str] = []
    for number, file in enumerate(files):
        try:
            header = read_header(file, sensor)
            facts.append(sensor_facts(header))
            readable.append(file)
        except InputError as error:
            skipped.append(str(error))
        progress(number + 1, len(files), "groups of captures")
    if not readable:
        raise InputError(f"{folder}: no file can be read: {skipped[0] if skipped else 'nothing in it'}")
    return [readable[place] for place in sorted(chosen(grouped(facts), group, folder).members)], skipped
