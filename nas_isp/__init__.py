"""Search, distil and export lightweight learned camera ISPs from unpaired RAW captures and photos."""

__version__ = "0.1.0"
