"""All that `check` looks for: the checks of the data, and what only features of the rows can tell."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from warmstart.base.tables import from_table
from warmstart.base.types import Bundle, Finding
from warmstart.data.clean import Cleaned, clean
from warmstart.data.sniff import Asked
from warmstart.street import shift, stops, suspects
from warmstart.street.asking import refuse
from warmstart.street.folder import Options, Trip, is_run, reopen, run_folder

KEEP = "nothing was changed; look at them: --fix FOLDER keeps all of them in FOLDER/suspect_labels.csv"
DEFAULT = "default"  # the models that are offered where none is named


def checked(trip: Trip, bundle: Bundle, passing: bool = False) -> Bundle:
    """The bundle with all findings, worst first. Without models only what needs none is looked at.

    In a `passing` folder no list of suspect labels is left behind.
    """
    task = stops.task_of(bundle)
    if not trip.options.models:
        return sorted_by_level(bundle, shift.by_floor(trip, task, bundle))
    if trip.options.models == (DEFAULT,):
        trip = replace(trip, options=replace(trip.options, models=()))
    ranking, noticed = stops.select(trip, bundle)
    seen = shift.by_network(trip, task, bundle, ranking.best.candidate.source)
    if passing:
        noticed = tuple(replace(f, do=KEEP) if f.check == suspects.NAME else f for f in noticed)
    return sorted_by_level(bundle, (*noticed, *seen))


def sorted_by_level(bundle: Bundle, more: Sequence[Finding]) -> Bundle:
    """Warnings before notes, otherwise in the order in which they were found."""
    every = sorted((*bundle.findings, *more), key=lambda finding: finding.level != "warning")
    return replace(bundle, findings=tuple(every))


def cleaned(data: str, asked: Mapping[str, Any], out: Path, place: Path | None) -> Cleaned:
    """A cleaned copy of the data in `out`; beside it the suspect labels of the run folder `place`."""
    if is_run(run_folder(data)):
        options = reopen(run_folder(data)).options
    else:
        options = from_table(Options, {"data": data, **asked}, "warmstart")
        refuse(options)
    columns = Asked(*(getattr(options, role) or None for role in ("text", "image", "label", "group")))
    done = clean(options.data, out, columns, options.test or None, options.validation or None)
    if place is not None and (place / suspects.FILE).is_file():
        shutil.copyfile(place / suspects.FILE, out / suspects.FILE)
    return done
