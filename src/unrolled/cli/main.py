"""The command ``unrolled``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from unrolled import __version__
from unrolled.cli import compare, demo, evaluate, predict, presets, report, train
from unrolled.core.errors import MissingExtraError, UnrolledError

_TRAINING = {"torch", "lightning_fabric", "polars", "sklearn"}  # what the extra "train" brings

app = typer.Typer(
    name="unrolled",
    help="From a file of sequences to a small, fast, explained recurrent model that runs anywhere.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (train, evaluate, predict, report, compare, presets, demo):
    name = command.__name__.rpartition(".")[2]
    app.command(name, epilog=command.EXAMPLE)(getattr(command, name))


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command; an error the user can mend is one sentence on stderr and exit code 2.

    Exit codes: 0 done, 2 a mistake in the request or the data, 130 stopped by Ctrl-C, 141 the reader of the output
    went away.
    """
    try:
        app()
    except UnrolledError as error:
        _refuse(error)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _TRAINING:
            raise
        mend = 'install it with: pip install "unrolled[train]"'
        _refuse(MissingExtraError(f"this command needs {missing}, which is not installed", mend=mend))
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)


def _refuse(error: UnrolledError) -> None:
    typer.echo(f"error: {error}", err=True)
    sys.exit(error.exit_code)
