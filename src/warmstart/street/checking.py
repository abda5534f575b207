"""All that `check` looks for: the checks of the data, and what only features of the rows can tell."""

from __future__ import annotations

from dataclasses import replace

from warmstart.base.types import Bundle
from warmstart.street import shift, stops
from warmstart.street.folder import Trip

DEFAULT = "default"  # the models that are offered where none is named


def checked(trip: Trip, bundle: Bundle) -> Bundle:
    """The bundle with all findings. Without models only what needs none is looked at."""
    task = stops.task_of(bundle)
    if not trip.options.models:
        return replace(bundle, findings=(*bundle.findings, *shift.by_floor(trip, task, bundle)))
    if trip.options.models == (DEFAULT,):
        trip = replace(trip, options=replace(trip.options, models=()))
    ranking, noticed = stops.select(trip, bundle)
    seen = shift.by_network(trip, task, bundle, ranking.best.candidate.source)
    return replace(bundle, findings=(*bundle.findings, *noticed, *seen))
