"""A run folder: what was asked for, one artefact a stop, and a lock so that two runs never share it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import warmstart
from warmstart.base.errors import WarmstartError
from warmstart.base.events import EventLog, Tell, nobody
from warmstart.base.files import read_json, write_json
from warmstart.base.tables import from_table, to_table


@dataclass(frozen=True)
class Options:
    """What a user asked for. It lies in run.json, so that the folder alone is enough to go on."""

    data: str
    models: tuple[str, ...] = ()  # to start from; none: the defaults of the task
    task: str = ""
    text: str = ""  # columns; none: found by looking
    image: str = ""
    label: str = ""
    group: str = ""
    test: str = ""  # files or folders of these splits
    validation: str = ""
    rows: int = 0  # at most that many rows for training and validation together; 0: all
    strategy: str = ""  # none: chosen
    score: str = "logistic_probe"
    settings: tuple[str, ...] = ()  # changes of the plan: "phases.0.lr=1e-4"
    seed: int = 0
    allow_pickle: bool = False

    def command(self) -> str:
        """The command line that asks for the same."""
        words = ["warmstart", "run", quoted(self.data)]
        for model in self.models:
            words += ["--from", quoted(model)]
        for name in ("task", "text", "label", "group", "test", "strategy"):
            if getattr(self, name):
                words += [f"--{name}", quoted(getattr(self, name))]
        words += ["--rows", str(self.rows)] if self.rows else []
        plain = Options(self.data)
        for name in ("image", "validation", "seed", "score", "allow_pickle"):
            if getattr(self, name) != getattr(plain, name):
                words += ["--set", quoted(f"{name}={getattr(self, name)}")]
        return " ".join(words + [w for s in self.settings for w in ("--set", quoted(s))])


def quoted(word: str) -> str:
    import shlex

    return shlex.quote(word)


@dataclass(frozen=True)
class Trip:
    """One walk down the street: a folder, what was asked for, and who is told."""

    folder: Path
    options: Options
    created: str
    tell: Tell = field(default=nobody, repr=False)
    fresh: bool = False  # made just now

    def path(self, *parts: str) -> Path:
        return self.folder.joinpath(*parts)

    @property
    def cache(self) -> Path:
        """Activations and features; shared by the runs that lie beside each other."""
        return self.folder.parent / ".cache"


def begin(options: Options, runs: Path, listener: Tell = nobody) -> Trip:
    """A new folder `runs/<name>-<n>` for what was asked for."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(options.data.rstrip("/")).stem).strip("-.") or "run"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        folder = next_folder(runs, name[:40])
    except OSError as error:
        raise WarmstartError(
            f"{runs}: cannot make a run folder ({error.strerror})",
            "give another place with --out",
            "no-folder",
            5,
        ) from None
    created = datetime.now(UTC).isoformat(timespec="seconds")
    table = {"version": warmstart.__version__, "created": created, "options": to_table(options)}
    write_json(folder / "run.json", table)
    return Trip(folder, options, created, EventLog(folder / "events.jsonl", listener), fresh=True)


def next_folder(runs: Path, name: str) -> Path:
    """The first free number; made at once, so that two runs that start together get two folders."""
    number = 1
    while True:
        folder = runs / f"{name}-{number}"
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1


def is_run(path: Path) -> bool:
    return (path / "run.json").is_file()


def reopen(folder: Path, listener: Tell = nobody) -> Trip:
    """The trip of an existing run folder."""
    if not is_run(folder):
        raise WarmstartError(
            f"{folder}: not a run folder (no run.json)", "give a folder that `warmstart run` made", "no-run"
        )
    try:
        table = read_json(folder / "run.json")
        options, created = from_table(Options, table["options"], where=f"{folder}/run.json"), table["created"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise WarmstartError(
            f"{folder}/run.json cannot be read ({type(error).__name__})",
            "start anew from the data",
            "bad-run",
        ) from None
    return Trip(folder, options, str(created), EventLog(folder / "events.jsonl", listener))


@contextmanager
def locked(trip: Trip) -> Iterator[None]:
    """Nobody else works in this folder meanwhile."""
    from filelock import FileLock, Timeout

    lock = FileLock(trip.path(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise WarmstartError(
            f"{trip.folder}: another process is working in this run folder",
            "wait for it, stop it, or start a new run",
            "locked",
            5,
        ) from None
    try:
        yield
    except WarmstartError:
        if trip.fresh and not trip.path("plan.yaml").is_file():
            shutil.rmtree(trip.folder, ignore_errors=True)  # nothing worth keeping was made
        raise
    finally:
        lock.release()
