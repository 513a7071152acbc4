"""A PostgreSQL server of our own: Debian's programs, a free loopback port, a temporary folder, an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_USERS = ("postgres", "nobody")  # the server refuses to run as root


def programs() -> Path | None:
    """Where ``initdb`` and ``postgres`` are; None where they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@dataclass
class Server:
    """A running server, which can be stopped and started again on the same data and port."""

    home: Path
    programs: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://unrolled@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.home}"
        self._control("start", "-w", "-o", options, "-l", str(self.home / "log"))

    def stop(self) -> None:
        self._control("stop", "-w", "-m", "immediate")

    def create(self) -> None:
        self._run("initdb", "-D", str(self.home / "data"), "-U", "unrolled", "-A", "trust", "-E", "UTF8", "-N")

    def _control(self, what: str, *options: str) -> None:
        self._run("pg_ctl", what, "-D", str(self.home / "data"), *options)

    def _run(self, program: str, *arguments: str) -> None:
        user = _unprivileged(self.home)
        subprocess.run(
            [str(self.programs / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            cwd=self.home,
            timeout=120,
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
        )


def _unprivileged(home: Path) -> str | None:
    """The user to run as, who owns the folder; None, the user we are, where that is not root."""
    if os.geteuid() != 0:
        return None
    user = next(entry for name in _USERS if (entry := _entry(name)) is not None)
    os.chown(home, user.pw_uid, user.pw_gid)
    return user.pw_name


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


@contextmanager
def server(home: Path, found: Path) -> Iterator[Server]:
    """A server on a free port, stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Server(home, found, port)
    made.create()
    made.start()
    try:
        yield made
    finally:
        made.stop()
        time.sleep(0.1)
