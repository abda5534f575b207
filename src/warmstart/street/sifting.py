"""Candidates read on few rows first, and on more of them as long as they are not shown to be behind."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Bundle, Finding
from warmstart.select.sift import Parted, part, stages
from warmstart.street.folder import Trip
from warmstart.street.opening import Opened, named, open_all
from warmstart.tasks._classification import Classification


@dataclass(frozen=True, eq=False)  # holds arrays: the same only as itself
class Sifted:
    """Those that were read on all rows, those that fewer rows parted from them, and what was noticed."""

    opened: tuple[Opened, ...]
    parted: tuple[Parted, ...]
    findings: tuple[Finding, ...]


def sift(
    trip: Trip,
    task: Classification,
    bundle: Bundle,
    chosen_N: NDArray[np.int64],
    labels_N: NDArray[np.int64],
    groups_N: NDArray[np.generic] | None,
) -> Sifted:
    """Read the candidates on training rows `chosen_N`, which have these labels and groups."""
    asked, seed = trip.options, trip.options.seed
    plan = stages(labels_N, groups_N, len(named(trip, task)), seed)
    known: dict[str, Opened] = {}
    read = np.zeros(0, np.int64)  # what those that are left were read on, in that order
    parted: list[Parted] = []
    findings: list[Finding] = []
    for number, rows in enumerate(plan):
        fresh = np.setdiff1d(rows, read)
        numbers = [bundle.train[i] for i in chosen_N[fresh]]
        found, noticed = open_all(trip, task, bundle, numbers, tuple(known), timed=number == 0)
        findings.extend(finding for finding in noticed if finding not in findings)
        known = {o.candidate.source: joined(known.get(o.candidate.source), o) for o in found}
        read = np.concatenate([read, fresh])
        if number + 1 == len(plan):
            break
        lost = part(
            [one.candidate for one in known.values()],
            {source: one.ordered(np.argsort(read)).features for source, one in known.items()},
            labels_N[rows],
            None if groups_N is None else groups_N[rows],
            asked.score,
            {source: one.seconds for source, one in known.items()},
            {source: one.pace for source, one in known.items()},
            seed,
        )
        parted = [*lost, *parted]
        known = {s: o for s, o in known.items() if s not in {p.scored.candidate.source for p in lost}}
    return Sifted(
        tuple(one.ordered(np.argsort(read)) for one in known.values()), tuple(parted), tuple(findings)
    )


def joined(before: Opened | None, now: Opened) -> Opened:
    """What is known of a candidate, under the name and with the pace that it had first."""
    return now if before is None else replace(before.joined(now), candidate=before.candidate)
