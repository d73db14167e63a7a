"""`nas-isp import-checkpoint`: published weights as a model bundle."""

from pathlib import Path
from typing import Annotated

import typer

from nas_isp.cli.common import say
from nas_isp.cli.options import BundleOption
from nas_isp.files import BUNDLE_SUFFIX, check_output


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("import-checkpoint")(import_published)


def import_published(
    file: Annotated[Path, typer.Argument(metavar="F.pth", help="A checkpoint published with arXiv 2505.10420.")],
    arch: Annotated[str, typer.Option(help="Which network it is: efficient-isp, robust-isp or rmfa-tiny.")],
    sensor: Annotated[str, typer.Option(help="Data set it was trained on: ultraisp, zrr, or a sensor.json file.")],
    output: BundleOption,
) -> None:
    """Make a model bundle of published weights; plane order and levels of the data set are folded in."""
    from nas_isp.generators.bundle import save_bundle
    from nas_isp.generators.published_checkpoints import import_checkpoint
    from nas_isp.raw.readers import load_sensor

    described = load_sensor(sensor)
    check_output(output, BUNDLE_SUFFIX)
    save_bundle(output, import_checkpoint(file, arch, described))
    say(f"written: {output}; {arch} for packed RAW of {described.name}")
