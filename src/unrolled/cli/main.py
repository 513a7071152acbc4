"""The command ``unrolled``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from unrolled import __version__
from unrolled.cli import compare, demo, evaluate, predict, presets, report, train
from unrolled.core.errors import UnrolledError

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
    """Run the command; an error the user can mend is one sentence on stderr and exit code 2."""
    try:
        app()
    except UnrolledError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
