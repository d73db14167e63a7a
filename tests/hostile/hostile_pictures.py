"""Whole RAW files, photos, pairs and patch caches, and reading them."""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, ImageCms

from nas_isp.data.inspection import inspect_files
from nas_isp.data.pairs import load_pairs
from nas_isp.data.patches import PhotoPatches, RawPatches, cut_photo_patches, cut_raw_patches
from nas_isp.data.photo_files import opened
from nas_isp.data.photos import photo_size, read_photo
from nas_isp.data.raw_previews import LEAST_SIDE, read_preview
from nas_isp.develop.sensor_match import match_sensor
from nas_isp.errors import InputError
from nas_isp.raw.image import RawImage
from nas_isp.raw.libraw_rendering import render_by_libraw
from nas_isp.raw.mosaic_files import write_mosaic_png
from nas_isp.raw.packing import align_to_rggb, pack
from nas_isp.raw.readers import read_raw
from nas_isp.raw.sensor import SensorDescription
from tests.data.color_cases import P3_CHRM, gama, iccp, png16, write_png
from tests.dng_files import write_dng
from tests.hostile.hostile_parts import check_header
from tests.icc_files import gray_profile, rgb_profile
from tests.preview_files import jpeg_of, write_dng_with_preview

HEIGHT, WIDTH = 48, 64
SMALL = 1_000_000
"""Pixels up to which a mosaic is packed and rendered as well."""

SHARED = Path(os.environ.get("NAS_ISP_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "data"
SENSOR = SensorDescription(name="test", cfa="GRBG", bits=10, black=64, white=1023, height=HEIGHT, width=WIDTH)


def mosaic(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Values of a 10-bit sensor."""
    return np.random.default_rng(0).integers(64, 1024, (height, width), dtype=np.uint16)


def photo(height: int = HEIGHT, width: int = WIDTH) -> Image.Image:
    """A photo that is not flat."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8))


def describe(folder: Path, **changes: object) -> None:
    """Put a sensor.json into a folder."""
    (folder / "sensor.json").write_text(SENSOR.model_copy(update=changes).model_dump_json(indent=1))


def make_dng(folder: Path) -> None:
    write_dng(folder / "a.dng", mosaic(), exposure_s=(1, 250), default_crop=(2, 2, 56, 40))


def make_real(name: str) -> Callable[[Path], None]:
    """What copies a file of the shared data."""

    def make(folder: Path) -> None:
        shutil.copy(SHARED / name, folder / f"a{Path(name).suffix}")

    return make


make_crw = make_real("raw_camera/canon_s40/CRW_0113.CRW")
make_kdc = make_real("raw_camera/kodak/DC0008L.KDC")
make_tiled_dng = make_real("raw_camera/blackmagic/Blackmagic.dng")
make_linear_dng = make_real("raw_camera/tinydng/colorchart.dng")


def make_mosaic_png(folder: Path) -> None:
    describe(folder)
    write_mosaic_png(folder / "a.png", mosaic())


def make_mosaic_tiff(folder: Path) -> None:
    describe(folder)
    tifffile.imwrite(folder / "a.tif", mosaic(), compression="zlib")


def make_mosaic_npy(folder: Path) -> None:
    describe(folder)
    np.save(folder / "a.npy", mosaic())


def make_mosaic_raw(folder: Path) -> None:
    describe(folder, white_balance=(2.0, 1.0, 1.5), color_matrix=((1.5, -0.5, 0), (-0.2, 1.4, -0.2), (0, -0.6, 1.6)))
    (folder / "a.raw").write_bytes(mosaic().tobytes())


def make_packed_mosaic(folder: Path) -> None:
    describe(folder, type="mipi10")
    rows = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH * 5 // 4 + 16), np.uint8)
    np.save(folder / "a.npy", rows)


def make_table(folder: Path) -> None:
    make_mosaic_npy(folder)
    (folder / "captures.tsv").write_text(
        "file\tred\tgreen\tblue\texposure\tiso\tblack\tnoise\torientation\tgroup\n"
        "a.npy\t2.1\t1\t1.7\t1/250\t400\t60,61,62,63\t0.001 0.00002\t6\twide\n"
        "b.npy\t\t\t\t0.01\t\t64\t\t\t\n"
    )


def make_shading(folder: Path) -> None:
    """A mosaic with gain maps beside it, as an array and as text."""
    make_mosaic_npy(folder)
    np.save(folder / "map.npy", np.linspace(1, 2, 48).reshape(3, 4, 4))
    (folder / "map.tsv").write_text("1\t1.5\n1.5\t2\n")
    np.save(folder / "b.npy", mosaic())
    (folder / "captures.tsv").write_text("file\tshading\na.npy\tmap.npy\nb.npy\tmap.tsv\n")


def read_shaded(folder: Path) -> None:
    for name in ("a.npy", "b.npy"):
        check_header(folder / name)
        raw = read_raw(folder / name)
        assert np.isfinite(pack(align_to_rggb(raw))).all()
        assert raw.mosaic.max() <= raw.white


def make_npy_set(folder: Path) -> None:
    (folder / "raws").mkdir()
    np.save(folder / "raws/a.npy", np.random.default_rng(0).integers(0, 4096, (256, 256, 4), dtype=np.uint16))
    describe(folder, layout="packed-rggb", width=None, height=None)
    np.save(folder / "b.npy", np.random.default_rng(0).integers(0, 1024, (8, 8, 4)).astype(np.float32))


def read_camera(folder: Path) -> None:
    """As `develop --compare` does, which takes seconds for whole pictures."""
    check_header(next(folder.iterdir()))
    raw = read_raw(next(folder.iterdir()))
    _check_raw(raw)
    if raw.mosaic.size <= SMALL:
        rgb = render_by_libraw(np.uint8, raw)
        assert rgb.ndim == 3
        assert rgb.dtype == np.uint8


def make_preview(folder: Path) -> None:
    """A RAW file with the camera's own JPEG, which says its colors and how it is turned."""
    tags = Image.Exif()
    tags[0x0112] = 6
    tags.get_ifd(0x8769)[0xA001] = 2
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    write_dng_with_preview(folder / "a.dng", mosaic(), jpeg_of(pixels, exif=tags), (160, 160), color_space=3)


def read_previews(folder: Path) -> None:
    """As `evaluate --previews` does, which refuses a folder where nothing is found."""
    found = read_preview(folder / "a.dng")
    if found is None:
        raise InputError(f"{folder / 'a.dng'}: no picture of the camera in it; give another")
    assert found.pixels.dtype == np.uint8
    assert found.pixels.shape[2] == 3
    assert min(found.pixels.shape[:2]) >= LEAST_SIDE
    assert 0 <= found.flip <= 7


def read_mosaic(folder: Path) -> None:
    path = next(path for path in folder.iterdir() if path.stem == "a")
    check_header(path)
    _check_raw(read_raw(path))


def _check_raw(raw: RawImage) -> None:
    """What everything behind the readers relies on."""
    height, width = raw.mosaic.shape
    assert raw.mosaic.dtype == np.uint16
    assert min(height, width) >= 4
    assert height % 2 == width % 2 == 0
    assert 0 <= min(raw.black) <= max(raw.black) < raw.white
    if height * width > SMALL:
        return
    packed = pack(align_to_rggb(raw))
    assert np.isfinite(packed).all()
    gains = match_sensor(raw, packed, SENSOR).white_balance
    assert np.isfinite(gains).all()
    assert min(gains) > 0


def inspect(folder: Path) -> None:
    """As `data inspect` does: a file that cannot be read is a row."""
    for row in inspect_files(folder):
        assert row.kind in ("raw", "photo", "unreadable")


def make_jpeg(folder: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    photo().save(folder / "a.jpg", exif=exif, icc_profile=profile)
    photo().convert("CMYK").save(folder / "b.jpg", progressive=True)


def make_png(folder: Path) -> None:
    photo().convert("RGBA").save(folder / "a.png", icc_profile=ImageCms.ImageCmsProfile(_srgb()).tobytes())
    photo().quantize(16).save(folder / "b.png", transparency=3)


def make_webp(folder: Path) -> None:
    photo().save(folder / "a.webp")
    photo().convert("RGBA").save(folder / "b.webp", lossless=True)


def make_tiff(folder: Path) -> None:
    photo().save(folder / "a.tif", compression="tiff_lzw")
    photo().convert("L").save(folder / "b.tif", compression="jpeg")


def make_colored(folder: Path) -> None:
    """All that says a color space: chunks of PNG, tags of EXIF."""
    chunks = {"cICP": bytes((9, 16, 0, 1)), "gAMA": gama(0.5), "cHRM": P3_CHRM}
    write_png(folder / "a.png", np.asarray(photo()), **chunks)
    write_png(folder / "b.png", np.asarray(photo().convert("L")), iCCP=iccp(gray_profile(1.0, "x")))
    exif = Image.Exif()
    exif.update({0x13E: (0.3127, 0.3290), 0x13F: (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)})
    exif.get_ifd(0x8769).update({0xA001: 0xFFFF, 0xA500: 2.2, 0xA005: {1: "R03"}})
    photo().save(folder / "c.jpg", exif=exif)


def make_deep(folder: Path) -> None:
    """16 bits a channel."""
    deep = np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH, 3), dtype=np.uint16)
    png16(folder / "a.png", deep, iCCP=iccp(rgb_profile(1.8, "x")))
    table = tuple(range(0, 65536, 257))
    tifffile.imwrite(folder / "a.tif", deep, photometric="rgb", extratags=[(301, "H", 256, table, True)])
    tifffile.imwrite(folder / "b.tif", deep, photometric="rgb", compression="zlib", predictor=True)


def make_pages(folder: Path) -> None:
    with tifffile.TiffWriter(folder / "a.tif") as tiff:
        tiff.write(np.asarray(photo(8, 8)), photometric="rgb", metadata=None, subifds=1)
        tiff.write(np.asarray(photo()), photometric="rgb", metadata=None)
    with tifffile.TiffWriter(folder / "b.tif") as tiff:
        for height, width in ((8, 8), (HEIGHT, WIDTH), (HEIGHT, WIDTH)):
            tiff.write(np.asarray(photo(height, width)), photometric="rgb", metadata=None, compression="zlib")


def make_mosaic_pages(folder: Path) -> None:
    describe(folder)
    with tifffile.TiffWriter(folder / "a.tif") as tiff:
        tiff.write(mosaic(8, 8), metadata=None, subifds=1)
        tiff.write(mosaic(), metadata=None)
        tiff.write(mosaic(), metadata=None)


def make_heic(folder: Path) -> None:
    import pillow_heif

    pillow_heif.from_pillow(photo()).save(folder / "a.heic", color_primaries=12, transfer_characteristics=13)


def make_avif(folder: Path) -> None:
    photo().save(folder / "a.avif")


def make_bmp(folder: Path) -> None:
    photo().save(folder / "a.bmp")
    photo().quantize(16).save(folder / "b.bmp")


def _srgb() -> object:
    return ImageCms.createProfile("sRGB")


def read_photos(folder: Path) -> None:
    """All photos of a folder reduced, as training does; small ones also with every pixel."""
    for path in sorted(folder.iterdir()):
        with contextlib.suppress(InputError):
            assert min(photo_size(path)) > 0
        reduced = read_photo(path, 32)
        _check_photo(reduced)
        assert max(reduced.shape) <= 32
        with opened(path) as image:
            small = image.width * image.height <= SMALL
        if small:
            _check_photo(read_photo(path))


def _check_photo(pixels: np.ndarray) -> None:
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3


def make_pairs(folder: Path) -> None:
    for kind in ("raw", "rgb"):
        (folder / kind).mkdir()
    describe(folder / "raw")
    write_mosaic_png(folder / "raw/a.png", mosaic())
    photo().save(folder / "rgb/a.jpg")


def read_pairs(folder: Path) -> None:
    pair = load_pairs(folder)[0]
    assert pair.raw.mosaic.shape == pair.photo.shape[:2]
    assert pair.raw.cfa == "RGGB"


def make_caches(folder: Path) -> None:
    """Patches as they are cut, in folders whose names do not depend on time."""
    sources = folder / "sources"
    for kind in ("raw", "rgb"):
        (sources / kind).mkdir(parents=True)
    describe(sources / "raw")
    for stem in "ab":
        write_mosaic_png(sources / f"raw/{stem}.png", mosaic())
        photo().save(sources / f"rgb/{stem}.png")
    raw = cut_raw_patches(sources / "raw", folder / "cache", 32)
    photos = cut_photo_patches(sources / "rgb", folder / "cache", 32)
    shutil.copytree(raw.folder, folder / "raw")
    shutil.copytree(photos.folder, folder / "photos")
    shutil.rmtree(sources)
    shutil.rmtree(folder / "cache")


def read_caches(folder: Path) -> None:
    raw, photos = RawPatches.open(folder / "raw"), PhotoPatches.open(folder / "photos")
    check_patches(raw, photos)


def check_patches(raw: RawPatches, photos: PhotoPatches) -> None:
    """A batch of everything can be made of them."""
    assert len(raw.stems) == len(raw)
    assert len(photos.stems) == len(photos)
    assert raw.tensor(range(len(raw))).shape[1] == 4
    assert photos.tensor(range(len(photos))).shape[1] == 3
    assert all(isinstance(line, str) for line in (*raw.stems, *raw.skipped, *photos.stems, *photos.skipped))
