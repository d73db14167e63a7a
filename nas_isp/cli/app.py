"""The `nas-isp` program: collects the verbs and turns errors into exit codes."""

import importlib
import os
import sys
from typing import Any

import typer
from typer.main import get_command

from nas_isp.cli.common import with_options
from nas_isp.errors import InputError

VERBS = (
    "search",
    "pareto",
    "train",
    "distill",
    "export",
    "evaluate",
    "develop",
    "describe",
    "import_checkpoint",
    "latency",
    "data",
    "doctor",
)
"""One module of this package a verb; each offers `register(app)`. The order is the order in the help text."""

UsageFault: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""The base of all usage errors; typer carries its own click and does not export this class."""

HELP = "Search, distil and export lightweight learned camera ISPs from unpaired RAW captures and photos."

EXIT_INPUT = 2
EXIT_INTERRUPTED = 130


def build_app() -> typer.Typer:
    """The command-line program with every verb."""
    app = typer.Typer(
        name="nas-isp", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=HELP
    )

    @app.callback()
    def options(debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error.")) -> None:
        """Read by `main` before the verb runs."""

    for verb in VERBS:
        importlib.import_module(f"nas_isp.cli.{verb}").register(app)
    return app


def main() -> None:
    """Entry point: exit code 0, 2 for bad input with one line, 130 on Ctrl-C."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        sys.exit(get_command(build_app()).main(standalone_mode=False) or 0)
    except (InputError, UsageFault) as error:
        if debug:
            raise
        message = with_options(error) if isinstance(error, InputError) else error.format_message()
        # A call without arguments has shown the help and has nothing to add.
        if message:
            print(f"nas-isp: {' '.join(message.split())}", file=sys.stderr)
        sys.exit(EXIT_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        if debug:
            raise
        print("nas-isp: interrupted", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        # A path too long, a full disk: the operating system says what is wrong with what the user named.
        if debug or error.strerror is None:
            raise
        print(f"nas-isp: {error.filename or 'output'}: {error.strerror}; give another path", file=sys.stderr)
        sys.exit(EXIT_INPUT)


if __name__ == "__main__":
    main()
