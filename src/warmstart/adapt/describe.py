"""The text of anatomy.txt: every layer group before and after the edits, and when it learns."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import torch
from torch import Tensor

from warmstart.base.types import Phase, Plan
from warmstart.models.anatomy import Anatomy, may_learn

WIDTH = 100
MOST_ROWS = 30  # more than that, and like neighbours share a row


@dataclass(frozen=True)
class Row:
    """One layer group: parameters before and after ("" where it is not), what became of it, its phases."""

    group: str
    before: str
    after: str
    change: str
    learns: str


def describe(before: Anatomy, after: Anatomy, plan: Plan, notes: Iterable[str]) -> str:
    """Before and after, group by group, and what learns in which phase; at most 100 columns.

    To be called before training: a group counts as changed if its weights differ. Raises WarmstartError if
    a phase names a group that the model does not have.
    """
    rows = [row_of(name, before, after, plan) for name in in_order(before.names, after.names)]
    rows = fold(rows) if len(rows) > MOST_ROWS else rows
    total = Row("total", size(before.model.parameters()), size(after.model.parameters()), "", "")
    titles = Row("group", "before", "after", "change", "learns in phase")
    parts = [table([titles, *rows, total]), phase_lines(after, plan), note_lines(notes)]
    return "\n".join(part for part in parts if part)


def in_order(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """All names in the order of the layers; what was added stands behind the group below it."""
    names = list(before)
    for place, name in enumerate(after):
        if name not in names:
            names.insert(names.index(after[place - 1]) + 1 if place else 0, name)
    return names


def row_of(name: str, before: Anatomy, after: Anatomy, plan: Plan) -> Row:
    old = size(before.parameters(name)) if name in before.names else ""
    new = size(after.parameters(name)) if name in after.names else ""
    phases = [n for n, phase in enumerate(plan.phases, 1) if new and learns(after, name, phase)]
    return Row(name, old, new, change_of(name, before, after), ranges(phases) or ("-" if new else ""))


def size(parameters: Iterable[Tensor]) -> str:
    return f"{sum(p.numel() for p in parameters):,}"


def learns(anatomy: Anatomy, name: str, phase: Phase) -> bool:
    return name in anatomy.chosen(phase.learn) and any(map(may_learn, anatomy.parameters(name)))


def ranges(numbers: list[int]) -> str:
    """Numbers in short: [1, 2, 3, 5] is "1-3, 5"."""
    runs = [[n for _, n in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def change_of(name: str, before: Anatomy, after: Anatomy) -> str:
    """What became of a group, seen from its weights."""
    if name not in after.names:
        return "dropped"
    if name not in before.names:
        return "added"
    old, new = weights(before, name), weights(after, name)
    adapters = {path for path in new if ".lora_" in path}
    same = old.keys() == new.keys() - adapters and all(equal(old[path], new[path]) for path in old)
    return ("adapters" if adapters else "") if same else "new weights"


def weights(anatomy: Anatomy, name: str) -> dict[str, Tensor]:
    """The parameters of a group by path; a layer's path is the same with and without adapters beside it."""
    modules = anatomy.groups[anatomy.index(name)].modules
    named = ((f"{i}.{path}", p) for i, m in enumerate(modules) for path, p in m.named_parameters())
    return {path.replace("base_layer.", ""): p for path, p in named}


def equal(old: Tensor, new: Tensor) -> bool:
    return torch.equal(old, new.to(old.device)) if old.shape == new.shape else False


def fold(rows: Sequence[Row]) -> list[Row]:
    """One row for neighbours that are alike in everything but their number."""

    def alike(row: Row) -> Row:
        return replace(row, group=row.group.rsplit(".", 1)[0])

    folded = []
    for _, run in groupby(rows, alike):
        first, *rest = run
        name = f"{first.group} to {rest[-1].group}, each" if rest else first.group
        folded.append(replace(first, group=name))
    return folded


def table(rows: Sequence[Row]) -> str:
    """Columns wide enough for their longest entry, numbers to the right; a rule above the total."""
    cells = [(r.group, r.before, r.after, r.change, r.learns) for r in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    sides = "<>><<"
    lines = [
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)
        ).rstrip()
        for row in cells
    ]
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]]) + "\n"


def phase_lines(anatomy: Anatomy, plan: Plan) -> str:
    """One paragraph a phase: what learns, how many parameters that is, how fast and how long."""
    return "".join(
        paragraph(f"phase {number}: ", phase_line(anatomy, phase))
        for number, phase in enumerate(plan.phases, 1)
    )


def phase_line(anatomy: Anatomy, phase: Phase) -> str:
    chosen = anatomy.chosen(phase.learn)
    count = size(p for name in chosen for p in anatomy.parameters(name) if may_learn(p))
    if phase.solver == "logistic":
        leave = f" that leaves {phase.leave:.0%} of the loss" if phase.leave else ""
        how = f"solved as a logistic regression{leave}"
    else:
        length = f"{phase.epochs} epoch{'s' if phase.epochs > 1 else ''}"
        fall = f", times {phase.decay:g} per group towards the input" if phase.decay < 1 else ""
        head = f", {phase.head_lr:g} for the head" if phase.head_lr else ""
        how = f"{phase.solver} for {length}, rate {phase.lr:g} ({phase.schedule}){fall}{head}"
    return f"{', '.join(phase.learn)} with {count} parameters; {how}"


def note_lines(notes: Iterable[str]) -> str:
    return "".join(paragraph("- ", note) for note in notes)


def paragraph(start: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start)) + "\n"
