"""A plan in plain sentences, in the order in which it is carried out; a part by its own documentation."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.types import Phase, Plan
from warmstart.cli.list_verb import FAMILIES, family_of


def explain(what: str) -> str:
    path = Path(what)
    if path.is_dir() and (path / "plan.yaml").is_file():
        path = path / "plan.yaml"
    if path.suffix in (".yaml", ".yml"):
        from warmstart.decide.plan_file import read_plan

        return of_plan(read_plan(path))
    return of_part(what)


def of_plan(plan: Plan) -> str:
    """What the loop will do, with edits, phases and guards in place."""
    lines = [f"strategy {plan.strategy}: " + family_of("strategies").first_line(plan.strategy)]
    weights = "its pretrained weights" if plan.pretrained else "its shape alone, with fresh weights"
    lines.append(f"1. load {plan.model}: {weights}")
    number = 2
    for edit in plan.edits:
        lines.append(f"{number}. {settings(edit)}: {family_of('edits').first_line(edit['name'])}")
        number += 1
    for phase in plan.phases:
        lines.append(f"{number}. {of_phase(phase, plan)}")
        number += 1
    for guard in plan.guards:
        lines.append(f"   guard {settings(guard)}: {family_of('guards').first_line(guard['name'])}")
    lines.append(f"{number}. ask the model about every split; save it, load it again and compare")
    return "\n".join(lines)


def of_phase(phase: Phase, plan: Plan) -> str:
    who = "all layers" if "*" in phase.learn else ", ".join(phase.learn)
    if phase.solver == "logistic":
        left = (
            f", so regularised that {phase.leave:.0%} of the loss is left to the body" if phase.leave else ""
        )
        return f"solve {who} as a logistic regression on the frozen features{left}"
    slower = f", times {phase.decay:g} per group towards the input" if phase.decay != 1 else ""
    slower += f", the head at {phase.head_lr:g}" if phase.head_lr else ""
    return (
        f"train {who} for {phase.epochs} epochs of batches of {plan.batch}: AdamW at {phase.lr:g}{slower}, "
        f"{phase.warmup:.0%} warm-up, then {phase.schedule}; gradient clipped at {plan.clip:g}"
    )


def settings(table: dict[str, Any]) -> str:
    rest = ", ".join(f"{k}={v}" for k, v in table.items() if k != "name")
    return f"{table['name']}({rest})"


def of_part(name: str) -> str:
    """The documentation and settings of the parts of that name."""
    found = [family for family in FAMILIES if name in family_of(family).names()]
    if not found:
        known = [part for family in FAMILIES for part in family_of(family).names()]
        raise WarmstartError(f"nothing is called {name!r}", did_you_mean(name, known), "no-such-part")
    texts = []
    for family in found:
        part = family_of(family).get(name)
        module = inspect.getmodule(part)
        doc = inspect.cleandoc((module.__doc__ if module else "") or "")
        fields = getattr(part, "__dataclass_fields__", {})
        rows = [
            f"  {f.name} = {f.default!r}" for f in fields.values() if f.init and not f.name.startswith("_")
        ]
        texts.append("\n".join([f"{name} ({family})", doc, *(["settings:", *rows] if rows else [])]))
    return "\n\n".join(texts)
