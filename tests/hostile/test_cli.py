"""Everything that goes wrong ends, in the terminal, in one clear sentence; and nothing half-written stays behind."""

from __future__ import annotations

import errno
import json
import os
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from tests.cli.terminal import TINY, Outcome, unrolled
from tests.workflow.small import days, engines, gestures, levels, prices, write

from unrolled.core.bundle import Bundle


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder below."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def refused(here: Path, *arguments: object, says: tuple[str, ...], leaves: bool = False) -> Outcome:
    """The command ends with code 2 and one message with these words in it; the folder stays as it was."""
    before = content(here)
    found = unrolled(*arguments)
    assert found.code == 2, found
    assert found.err.count("error: ") == 1 and "Traceback" not in found.out + found.err
    message = found.err[found.err.index("error: ") :]
    assert len(message.strip().splitlines()) <= 2 and len(message) < 500, message
    for words in says:
        assert words in message, message
    assert leaves or content(here) == before
    return found


def train(here: Path, *arguments: object, says: tuple[str, ...], **kind: bool) -> Outcome:
    return refused(here, "train", *arguments, *TINY, "--out", "run", says=says, **kind)


def close(here: Path, *changes: tuple[int, str], name: str = "prices.csv") -> str:
    """Prices with other text in the column Close, at lines of the file."""
    lines = prices(here / name).read_text().splitlines()
    for line, text in changes:
        day, opened, _, volume = lines[line - 1].split(",")
        lines[line - 1] = ",".join((day, opened, text, volume))
    (here / name).write_text("\n".join(lines) + "\n")
    return name


def test_a_missing_file_names_its_neighbour(here: Path) -> None:
    close(here)
    train(here, "price.csv", "--target", "Close", says=("price.csv: there is no such file", "prices.csv"))
    train(here, "prices.csv", "--target", "Close", "--test", "later.csv", says=("later.csv: there is no such file",))
    refused(here, "predict", "model.unrolled", "prices.csv", says=("model.unrolled: there is no such file",))
    refused(here, "train", "--config", "mine.yaml", says=("mine.yaml: cannot be read",))


@pytest.mark.parametrize(
    "text, words",
    [("", "the file is empty"), ("Date,Close\n", "a header but no rows"), ("\n\n\n", ""), ("Date,Close", "no rows")],
)
def test_files_without_data(text: str, words: str, here: Path) -> None:
    Path("prices.csv").write_text(text)
    train(here, "prices.csv", "--target", "Close", says=("prices.csv: ", words))


def test_a_wrong_delimiter(here: Path) -> None:
    close(here)
    says = ("prices.csv: only one column was found, 'Date,Open,Close,Volume'", "option delimiter")
    train(here, "prices.csv", "--target", "Close", "--option", "delimiter=;", says=says)


@pytest.mark.parametrize("cell", ["12:30", "n/k", "1.2.3", "about 100", "0x10"])
def test_text_in_a_column_of_numbers(cell: str, here: Path) -> None:
    says = (f"prices.csv, row 60, column 'Close': {cell!r} is not a number", "Correct the cell")
    train(here, close(here, (60, cell)), "--target", "Close", says=says)


def test_thousands_are_read_or_refused_but_never_misread(here: Path) -> None:
    lines = prices(here / "plain.csv").read_text().splitlines()
    grouped = ["Date;Close", *(f"{line.split(',')[0]};1.{line.split(',')[2]}" for line in lines[1:])]
    Path("odd.csv").write_text("\n".join(grouped) + "\n")  # 1.100.25: neither a number nor thousands
    train(here, "odd.csv", "--target", "Close", says=("odd.csv", "'Close'", "is text ('1.1", "a number is needed"))
    cells = [f'{line.split(",")[0]},"1,{100 + at % 7}.5"' for at, line in enumerate(lines[1:])]
    Path("thousands.csv").write_text("\n".join(["Date,Close", *cells]) + "\n")
    found = unrolled("train", "thousands.csv", "--target", "Close", *TINY, "--out", "run")
    assert found.code == 0 and "1,100.5 was read as 1100.5" in found.out
    predicted = unrolled("predict", "run", "thousands.csv").out.splitlines()[1].split(",")
    assert 1000 < float(predicted[3]) < 1200


@pytest.mark.parametrize("order", ["newest first", "shuffled"])
def test_the_order_of_rows_is_mended_and_told(order: str, here: Path) -> None:
    close(here)
    unrolled("train", "prices.csv", "--target", "Close", *TINY, "--out", "run")
    header, *rows = Path("prices.csv").read_text().splitlines()
    rows = rows[::-1] if order == "newest first" else list(np.random.default_rng(0).permutation(rows))
    Path("other.csv").write_text("\n".join([header, *rows]) + "\n")
    found = unrolled("train", "other.csv", "--target", "Close", *TINY, "--out", "again")
    assert ("newest row first" if order == "newest first" else "not in time order") in found.out
    one, two = (Bundle.read(f"{run}/model.unrolled") for run in ("run", "again"))
    assert {k: v.tobytes() for k, v in one.weights.items()} == {k: v.tobytes() for k, v in two.weights.items()}
    assert unrolled("predict", "run", "other.csv").out == unrolled("predict", "run", "prices.csv").out


def test_repeated_time_stamps(here: Path) -> None:
    close(here)
    lines = Path("prices.csv").read_text().splitlines()
    Path("twice.csv").write_text("\n".join([*lines, lines[-1]]) + "\n")
    says = ("twice.csv, column 'Date': rows 121 and 122 have the same time 2024-04-29", "--group")
    train(here, "twice.csv", "--target", "Close", says=says)


@pytest.mark.parametrize("cell, words", [("", "no value"), ("7", "7 everywhere")])
def test_a_target_that_is_empty_or_constant(cell: str, words: str, here: Path) -> None:
    name = close(here, *((line, cell) for line in range(2, 122)))
    train(here, name, "--target", "Close", says=("prices.csv", "'Close'", words))


def test_an_empty_column_is_left_out(here: Path) -> None:
    name = close(here, *((line, "") for line in range(2, 122)))
    found = unrolled("train", name, "--target", "Open", *TINY, "--out", "run")
    assert found.code == 0 and "Left out 'Close': no value at all" in found.out


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e300"])
def test_values_that_are_not_finite(cell: str, here: Path) -> None:
    train(here, close(here, (60, cell)), "--target", "Close", says=("prices.csv, row 60, column 'Close'",))


def test_a_missing_target_names_the_nearest_column(here: Path) -> None:
    train(here, close(here), "--target", "close", says=("option target: there is no column 'close'", "'Close'"))
    train(here, close(here), says=("3 columns could be the target", "Choose with --target"))
    train(here, close(here), "--target", "Date", says=("prices.csv, column 'Date': time stamps cannot be the target",))


@pytest.mark.parametrize(
    "options, words",
    [
        (["--window", 200], ("200 input rows", "--window")),
        (["--horizon", 130], ("the longest series", "--horizon")),
        (["--test-share", 0.99], ("nothing is left to train on", "--test-share")),
        (["--valid-share", 2.5], ("data.split.valid: 2.5 does not fit",)),
        (["--valid-share", "soon"], ("'soon' does not fit", "2024-06-30")),
        (["--window", 0], ("data.window: 0 does not fit", "greater than or equal to 1")),
        (["--set", "net=[{lstm: {size: 0}}]"], ("size",)),
        (["--set", "net=[{lstm: {size: -3}}]"], ("size",)),
        (["--set", "net=[{lstm: {size: 100000000}}]"], ("size",)),
        (["--set", "train.epochs=0"], ("train.epochs: 0 does not fit",)),
        (["--set", "train.device=cuda"], ("device: cuda",)),
        (["--set", "task.quantiles=[0.5, 0.1]", "--set", "task.loss=quantile"], ("quantiles",)),
    ],
)
def test_sizes_that_are_impossible(options: list[object], words: tuple[str, ...], here: Path) -> None:
    if "train.device=cuda" in options:
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has a CUDA device")
    refused(here, "train", close(here), "--target", "Close", *TINY, *options, "--out", "run", says=words)


@pytest.mark.parametrize(
    "options, words",
    [
        (["--set", "train.learnin_rate=1"], ("there is no option 'learnin_rate'", "Did you mean 'learning_rate'?")),
        (["--set", "trian.epochs=1"], ("trian: there is no option 'trian'", "Did you mean 'train'?")),
        (["--set", "data.taget=Close"], ("Did you mean 'target'?",)),
        (["--set", "task.horizn=2"], ("Did you mean 'horizon'?",)),
        (["--set", "train.epochs"], ("--set: 'train.epochs' is not an assignment", "train.epochs=20")),
        (["--set", "net=[{lstm: {sise: 4}}]"], ("sise", "Did you mean 'size'?")),
        (["--set", "net=[{lsmt: {size: 4}}]"], ("lsmt", "Did you mean 'lstm'?")),
        (["--set", "net=forcast"], ("there is no preset 'forcast'", "Did you mean 'forecast'?")),
        (["--task", "forcast"], ("there is no task 'forcast'", "Did you mean 'forecast'?")),
        (["--missing", "ignore"], ("data.missing: 'ignore' does not fit", "fill_forward")),
        (["--net", "absent.yaml"], ("absent.yaml: cannot be read",)),
        (["--from", "absent"], ("absent: there is no such file",)),
        (["--option", "delimter=;"], ("delimter", "Did you mean 'delimiter'?")),
        (["--option", "header=perhaps"], ("header", "perhaps")),
        (["--set", "task.loss=nowhere:loss"], ("nowhere:loss", "module:function")),
    ],
)
def test_unknown_keys_name_the_nearest(options: list[str], words: tuple[str, ...], here: Path) -> None:
    refused(here, "train", close(here), "--target", "Close", *TINY, *options, "--out", "run", says=words)


@pytest.mark.parametrize(
    "text, words",
    [
        ("data: {target: Close", "is not YAML"),
        ("- 1", "must have the keys"),
        ("data: {taget: Close}", "Did you mean 'target'?"),
        ("trian: {}", "Did you mean 'train'?"),
        ("\x00", "is not YAML"),
        ("data: !!python/object/apply:os.system ['touch owned']", "is not YAML"),
    ],
)
def test_broken_configs(text: str, words: str, here: Path) -> None:
    Path("mine.yaml").write_text(text)
    refused(here, "train", close(here), "--config", "mine.yaml", says=("mine.yaml", words))


def test_text_that_nothing_decodes(here: Path) -> None:
    data = Path(close(here)).read_bytes()
    Path("prices.csv").write_bytes(data[:200] + bytes([0x81, 0x00, 0x01, 0xFF, 0x02]) + data[200:])
    train(here, "prices.csv", "--target", "Close", says=("prices.csv",))
    Path("other.csv").write_bytes(data[:200] + "é".encode("latin-1") + data[200:])
    words = ("other.csv", "utf-8")
    found = train(here, "other.csv", "--target", "Close", "--option", "encoding=utf-8", says=())
    assert all(word in found.err.lower() for word in words)


def test_one_class_only(here: Path) -> None:
    text = gestures(here / "kinds.csv").read_text().replace("fast", "slow")
    Path("kinds.csv").write_text(text)
    train(here, "kinds.csv", "--target", "kind", says=("kinds.csv", "'kind'", "one class only: 'slow'"))


def test_a_class_that_training_lacks_is_told(here: Path) -> None:
    gestures(here / "kinds.csv")
    rows = [("new", t, t / 10, "odd") for t in range(12)]
    text = "\n".join(",".join(map(str, row)) for row in rows)
    Path("test.csv").write_text(Path("kinds.csv").read_text() + text + "\n")
    says = ("test.csv", "'odd'", "'kind'")
    train(here, "kinds.csv", "--target", "kind", "--test", "test.csv", says=says)
    Path("rare.csv").write_text(Path("kinds.csv").read_text() + text + "\n")
    found = unrolled("train", "rare.csv", "--target", "kind", *TINY, "--out", "rare", "--set", "data.split.seed=1")
    assert found.code == 0  # one example goes to training, where there is but one


def test_an_unknown_label_at_evaluation(here: Path) -> None:
    gestures(here / "kinds.csv")
    unrolled("train", "kinds.csv", "--target", "kind", *TINY, "--out", "run")
    Path("other.csv").write_text(Path("kinds.csv").read_text().replace("fast", "wild"))
    refused(here, "evaluate", "run", "other.csv", says=("other.csv", "'wild'"))
    Path("bare.csv").write_text("\n".join(line.rpartition(",")[0] for line in Path("kinds.csv").read_text().split()))
    refused(here, "evaluate", "run", "bare.csv", says=("bare.csv",))


_TS = "@problemName x\n@univariate true\n@classLabel true a b\n@data\n"


@pytest.mark.parametrize(
    "text",
    [
        _TS.replace("@data\n", "") + "1,2:a\n",
        _TS.replace("true a b", "perhaps a b") + "1,2:a\n",
        _TS.replace("@classLabel", "@clasLabel") + "1,2:a\n",
        _TS + "1,2:c\n",
        _TS + "1,x:a\n",
        _TS + "1,2\n",
        _TS,
        "@data",
        "@",
        _TS + "1,2:a\n1,2:3,4:b\n",
    ],
)
def test_ts_files_with_a_broken_header_or_body(text: str, here: Path) -> None:
    Path("x.ts").write_text(text)
    train(here, "x.ts", says=("x.ts",))


def test_a_truncated_signal_file(here: Path) -> None:
    wfdb = pytest.importorskip("wfdb", reason="needs the extra ecg")
    signal = np.sin(np.arange(4000) / 20)[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wfdb's own, on the way it uses pandas
        wfdb.wrsamp("r", fs=100, units=["mV"], sig_name=["MLII"], p_signal=signal, fmt=["16"])
        wfdb.wrann("r", "atr", np.arange(100, 3900, 100), symbol=["N", "V"] * 19)
    whole = Path("r.dat").read_bytes()
    Path("r.dat").write_bytes(whole[: len(whole) // 3])
    train(here, "r.hea", says=("r.dat",))
    Path("r.dat").unlink()
    train(here, "r.hea", says=("r.dat: there is no such file",))
    Path("r.dat").write_bytes(whole)
    Path("r.hea").write_text(Path("r.hea").read_text()[:5])
    train(here, "r.hea", says=("r: the record cannot be read", "download its files again"))


def test_folders_that_cannot_be_written(here: Path) -> None:
    close(here)
    unrolled("train", "prices.csv", "--target", "Close", *TINY, "--out", "run")
    data = ("prices.csv", "--target", "Close")
    says = ("prices.csv/run: a part of this path is a file, not a folder", "Choose another folder")
    refused(here, "train", *data, *TINY, "--out", "prices.csv/run", says=says)
    refused(here, "predict", "run", "prices.csv", "--out", "prices.csv/p.csv", says=("nothing was written",))
    refused(here, "report", "run", "--out", "prices.csv/r.html", says=("nothing was written",))
    refused(here, "evaluate", "run", "prices.csv", "--out", "run", says=("run: this is a folder, not a file",))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(here: Path) -> None:
    close(here)
    (here / "locked").mkdir(mode=0o555)
    says = ("locked", "there is no permission to write here", "Choose a folder you may write to")
    refused(here, "train", "prices.csv", "--target", "Close", *TINY, "--out", "locked/run", says=says)


def _failing(error: int, after: int) -> Callable[..., Any]:
    """``os.fsync`` that fails as a full disk (or another error) after so many files."""
    real, count = os.fsync, iter(range(10**6))

    def fsync(descriptor: int) -> None:
        if next(count) >= after:
            raise OSError(error, os.strerror(error))
        real(descriptor)

    return fsync


@pytest.mark.parametrize(
    "error, words", [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the file system is read-only")]
)
@pytest.mark.parametrize("after", range(7))
def test_a_disk_that_is_full_at_any_moment_of_a_training(error: int, words: str, after: int, here: Path) -> None:
    """Assumptions, settings, history, checkpoint, bundle, record, report: each whole or absent."""
    close(here)
    with mock.patch("unrolled.core.files.os.fsync", _failing(error, after)):
        refused(here, "train", "prices.csv", "--target", "Close", *TINY, "--out", "run", says=(words,), leaves=True)
    left = {path.name for path in Path("run").iterdir()} if Path("run").exists() else set()
    assert not any(name.startswith(".") for name in left)  # no temporary file
    if after < 4:
        assert left == set()  # nothing was learnt: the folder is free again
        return
    assert {"config.yaml", "checkpoint.pt"} <= left
    assert unrolled("train", "--resume", "run", "--quiet").code == 0
    assert unrolled("predict", "run", "prices.csv").code == 0


def test_a_full_disk_while_predicting(here: Path) -> None:
    close(here)
    unrolled("train", "prices.csv", "--target", "Close", *TINY, "--out", "run")
    Path("p.csv").write_text("before")
    with mock.patch("unrolled.core.files.os.fsync", _failing(errno.ENOSPC, 0)):
        refused(here, "predict", "run", "prices.csv", "--out", "p.csv", says=("p.csv: the disk is full",))
        refused(here, "report", "run", says=("report.html: the disk is full",))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    unrolled("train", prices(folder / "prices.csv"), "--target", "Close", *TINY, "--out", folder / "run")
    return folder / "run" / "model.unrolled"


def _edited(source: Path, edit: Callable[[dict[str, Any]], object]) -> bytes:
    with zipfile.ZipFile(source) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(entries["manifest.json"])
    edit(manifest)
    entries["manifest.json"] = json.dumps(manifest).encode()
    target = source.parent / "edited"
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return target.read_bytes()


@pytest.mark.parametrize("command", ["predict", "evaluate"])
@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda path: b"", "not a bundle"),
        (lambda path: b"hello", "not a bundle"),
        (lambda path: path.read_bytes()[:-40], "not a bundle, or it is damaged"),
        (lambda path: path.read_bytes()[:2000], "not a bundle, or it is damaged"),
        (lambda path: path.read_bytes().replace(b"weights.safetensors", b"../../etc/passwd..."), "bundle"),
        (lambda path: _edited(path, lambda m: m.update(format=99)), "newer version of unrolled"),
        (lambda path: _edited(path, lambda m: m.update(weights_sha256="0" * 64)), "weights are not those"),
        (lambda path: _edited(path, lambda m: m.update(plan=None, custom="os:system")), "no plan to run them"),
        (lambda path: _edited(path, lambda m: m["settings"].pop("schema")), "schema"),
        (lambda path: _edited(path, lambda m: m["settings"].update(options={"limit": 1, "lead": [1]})), ""),
    ],
)
def test_damaged_and_hostile_bundles(
    damage: Callable[[Path], bytes], words: str, command: str, bundle: Path, here: Path
) -> None:
    data = damage(bundle)
    (bundle.parent / "edited").unlink(missing_ok=True)
    close(here)
    Path("bad.unrolled").write_bytes(data)
    refused(here, command, "bad.unrolled", "prices.csv", says=(words,))


def test_functions_that_a_bundle_names_are_not_imported(bundle: Path, here: Path) -> None:
    def hostile(manifest: dict[str, Any]) -> None:
        manifest["settings"]["task"] |= {"loss": "owned:loss", "metrics": ["owned:metric"]}

    Path("owned.py").write_text("import pathlib\npathlib.Path('executed').touch()\nloss = metric = min\n")
    Path("bad.unrolled").write_bytes(_edited(bundle, hostile))
    (bundle.parent / "edited").unlink()
    close(here)
    with mock.patch("sys.path", [str(here), *sys.path]):
        assert unrolled("predict", "bad.unrolled", "prices.csv").code == 0
        assert unrolled("evaluate", "bad.unrolled", "prices.csv").code == 0
        found = unrolled(
            "train", "prices.csv", "--target", "Close", "--from", "bad.unrolled", *TINY[:4], "--out", "run"
        )
    assert found.code == 0 and not Path("executed").exists()


def test_data_that_does_not_fit_the_bundle(bundle: Path, here: Path) -> None:
    close(here)
    header, *rows = Path("prices.csv").read_text().splitlines()
    cases = {
        "less.csv": ([line.rpartition(",")[0] for line in [header, *rows]], "the model needs 'Volume'"),
        "short.csv": ([header, *rows[:5]], "the longest series has 5"),
        "text.csv": ([header, *(f"{line}x" for line in rows)], "this is text"),
        "hole.csv": ([header, *rows[:-1], rows[-1].rpartition(",")[0] + ","], "a value is missing"),
    }
    for name, (lines, words) in cases.items():
        Path(name).write_text("\n".join(lines) + "\n")
        refused(here, "predict", bundle, name, says=(name, words))


@pytest.mark.parametrize("run", ["config", "folder", "json"])
def test_runs_that_cannot_be_read(run: str, here: Path) -> None:
    Path("run").mkdir()
    close(here)
    if run != "folder":
        Path("run/config.yaml").write_text("seed: [" if run == "config" else "seed: 1")
    if run == "json":
        Path("run/run.json").write_text("{}")
    refused(here, "report", "run", says=("run",)) if run != "config" else None
    refused(here, "compare", "run", "run", says=("run",)) if run != "config" else None
    refused(here, "train", "--resume", "run", says=("run",) if run != "json" else ("data",))


def test_a_loss_that_is_not_finite_names_the_moment_and_the_mend(here: Path) -> None:
    close(here)
    options = ["--learning-rate", "1e30", "--set", "train.optimizer=sgd", "--set", "train.clip_norm=null"]
    found = train(here, "prices.csv", "--target", "Close", "--epochs", 50, *options, says=(), leaves=True)
    message = found.err[found.err.index("error: ") :].lower()
    assert "epoch" in message and "learning" in message
    assert not Path("run/model.unrolled").exists()


def test_too_little_for_the_task(here: Path) -> None:
    engines(here / "one.csv", count=1)
    found = unrolled("train", "one.csv", "--target", "rul", "--task", "failure", "--horizon", 5, *TINY, "--out", "run")
    assert found.code in (0, 2) and "Traceback" not in found.err
    levels(here / "two.csv", count=2)
    found = unrolled("train", "two.csv", "--target", "level", *TINY, "--out", "two")
    assert found.code in (0, 2) and "Traceback" not in found.err
    rows = [(day, at) for at, day in enumerate(days(3))]
    write(here / "three.csv", ("date", "y"), rows)
    train(here, "three.csv", "--target", "y", says=("three.csv",))


def test_nothing_to_predict_from(here: Path) -> None:
    rows = ((day, ("up", "down")[at % 3 == 0]) for at, day in enumerate(days(60)))
    write(here / "moves.csv", ("Date", "move"), rows)
    train(here, "moves.csv", "--target", "move", says=("no column that changes from row to row", "--features"))


def test_times_are_told_without_needless_zeros(here: Path) -> None:
    path = prices(here / "prices.csv")
    path.write_text(path.read_text().replace("2024-01-02", "2024-01-01"))
    train(here, "prices.csv", "--target", "Close", says=("rows 2 and 3 have the same time 2024-01-01T00:00:00\n",))
