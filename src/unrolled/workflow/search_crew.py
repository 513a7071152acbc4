"""Several worker processes on one search; one that is killed takes its trial with it, and is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from unrolled.core.errors import UnrolledError
from unrolled.core.search import Tried
from unrolled.search import Study
from unrolled.train import Hook
from unrolled.train.interrupt import Interrupt
from unrolled.workflow.search_folder import SearchFolder
from unrolled.workflow.search_plan import Plan
from unrolled.workflow.search_worker import Told, work

_MOST_KILLED = 5  # workers, until the machine is taken to be the trouble
_LOOK = 0.2  # seconds until Ctrl-C is looked for
_CTRL_C = {signal.SIGINT}


@dataclass
class _Worker:
    """A process, what it says, and the trial that it is at."""

    process: BaseProcess
    said: Connection
    trial: int | None = None


class _Pipe:
    """Tells the first process; training shows no progress of its own."""

    def __init__(self, said: Connection) -> None:
        self._said = said

    def begun(self, number: int) -> None:
        self._said.send(("begun", number))

    def ended(self, tried: Tried) -> None:
        self._said.send(("ended", tried.model_dump_json()))

    def hooks(self) -> tuple[Hook, ...]:
        return ()


def crew(plan: Plan, folder: SearchFolder, *, deadline: float | None, told: Told, patience: float = 30.0) -> bool:
    """Let ``plan.settings.workers`` processes work until all is done; whether Ctrl-C ended it.

    Raises:
        UnrolledError: what ended a worker's work, or too many workers were killed.
    """
    team = _Team(plan, folder, deadline, told, patience)
    try:
        return team.run()
    finally:
        team.stop()


class _Team:
    def __init__(self, plan: Plan, folder: SearchFolder, deadline: float | None, told: Told, patience: float) -> None:
        self._plan, self._folder, self._deadline, self._told, self._patience = plan, folder, deadline, told, patience
        self._workers: list[_Worker] = []
        self._killed = 0
        self._interrupted = False
        self._failure: UnrolledError | None = None

    def run(self) -> bool:
        with Interrupt() as interrupt:
            for _ in range(self._plan.settings.workers):
                self._start()
            while self._workers:
                for ready in wait([worker.said for worker in self._workers], timeout=_LOOK):
                    self._hear(next(worker for worker in self._workers if worker.said is ready))
                if interrupt.requested and not self._interrupted:
                    self._interrupt()
        if self._failure is not None:
            raise self._failure
        return self._interrupted

    def stop(self) -> None:
        """End what still runs, as after an error of our own."""
        for worker in self._workers:
            worker.process.terminate()
            worker.process.join()

    def _interrupt(self) -> None:
        """Pass Ctrl-C on: each worker keeps what it has, and ends."""
        self._interrupted = True
        for worker in self._workers:
            if worker.process.is_alive() and worker.process.pid is not None:
                os.kill(worker.process.pid, signal.SIGINT)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        said, mouth = context.Pipe(duplex=False)
        arguments = (self._folder.path, self._deadline, mouth, self._patience, self._threads())
        process = context.Process(target=_work, args=arguments, daemon=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, _CTRL_C)  # a worker inherits it until it can keep what it has
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _CTRL_C)
        mouth.close()
        self._workers.append(_Worker(process, said))

    def _threads(self) -> int:
        return max(1, (os.cpu_count() or 1) // self._plan.settings.workers)

    def _hear(self, worker: _Worker) -> None:
        try:
            kind, what = worker.said.recv()
        except EOFError:
            self._left(worker)
            return
        if kind == "begun":
            worker.trial = what
            self._told.begun(what)
        elif kind == "ended":
            worker.trial = None
            self._told.ended(Tried.model_validate_json(what))
        elif kind == "interrupted":
            self._interrupted = True
        else:
            self._failure = self._failure or what

    def _left(self, worker: _Worker) -> None:
        """A worker that has ended; where it was killed, its trial has failed, and another takes its place."""
        worker.process.join()
        worker.said.close()
        self._workers.remove(worker)
        status = worker.process.exitcode or 0
        if status == 0 or self._interrupted:
            return
        self._killed += 1
        if worker.trial is not None:
            self._bury(worker.trial, _cause(status))
        if self._killed < _MOST_KILLED:
            self._start()
        else:
            self._failure = UnrolledError(
                f"{self._killed} workers were ended from outside ({_cause(status)})",
                where="workers",
                mend=f"use fewer workers or smaller nets, and go on with: unrolled search --resume {self._folder.path}",
            )

    def _bury(self, number: int, cause: str) -> None:
        trial = self._folder.write_lost(number, cause)
        url, name = self._folder.url(self._plan), self._folder.study(self._plan)
        with closing(
            Study(self._plan.space, self._plan.settings, url=url, name=name, patience=self._patience)
        ) as study:
            study.tell(number, trial)
        self._told.ended(Tried(number=number, values=self._folder.values(number), trial=trial))


def _cause(status: int) -> str:
    if status == -signal.SIGKILL:
        return "its process was killed, as the system does when memory is used up"
    return f"its process ended with {signal.Signals(-status).name if status < 0 else f'status {status}'}"


def _work(path: Path, deadline: float | None, mouth: Connection, patience: float, threads: int) -> None:
    """A worker's process, in a group of its own: Ctrl-C in a terminal reaches the first process, which passes it on."""
    import torch

    os.setpgid(0, 0)
    torch.set_num_threads(threads)
    folder = SearchFolder(path)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _CTRL_C)
        interrupted = work(
            Plan.read(folder.plan),
            folder,
            deadline=deadline,
            told=_Pipe(mouth),
            patience=patience,
        )
    except UnrolledError as error:
        mouth.send(("failed", type(error)(error.what, where=error.where, mend=error.mend)))
    except KeyboardInterrupt:
        mouth.send(("interrupted", None))
    else:
        if interrupted:
            mouth.send(("interrupted", None))
