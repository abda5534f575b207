"""What a process does that was started to help: it waits for orders and takes part in trainings.

It walks the same street up to the training, and finds all that the first process left in the run folder.
"""

from __future__ import annotations

import json
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from warmstart.adapt.apply import apply
from warmstart.base.errors import WarmstartError
from warmstart.base.events import nobody
from warmstart.base.launched import Launched
from warmstart.base.tables import checked
from warmstart.base.types import Plan
from warmstart.models.device import CPU
from warmstart.street import stops, training
from warmstart.street.folder import reopen
from warmstart.street.hands import HOME, group_of, launched_store
from warmstart.tune.crew import Crew, Lost, join, leave
from warmstart.tune.loop import tune

INTERRUPTED, ENDED = 6, 1


def main(there: Launched) -> int:
    """Help until the first process says that it is over, or is gone; returns an exit code."""
    store = launched_store()
    try:
        help_on(store, there)
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Lost:
        pass
    except WarmstartError as error:
        report(store, there.rank, error)
    except BaseException:
        fault = WarmstartError(f"a fault in warmstart\n{traceback.format_exc()}", "", "our-fault", 70)
        report(store, there.rank, fault)
    finally:
        leave()
    return ENDED


def help_on(store: Any, there: Launched) -> None:
    store.set(f"here {there.rank}", "")
    crew, number = None, 0
    while (line := order(store, number)) != HOME:
        given = json.loads(line)
        torch.set_num_threads(given["threads"])
        crew = crew or join(group_of(store), there.rank, there.size, given["shard"])
        take_part(given, crew)
        number += 1


def order(store: Any, number: int) -> str:
    """The order of this number, once it is given. Lost if nobody is there any more to give it."""
    try:
        return str(store.get(f"order {number}").decode())
    except RuntimeError as error:
        raise Lost(str(error)) from None


def take_part(given: dict[str, Any], crew: Crew) -> None:
    """Train as the first process does, from the same files; what is learned is saved there."""
    trip = reopen(Path(given["folder"]))
    trip = replace(trip, tell=nobody, allow_change=given["allow_change"], device=CPU)
    plan = checked(Plan, given["plan"], "plan")
    bundle = stops.read(trip)
    task = stops.task_of(bundle)
    started = training.load_for(trip, plan, task.modality)
    adapted = apply(started, plan.edits, bundle.labels, plan.seed).pretrained
    splits = {n: training.split_of(trip, bundle, started, n)[0] for n in training.LEARNED_FROM}
    known = training.remembered(trip, plan, bundle)
    tune(adapted, plan, task, splits, training.keeping(trip, given["name"]), crew=crew, retained=known)


def report(store: Any, rank: int, error: WarmstartError) -> None:
    """Leave word of what went wrong, if anybody is there to read it."""
    table = {"wrong": error.wrong, "do": error.do, "code": error.code, "exit_code": error.exit_code}
    with suppress(RuntimeError):
        store.set(f"trouble {rank}", json.dumps(table))
