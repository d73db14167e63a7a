"""The size of picture that costs and times are quoted for where nobody gives another."""

FULL_HD_PACKED = (544, 960)
"""Rows and columns of the packed RAW of one 1088x1920 picture."""

FULL_HD_TEXT = f"{FULL_HD_PACKED[0]}x{FULL_HD_PACKED[1]}"
"""The same as it is written on the command line."""
