"""``unrolled predict``: answers for new data, with time stamps and in the units of the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unrolled.cli.language import Lang, language_of
from unrolled.cli.reading import Reading, options

if TYPE_CHECKING:
    from unrolled.runtime import Which

EXAMPLE = "Example: unrolled predict runs/forecast-20260101-120000/model.unrolled new.csv --out predictions.csv"

_LEVELS = {"info": "note", "warning": "warning"}
_OF_TRAINING = ("encoding", "pairs_entangled")  # that the text could be read shows in the answer, and nothing is split


def predict(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Bundle, or folder of a run.")],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="New data; no target is needed, but as the past of a forecast. -: JSON lines, or 16-bit "
            "samples of a sound, answered as they come.",
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="File to write (.csv or .jsonl); otherwise CSV on stdout.")] = None,
    every: Annotated[
        bool | None,
        typer.Option("--all/--last", help="At every row, or only at the end of each series; else as suits the task."),
    ] = None,
    stride: Annotated[int, typer.Option(min=1, help="Rows between two predictions, with --all.")] = 1,
    beam: Annotated[
        int | None, typer.Option(min=1, help="Strings of labels (ctc): prefixes kept by the search; 1 is fastest.")
    ] = None,
    option: Reading = None,
    lang: Lang = "en",
) -> None:
    """Predict DATA with BUNDLE."""
    if data == "-":
        plain = out is None and every is None and beam is None and stride == 1 and not option
        _answer_lines(bundle, given=not plain)
        return
    from unrolled.core.files import write_text
    from unrolled.prepare.write import to_csv, writer_of
    from unrolled.workflow.predict import predict as run

    language = language_of(lang)
    text = to_csv if out is None else writer_of(out)
    which: Which | None = None if every is None else "all" if every else "last"
    found = run(bundle, data, which=which, stride=stride, beam=beam, **options(option))
    for note in found.notes:
        if note.code not in _OF_TRAINING:
            typer.echo(f"{_LEVELS[note.level]}: {note.text(language)}", err=True)
    if out is None:
        typer.echo(text(found.table()), nl=False)
        return
    write_text(out, text(found.table()))
    typer.echo(str(out))


def _answer_lines(bundle: Path, *, given: bool) -> None:
    """JSON lines on stdin, or the samples of a sound, answered on stdout before the next are read."""
    import sys

    from unrolled.core.errors import ConfigError
    from unrolled.prepare.write import to_json_lines
    from unrolled.workflow.predict import hear, hears_sound, stream

    if given:
        raise ConfigError(
            "a stream takes no --out, --all, --last, --stride, --beam and no options of a reader",
            where="predict -",
            mend="leave them out; the shell can send the answers to a file",
        )
    answers = hear(bundle, sys.stdin.buffer) if hears_sound(bundle) else stream(bundle, sys.stdin)
    for found in answers:
        typer.echo(to_json_lines(found.table()), nl=False)
        sys.stdout.flush()
