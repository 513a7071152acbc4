"""Many workers on one PostgreSQL server, which goes away in the middle."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.search.postgres import Server, programs, server
from tests.workflow.small import prices

from unrolled.core.search import Tried
from unrolled.search import SearchSettings, Space, Study
from unrolled.search.storage import StorageError
from unrolled.train import Hook
from unrolled.workflow.search import resume, search

pytestmark = pytest.mark.exhaustive


@pytest.fixture
def postgres() -> Iterator[Server]:
    found = programs()
    if found is None:
        pytest.skip("needs PostgreSQL's programs (Debian: apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="unrolled-pg-") as home, server(Path(home), found) as running:
        yield running


def _plan(data: Path, storage: str, **settings: Any) -> dict[str, Any]:
    return {
        "data": {"path": str(prices(data)), "target": "Close", "window": 8},
        "task": {"name": "forecast", "horizon": 3},
        "net": [{"gru": {"size": {"choice": [2, 4, 8]}}}],
        "train": {"epochs": 2, "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}},
        "search": {"storage": storage, "study": "shared", "method": "random", **settings},
    }


class _Outage:
    """Stops the server after some trials, and starts it again after some seconds, or never."""

    def __init__(self, postgres: Server, after: int, back: float | None) -> None:
        self._postgres, self._after, self._back = postgres, after, back
        self.seen: list[int] = []

    def begun(self, number: int) -> None:
        if number == self._after:
            self._postgres.stop()
            if self._back is not None:
                threading.Timer(self._back, self._postgres.start).start()

    def ended(self, tried: Tried) -> None:
        self.seen.append(tried.number)

    def hooks(self) -> tuple[Hook, ...]:
        return ()


def test_machines_share_one_search(postgres: Server, tmp_path: Path) -> None:
    plan = _plan(tmp_path / "prices.csv", postgres.url, trials=12)
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
    command = [sys.executable, "-m", "unrolled", "search", str(tmp_path / "plan.yaml"), "--out", str(tmp_path / "one")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as other:
        while not (tmp_path / "one" / "trials").exists():
            assert other.poll() is None
            time.sleep(0.05)
        search(plan, folder=tmp_path / "two")
        assert other.wait() == 0
    record = resume(tmp_path / "two").record
    assert [tried.number for tried in record.tried] == list(range(12))
    assert {tried.trial.state for tried in record.tried} == {"done"}
    assert {Path(tried.trial.folder).parent.parent.name for tried in record.tried} == {"one", "two"}


# optuna leaves the connection of an attempt that lost the race to the garbage collector, which psycopg complains of.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tables_are_made_once_however_many_begin(postgres: Server) -> None:
    space, failed = Space.parse({"x": {"choice": [1, 2, 3]}}), []

    def begin() -> None:
        try:
            with closing(Study(space, SearchSettings(method="grid"), url=postgres.url, name="s")):
                pass
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []


def test_machines_that_begin_a_grid_at_once_try_each_point_once(postgres: Server) -> None:
    space, tried, ready = Space.parse({"x": {"low": 0, "high": 11}}), list[Any](), threading.Barrier(4)

    def study(name: str) -> Any:
        return closing(Study(space, SearchSettings(method="grid"), url=postgres.url, name=name))

    def work() -> None:
        ready.wait()
        with study("s") as mine:
            tried.extend(proposal.values["x"] for proposal in iter(mine.ask, None))

    with study("first"):  # makes the tables
        pass
    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(tried) == list(range(12))


def test_a_server_that_comes_back_is_waited_for(postgres: Server, tmp_path: Path) -> None:
    told = _Outage(postgres, after=1, back=3.0)
    found = search(_plan(tmp_path / "prices.csv", postgres.url, trials=4), folder=tmp_path / "s", told=told)
    assert told.seen == [0, 1, 2, 3] and len(found.record.tried) == 4


def test_a_server_that_stays_away_costs_nothing(postgres: Server, tmp_path: Path) -> None:
    plan = _plan(tmp_path / "prices.csv", postgres.url, trials=4)
    with pytest.raises(StorageError, match="Nothing is lost; when it is back, go on with") as caught:
        search(plan, folder=tmp_path / "s", told=_Outage(postgres, after=2, back=None), patience=2.0)
    assert "does not answer" in str(caught.value)
    assert (tmp_path / "s" / "trials" / "0002" / "trial.json").exists()  # trained while the server was away
    postgres.start()
    found = resume(tmp_path / "s")
    assert [tried.number for tried in found.record.tried] == [0, 1, 2, 3]
    assert {tried.trial.state for tried in found.record.tried} == {"done"}
