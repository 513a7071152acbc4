"""The command ``unrolled``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any

import typer

from unrolled import __version__
from unrolled.cli import advise, compare, demo, diagnose, evaluate, explain, predict, presets, report, search, train
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


def _answering(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its errors said: one sentence on stderr for one that the user can mend, no traceback."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except UnrolledError as error:
            raise _refused(error) from error
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in _TRAINING:
                raise
            mend = 'install it with: pip install "unrolled[train]"'
            what = f"this command needs {missing}, which is not installed"
            raise _refused(MissingExtraError(what, mend=mend)) from error
        except KeyboardInterrupt as error:
            typer.echo("stopped", err=True)
            raise typer.Exit(130) from error

    return run


def _refused(error: UnrolledError) -> typer.Exit:
    typer.echo(f"error: {error}", err=True)
    return typer.Exit(error.exit_code)


for module in (advise, train, search, evaluate, diagnose, explain, predict, report, compare, presets, demo):
    name = module.__name__.rpartition(".")[2]
    app.command(name, epilog=module.EXAMPLE)(_answering(getattr(module, name)))


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command. Exit codes: 0 done, 2 a mistake in the request or the data, 130 stopped by Ctrl-C."""
    app()
