"""A finished training on disk: its plan, what it answered, and whether it is the one that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from warmstart.base.files import read_json, write_json
from warmstart.base.tables import checked, to_table
from warmstart.base.types import Bundle, Plan, Predictions, Proof, Run
from warmstart.models.inputs import digest
from warmstart.models.whole import sync


def fingerprint(plan: Plan, bundle: Bundle) -> str:
    """Of the plan, its reasons apart, and of the rows: nothing else decides what a training gives."""
    table = {k: v for k, v in to_table(plan).items() if k != "reasons"}
    return digest(str((table, bundle.fingerprint, bundle.labels)).encode())


def write_run(folder: Path, run: Run, mark: str) -> None:
    """predictions.npz first, run.json last: it is there only if all is."""
    arrays: dict[str, Any] = {}
    for name, said in run.predictions.items():
        arrays |= {
            f"{name}.rows": said.rows,
            f"{name}.truth": said.truth,
            f"{name}.probs": said.probabilities,
        }
    draft = folder / ".predictions.npz"
    np.savez(draft, **arrays)
    sync(draft)
    draft.replace(folder / "predictions.npz")
    table = {k: v for k, v in vars(run).items() if k != "predictions"}
    write_json(folder / "run.json", {"fingerprint": mark, "run": table})


def read_run(folder: Path, mark: str, *, model: bool = True) -> Run | None:
    """The run that `write_run` left; None where there is none, where it is another one, or damaged.

    It has to have left a `model` beside it, unless it is one that has none.
    """
    try:
        table = read_json(folder / "run.json")
        whole = not model or table["run"].get("baseline") or (folder / "model" / "config.json").is_file()
        if table["fingerprint"] != mark or not whole:
            return None
        with np.load(folder / "predictions.npz", allow_pickle=False) as arrays:
            return run_of(table["run"], arrays, str(folder / "run.json"))
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        return None


def run_of(table: Mapping[str, Any], arrays: Mapping[str, Any], where: str) -> Run:
    names = dict.fromkeys(key.split(".")[0] for key in arrays)
    said = {
        name: Predictions(arrays[f"{name}.rows"], arrays[f"{name}.truth"], arrays[f"{name}.probs"])
        for name in names
    }
    fields = dict(table)
    plan = checked(Plan, fields.pop("plan"), where)
    ticks = checked(tuple[Proof, ...], fields.pop("ticks", ()), where)
    history = tuple(fields.pop("history"))
    return Run(plan=plan, predictions=said, history=history, ticks=ticks, **fields)
