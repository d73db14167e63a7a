"""Develop RAW photos with a model.

Run: python examples/develop.py MODEL FOLDER PHOTO...
"""

import sys
from pathlib import Path

import nas_isp


def main(model: str, folder: str, *photos: str) -> None:
    """The model is loaded once; what one photo lacks does not stop the others."""
    runner = nas_isp.load_runner(model)
    Path(folder).mkdir(exist_ok=True)
    for photo in photos:
        try:
            written = nas_isp.develop_photo(runner, photo, Path(folder) / f"{Path(photo).stem}.jpg", note=print)
        except nas_isp.InputError as error:
            print(f"left out: {error}")
        else:
            print(*written)


if __name__ == "__main__":
    main(*sys.argv[1:])
