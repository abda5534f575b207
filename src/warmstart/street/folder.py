"""A run folder: what was asked for, one artefact a stop, and a lock so that two runs never share it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import warmstart
from warmstart.base.errors import WarmstartError
from warmstart.base.events import EventLog, Tell, nobody
from warmstart.base.files import expanded, read_table, write_json
from warmstart.base.tables import from_table, to_table
from warmstart.street.lock import holding

if TYPE_CHECKING:
    from warmstart.street.hands import Hands

PLAIN = (  # options that are no flags on a command line that is written down
    *("image", "validation", "seed", "seeds", "score", "allow_pickle", "baseline", "pilots"),
    *("race", "check_race"),
)
FLAGS = ("task", "text", "label", "group", "test", "strategy", "budget", "retain", "max-forgetting")
KNOWN_FILES = ("plan.yaml", "result.json", "report.html")


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
    seeds: int = 1  # times that the plan and its rivals are trained, with seed, seed + 1, ...
    allow_pickle: bool = False
    baseline: bool = True  # also say what the rows give without any pretrained network
    race: int = 3  # candidates that are tried by short trainings; 0: none, the scores decide
    check_race: bool = False  # also tune the best of those that lost, as a rival
    probes: tuple[str, ...] = ()  # "labels", "weights", "random-labels": for trainings of their own
    pilots: bool = True  # try strategies on a part of the rows before one is chosen
    retain: str = ""  # rows that the source is to go on answering as before: a table or a folder
    max_forgetting: str = ""  # "1pt", "5%" or "0.05nat": take the best model shown to lose no more
    budget: str = ""  # of time for the whole run: "90s", "10m", "1.5h"; none: as long as it takes

    def command(self, more: Sequence[str] = ()) -> str:
        """The command line that asks for the same, with `more` changes of the plan."""
        words = ["warmstart", "run", quoted(self.data)]
        for model in self.models:
            words += ["--from", quoted(model)]
        for name in FLAGS:
            if value := getattr(self, name.replace("-", "_")):
                words += [f"--{name}", quoted(value)]
        words += ["--rows", str(self.rows)] if self.rows else []
        plain = Options(self.data)
        for name in PLAIN:
            if getattr(self, name) != getattr(plain, name):
                words += ["--set", quoted(f"{name}={getattr(self, name)}")]
        words += ["--set", f"probes={','.join(self.probes)}"] if self.probes else []
        return " ".join(words + [w for s in (*self.settings, *more) for w in ("--set", quoted(s))])


def quoted(word: str) -> str:
    import shlex

    return shlex.quote(word)


@dataclass(frozen=True)
class Trip:
    """One walk down the street: a folder, what was asked for, and who is told."""

    folder: Path
    options: Options
    created: str
    place: Path  # where the run was begun: relative paths start there
    tell: Tell = field(default=nobody, repr=False)
    fresh: bool = False  # made just now
    allow_change: bool = False  # go on with trainings whose plan, data or model were changed meanwhile
    hands: Hands | None = field(default=None, repr=False)  # processes that help to train
    device: str = "auto"  # where models compute

    def path(self, *parts: str) -> Path:
        return self.folder.joinpath(*parts)

    def locate(self, source: str) -> str:
        """A file, folder or model as it can be opened from here, wherever the run was begun."""
        there = self.place / source
        return str(there) if source and self.place != Path.cwd() and exists(there) else source

    @property
    def cache(self) -> Path:
        """Activations and features; shared by the runs that lie beside each other."""
        return self.folder.parent / ".cache"


def bound(trip: Trip, limit: str) -> None:
    """Bound the cache of the runs that lie here, from now on; an empty limit leaves it as it is."""
    from warmstart.models.cache import set_limit

    if limit:
        set_limit(trip.cache, limit)


def begin(options: Options, runs: Path, listener: Tell = nobody) -> Trip:
    """A new folder `runs/<name>-<n>` for what was asked for."""
    created, place = datetime.now(UTC).isoformat(timespec="seconds"), Path.cwd()
    table = {"version": warmstart.__version__, "created": created, "place": str(place)}
    try:
        runs.mkdir(parents=True, exist_ok=True)
        folder = next_folder(runs, name_of(options.data))
        write_json(folder / "run.json", {**table, "options": to_table(options)})
    except OSError as error:
        raise WarmstartError(
            f"{runs}: cannot make a run folder ({error.strerror})",
            "give another place with --out",
            "no-folder",
            5,
        ) from None
    return Trip(folder, options, created, place, EventLog(folder / "events.jsonl", listener), fresh=True)


def name_of(data: str) -> str:
    """What to call the run folders of these data."""
    from warmstart.data.bundle import short_name

    try:
        return short_name(data)
    except (OSError, ValueError):  # no path at all; reading it says so
        return "data"


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


def run_folder(given: str | Path) -> Path:
    """A run folder, or one of the files in it that a person knows by name."""
    path = expanded(given)
    return path.parent if path.name in KNOWN_FILES and not path.is_dir() else path


def is_run(path: Path) -> bool:
    return exists(path / "run.json")


def exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a name, or a zero byte in it
        return False


def reopen(folder: Path, listener: Tell = nobody) -> Trip:
    """The trip of an existing run folder."""
    if not is_run(folder):
        raise WarmstartError(
            f"{folder}: not a run folder (no run.json)", "give a folder that `warmstart run` made", "no-run"
        )
    table = read_table(folder / "run.json", "start anew from the data", "bad-run")
    options = from_table(Options, table.get("options"), where=f"{folder}/run.json")  # type: ignore[arg-type]
    created, place = str(table.get("created")), Path(str(table.get("place", ".")))
    return Trip(folder, options, created, place, EventLog(folder / "events.jsonl", listener))


def must_agree(trip: Trip, asked: Mapping[str, Any]) -> None:
    """What is asked of a run that was begun already must be what it was begun with."""
    wanted = from_table(Options, {"data": trip.options.data, **asked}, "warmstart")
    other = [name for name in asked if getattr(wanted, name) != getattr(trip.options, name)]
    if other:
        raise WarmstartError(
            f"{trip.folder} was begun with other settings: {', '.join(other)} cannot be changed now",
            f"edit {trip.path('plan.yaml')} and leave them out, or start anew from {trip.options.data}",
            "begun-already",
        )


def with_seeds(trip: Trip, seeds: int) -> Trip:
    """The trip with so many seeds. What was trained stays; more are added to it, or fewer are compared."""
    return replace(trip, options=replace(trip.options, seeds=seeds))


def with_probes(trip: Trip, probes: Sequence[str]) -> Trip:
    """The trip with these probes too. What was found out stays."""
    every = tuple(dict.fromkeys((*trip.options.probes, *probes)))
    return replace(trip, options=replace(trip.options, probes=every))


def keep_options(trip: Trip) -> None:
    """Write down what is asked for by now, where that is not what the folder was begun with."""
    path, options = trip.path("run.json"), to_table(trip.options)
    table = read_table(path, "start anew from the data", "bad-run")
    if table.get("options") != options:
        write_json(path, {**table, "options": options})


@contextmanager
def locked(trip: Trip) -> Iterator[None]:
    """Nobody else works in this folder meanwhile. A new folder in which nothing was made goes again."""
    with holding(trip.folder, trip.tell):
        try:
            trip.tell({"event": "sitting", "process": os.getpid()})
            yield
        except WarmstartError:
            if trip.fresh and not trip.path("plan.yaml").is_file():
                shutil.rmtree(trip.folder, ignore_errors=True)
                with suppress(OSError):  # not empty: others' runs lie there
                    trip.folder.parent.rmdir()
            raise
        except KeyboardInterrupt:
            raise KeyboardInterrupt(str(trip.folder)) from None
