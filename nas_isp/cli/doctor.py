"""`nas-isp doctor`: what this installation has, what it lacks, and how to get it."""

from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from nas_isp.cli.common import print_json, print_table, say
from nas_isp.cli.options import FormatOption
from nas_isp.errors import InputError

PACKAGES = (
    "torch",
    "numpy",
    "optuna",
    "ray",
    "rawpy",
    "fvcore",
    "onnx",
    "onnxruntime",
    "ai-edge-litert",
    "litert-torch",
    "ai-edge-quantizer",
)
OPTIONAL_PACKAGES = {
    "nni": "pip install 'nas_isp[nni]'",
    "optuna-dashboard": "pip install 'nas_isp[dashboard]'",
    "h5py": "pip install h5py (reads the SqueezeNet weights)",
}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor")(doctor)


def doctor(
    fetch_weights: Annotated[
        list[str] | None,
        typer.Option(metavar="NETWORK", help="First download the weights of this feature network; may be repeated."),
    ] = None,
    weights_dir: Annotated[Path | None, typer.Option(help="Folder with weights of feature networks.")] = None,
    format: FormatOption = "table",
) -> None:
    """Show versions, devices, weights and tables, and how to get what is missing.

    Raises:
        InputError: something required is missing; all findings are printed first. Or weights cannot be fetched.
    """
    _fetch(fetch_weights or [])
    findings = [*_packages(), *_devices(), *_features(weights_dir), *_lpips(weights_dir), *_shipped()]
    if format == "json":
        print_json([{"what": what, "state": state, "found": found, "do": do} for what, state, found, do in findings])
    else:
        print_table(["what", "state", "found", "to do"], findings)
    missing = [what for what, state, _, _ in findings if state == "missing"]
    if missing:
        raise InputError(f"missing: {', '.join(missing)}; see 'to do' above for each")


def _packages() -> list[tuple[str, str, str, str]]:
    rows = []
    for name in (*PACKAGES, *OPTIONAL_PACKAGES):
        try:
            rows.append((name, "ok", metadata.version(name), ""))
        except metadata.PackageNotFoundError:
            optional = OPTIONAL_PACKAGES.get(name)
            rows.append((name, "optional" if optional else "missing", "-", optional or f"pip install {name}"))
    return rows


def _devices() -> list[tuple[str, str, str, str]]:
    import os

    import torch

    rows: list[tuple[str, str, str, str]] = [("CPU", "ok", f"{os.cpu_count()} cores", "")]
    if torch.cuda.is_available():
        names = {torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())}
        return [*rows, ("GPU", "ok", f"{torch.cuda.device_count()} x {', '.join(sorted(names))}", "")]
    return [*rows, ("GPU", "optional", "-", "not needed; a CUDA build of torch uses one")]


def _fetch(names: list[str]) -> None:
    if names:
        from nas_isp.perceptual import features

        for name in names:
            say(f"'{name}': {features.fetch_weights(name)}")


def _features(weights_dir: Path | None) -> list[tuple[str, str, str, str]]:
    from nas_isp.perceptual.features import FEATURE_NETWORKS, load_features
    from nas_isp.perceptual.weight_files import find_weights

    rows: list[tuple[str, str, str, str]] = []
    for name in FEATURE_NETWORKS:
        what = f"features '{name}'"
        try:
            source = FEATURE_NETWORKS[name]
        except InputError as error:
            rows.append((what, "missing", "-", str(error)))
            continue
        found = find_weights(source.files, weights_dir)
        if not (source.packaged or found):
            files = " or ".join(file.described for file in source.files)
            rows.append((what, "optional", "-", f"fetched at first use or by --fetch-weights {name}: {files}"))
            continue
        try:
            layers = load_features(name, weights_dir).layers
            where = f"{found[1]}: " if found else ""
            rows.append((what, "ok", f"{where}{layers[0]} to {layers[-1]}", ""))
        except InputError as error:
            rows.append((what, "missing" if source.packaged else "optional", "-", str(error)))
    return rows


def _lpips(weights_dir: Path | None) -> list[tuple[str, str, str, str]]:
    from nas_isp.evaluation.lpips import load_lpips

    try:
        found = load_lpips(weights_dir) is not None
    except InputError as error:
        return [("LPIPS", "optional", "-", str(error))]
    return [("LPIPS", "ok", "AlexNet", "") if found else ("LPIPS", "optional", "-", "needs features 'alexnet'")]


def _shipped() -> list[tuple[str, str, str, str]]:
    from nas_isp import resources

    rows = []
    for kind in ("search_spaces", "distill", "latency_tables"):
        names = resources.names(kind)
        state = "ok" if names else "missing"
        rows.append((kind, state, ", ".join(names) or "-", "" if names else "install nas_isp again"))
    return rows
