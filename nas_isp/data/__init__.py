"""Patches cut from RAW and photos, unpaired and paired, and the demo set that ships with the program."""
