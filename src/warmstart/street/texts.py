"""The stop where language models are ranked, on the texts or conversations of the user."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.files import read_table, write_json
from warmstart.base.tables import checked
from warmstart.base.types import Candidate, Finding, Ranking, Reason
from warmstart.data.readers._table import SPLIT, user_columns
from warmstart.data.source import read
from warmstart.models.pool import distinct
from warmstart.select.rank_words import rank_words
from warmstart.select.sample import sample_rows
from warmstart.select.words import stretches_of, words_of
from warmstart.street import opening, stops
from warmstart.street.folder import Options, Trip
from warmstart.tasks import TASKS
from warmstart.tasks._conversations import check_messages
from warmstart.tune.memory import looking

COLUMNS = ("messages", "text")  # where texts are looked for
HELD = ("validation", "test")  # splits that stay unread
BETWEEN = "\n\n"  # messages, as a text that no template of any model has a mark in


def ranking(trip: Trip) -> tuple[Ranking, tuple[Finding, ...]]:
    """The candidates of any task, of those too that cannot go on from there."""
    named = trip.options.task
    if named and not TASKS.get(named).whole_street:
        return select(trip)
    return stops.select(trip, stops.read(trip))


def select(trip: Trip) -> tuple[Ranking, tuple[Finding, ...]]:
    """Language models by the bits that a byte of the training texts costs them. Leaves ranking.json."""
    path = trip.path("ranking.json")
    if path.is_file():
        table = read_table(path, "delete it, and it is made anew", "bad-run")
        findings = checked(tuple[Finding, ...], table.get("findings"), str(path))
        return checked(Ranking, table.get("ranking"), str(path)), findings
    asked, task = trip.options, TASKS.get(trip.options.task)()
    if not asked.models:
        raise WarmstartError(
            "no language model is named", "name those to choose from: models=[...]", "no-candidate"
        )
    texts = sampled(texts_of(trip), asked.seed)
    known: list[Candidate] = []
    noticed: list[Finding] = []
    words, seconds = {}, {}
    for source in asked.models:
        started = time.perf_counter()
        opened = opening.open_candidate(trip, source, task)
        if isinstance(opened, Finding):
            noticed.append(opened)
            continue
        candidate, pretrained = opened
        trip.tell({"event": "stop", "stop": "select", "what": f"texts as {candidate.name} reads them"})
        stretches = stretches_of(pretrained, texts)
        words[source] = read_words(trip, pretrained, stretches)
        seconds[source] = time.perf_counter() - started
        noticed += [*pretrained.findings, *stretches.findings]
        known.append(candidate)
    opening.refuse_none(known, noticed)
    known = distinct(known)
    score = task.score if asked.score == Options.score else asked.score
    ranking = rank_words(known, words, score=score, seconds=seconds, seed=asked.seed)
    told = (Reason(finding.check, finding.what, finding.do) for finding in noticed)
    ranking = replace(ranking, reasons=(*ranking.reasons, *told))
    write_json(path, {"ranking": ranking, "findings": tuple(noticed)})
    return ranking, tuple(noticed)


def read_words(trip: Trip, pretrained: Any, stretches: Any) -> Any:
    """In as large batches as memory bears."""
    return looking({}, stretches.inputs, lambda rows: words_of(pretrained, stretches, rows), trip.tell)


def texts_of(trip: Trip) -> list[str]:
    """The training texts of the user's file: a column of them, or of conversations."""
    table = read(trip.locate(trip.options.data))
    column = column_of(user_columns(table), trip.options)
    rows = zip(table.column(column).to_pylist(), table.column(SPLIT).to_pylist(), strict=True)
    cells = [(number, cell) for number, (cell, split) in enumerate(rows) if split not in HELD]
    texts = [text for number, cell in cells if (text := plain(cell, number))]
    if not texts:
        raise WarmstartError(
            f"{trip.options.data}: column {column!r} has no text to learn from", "give texts", "no-text"
        )
    return texts


def column_of(columns: Sequence[str], asked: Options) -> str:
    for name in (asked.text,) if asked.text else COLUMNS:
        if name in columns:
            return name
    wanted = asked.text or COLUMNS[0]
    raise WarmstartError(
        f"{asked.data} has no column {wanted!r}",
        f"name the one with texts or conversations: --text; {did_you_mean(wanted, columns)}",
        "missing-column",
    )


def plain(cell: object, number: int) -> str:
    """A text as it is; a conversation as what is said in it, the same for every model.

    A chat template would add marks of its own, which are not the user's bytes, and which differ among models.
    """
    text = "" if cell is None else str(cell)
    if not text.lstrip().startswith("["):
        return text
    try:
        messages = json.loads(text)
    except ValueError:  # a text that begins with a bracket
        return text
    check_messages(messages, number)
    return BETWEEN.join(message["content"] for message in messages)


def sampled(texts: list[str], seed: int) -> list[str]:
    chosen = sample_rows(np.zeros(len(texts), np.int64), limit=opening.RANKED_ROWS, seed=seed)
    return [texts[number] for number in chosen]
