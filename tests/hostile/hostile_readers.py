"""Every reader of the program with a small whole file for it. A line of `READERS` adds one."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

TEXT_SUFFIXES = {".json", ".jsonl", ".yaml", ".log", ".txt", ".csv", ".tsv"}


@dataclass(frozen=True)
class Reader:
    """A reader under attack. Functions are named as `pictures.make_dng` for that of the module `hostile_pictures`, so
    that only what is attacked is imported.

    Attributes:
        make: puts whole files into an empty folder.
        read: reads that folder as the program would, and checks that what it got can be right.
        attacked: patterns of the files of the folder that are damaged.
        crafted: further contents of files of the folder: what no random damage would find.
    """

    make: str
    read: str
    attacked: tuple[str, ...]
    crafted: str | None = None

    @staticmethod
    def is_text(path: str) -> bool:
        """Whether damages of text make sense for a file of this name."""
        return Path(path).suffix in TEXT_SUFFIXES


def function(name: str) -> Callable[[Path], Any]:
    """The function of a reader's field."""
    module, _, attribute = name.partition(".")
    found: Callable[[Path], Any] = getattr(import_module(f"tests.hostile.hostile_{module}"), attribute)
    return found


READERS: dict[str, Reader] = {
    "camera DNG": Reader("pictures.make_dng", "pictures.read_camera", ("*.dng",), "images.dngs"),
    "DNG with opcodes": Reader("dng.make_dng", "dng.read", ("*.dng",), "dng.dngs"),
    "developed DNG": Reader("captures.make_dng", "captures.develop", ("*.dng",), "captures.dngs"),
    "RAW preview": Reader("pictures.make_preview", "pictures.read_previews", ("*.dng",), "images.dngs"),
    "mosaic PNG": Reader("pictures.make_mosaic_png", "pictures.read_mosaic", ("*.png",), "images.mosaic_pngs"),
    "mosaic TIFF": Reader("pictures.make_mosaic_tiff", "pictures.read_mosaic", ("*.tif",)),
    "mosaic pages": Reader("pictures.make_mosaic_pages", "pictures.read_mosaic", ("*.tif",)),
    "mosaic npy": Reader("pictures.make_mosaic_npy", "pictures.read_mosaic", ("*.npy",), "arrays.mosaic_npys"),
    "mosaic raw": Reader("pictures.make_mosaic_raw", "pictures.read_mosaic", ("*.raw",)),
    "sensor.json": Reader("pictures.make_mosaic_raw", "pictures.read_mosaic", ("sensor.json",)),
    "packed mosaic": Reader("pictures.make_packed_mosaic", "pictures.read_mosaic", ("*.npy", "sensor.json")),
    "captures.tsv": Reader("pictures.make_table", "pictures.read_mosaic", ("captures.tsv",)),
    "gain maps": Reader("pictures.make_shading", "pictures.read_shaded", ("map.npy", "map.tsv", "captures.tsv")),
    "npy photo set": Reader("pictures.make_npy_set", "pictures.inspect", ("*.npy", "raws/*.npy"), "arrays.set_npys"),
    "photo JPEG": Reader("pictures.make_jpeg", "pictures.read_photos", ("*.jpg",)),
    "photo PNG": Reader("pictures.make_png", "pictures.read_photos", ("*.png",), "images.photo_pngs"),
    "photo WebP": Reader("pictures.make_webp", "pictures.read_photos", ("*.webp",)),
    "photo TIFF": Reader("pictures.make_tiff", "pictures.read_photos", ("*.tif",)),
    "photo colors": Reader("pictures.make_colored", "pictures.read_photos", ("*.png", "*.jpg")),
    "photo of 16 bits": Reader("pictures.make_deep", "pictures.read_photos", ("*.png", "*.tif"), "images.deep_pngs"),
    "photo pages": Reader("pictures.make_pages", "pictures.read_photos", ("*.tif",)),
    "photo HEIC": Reader("pictures.make_heic", "pictures.read_photos", ("*.heic",)),
    "photo AVIF": Reader("pictures.make_avif", "pictures.read_photos", ("*.avif",)),
    "photo BMP": Reader("pictures.make_bmp", "pictures.read_photos", ("*.bmp",)),
    "pairs": Reader("pictures.make_pairs", "pictures.read_pairs", ("raw/*", "rgb/*")),
    "patch caches": Reader(
        "pictures.make_caches", "pictures.read_caches", ("*/*.npy", "*/patches.json"), "arrays.caches"
    ),
    "preparation": Reader(
        "studies.make_preparation",
        "studies.read_preparation",
        ("prepared/*.json", "prepared/*.np?"),
        "arrays.preparations",
    ),
    "bundle": Reader("models.make_bundle", "models.run_model", ("*.safetensors",), "weights.bundles"),
    "published .pth": Reader("foreign.make_pth", "foreign.import_pth", ("*.pth",), "weights.pths"),
    "old .pth": Reader("foreign.make_old_pth", "foreign.import_pth", ("*.pth",)),
    "weights .pth": Reader("foreign.make_vit_pth", "foreign.fill_vit", ("*.pth",), "weights.weights"),
    "weights .safetensors": Reader("foreign.make_vit", "foreign.fill_vit", ("*.safetensors",)),
    "weights .h5": Reader("foreign.make_h5", "foreign.fill_squeezenet", ("*.h5",)),
    "tflite": Reader("models.make_tflite", "models.run_model", ("*.tflite",), "graphs.tflites"),
    "tflite kernels": Reader("models.make_tflite", "models.kernels", ("*.tflite",)),
    "tflite with a head": Reader("models.make_tflite_with_head", "models.run_model", ("*.tflite",), "graphs.tflites"),
    "tflite int8": Reader("models.make_tflite_int8", "models.run_model", ("*.tflite",), "graphs.tflites"),
    "tflite integer ends": Reader(
        "models.make_tflite_with_integer_ends", "models.run_model", ("*.tflite",), "graphs.tflites"
    ),
    "onnx": Reader("models.make_onnx", "models.run_model", ("*.onnx",), "graphs.onnxs"),
    "onnx with a head": Reader("models.make_onnx_with_head", "models.run_model", ("*.onnx",)),
    "onnx integer ends": Reader("models.make_onnx_with_integer_ends", "models.run_model", ("*.onnx",), "graphs.onnxs"),
    "checkpoint": Reader(
        "studies.make_training", "studies.resume", ("training/checkpoint.pt", "training/*.jsonl"), "weights.checkpoints"
    ),
    "recipe": Reader("formats.make_recipe", "formats.read_recipe", ("*.yaml",)),
    "space": Reader("formats.make_space", "formats.read_space", ("*.yaml",)),
    "architecture": Reader("formats.make_architecture", "formats.read_architecture", ("*.json",)),
    "latency table": Reader("formats.make_table", "formats.predict", ("table.json",)),
    "measurements": Reader("formats.make_measurements", "formats.read_measurements_as_a_table", ("*.json",)),
    "kernel list": Reader("formats.make_kernels", "formats.read_kernels", ("*.json*",)),
    "benchmark output": Reader("formats.make_benchmark_output", "formats.read_benchmark_output", ("*.txt", "*.csv")),
    "study": Reader(
        "studies.make_study",
        "studies.read_study",
        ("config.yaml", "classical.json", "trials/*/*", "rejected.jsonl"),
        "studies.crafted",
    ),
    "journal": Reader("studies.make_study", "studies.read_journal", ("journal.log",)),
}

REAL_READERS: dict[str, Reader] = {
    "Canon CRW": Reader("pictures.make_crw", "pictures.read_camera", ("a.*",)),
    "Kodak KDC": Reader("pictures.make_kdc", "pictures.read_camera", ("a.*",)),
    "Blackmagic DNG": Reader("pictures.make_tiled_dng", "pictures.read_camera", ("a.*",)),
    "colorchart DNG": Reader("pictures.make_linear_dng", "pictures.read_camera", ("a.*",)),
}
"""The same for files of real cameras in the shared data."""

TRAPS: dict[str, str] = {
    "raises": "KeyError",
    "names_nothing": "a message that does not name the file",
    "speaks_long": "no message of one short line",
    "crashes": "the process is killed by SIGSEGV",
    "hangs": "more than 5 s",
    "hoards": "GB",
    "executes": "a hostile act: subprocess.Popen",
    "writes_elsewhere": "a hostile act: changed",
    "reads_elsewhere": "a hostile act: read",
}
"""Readers that do wrong, and what must be said of them."""

ALL_READERS = READERS | REAL_READERS | {trap: Reader("traps.make", f"traps.{trap}", ("*.bin",)) for trap in TRAPS}
