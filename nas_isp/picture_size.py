"""Sizes of packed RAW: the one that costs are quoted for where nobody gives another, and those that can be."""

from nas_isp.errors import InputError

FULL_HD_PACKED = (544, 960)
"""Rows and columns of the packed RAW of one 1088x1920 picture."""

FULL_HD_TEXT = f"{FULL_HD_PACKED[0]}x{FULL_HD_PACKED[1]}"
"""The same as it is written on the command line."""

LARGEST_SIDE = 65536
"""Of packed RAW: far beyond any sensor, so that a slip of the keyboard is found before memory runs out."""


def checked_size(size: tuple[int, int], smallest: int = 1, largest: int = LARGEST_SIDE) -> tuple[int, int]:
    """The size, where its rows and columns are within what is allowed.

    Raises:
        InputError: they are not.
    """
    is_pair = isinstance(size, tuple | list) and len(size) == 2
    if is_pair and all(isinstance(side, int) and smallest <= side <= largest for side in size):
        return size
    given = f"{size[0]}x{size[1]}" if is_pair else repr(size)
    raise InputError(
        f"size {given}: give rows x columns of the packed RAW, each {smallest} to {largest}, for instance "
        f"{FULL_HD_TEXT}",
        "input_size",
    )
