"""A training that collapsed is tried once more at a third of its rates, where that can help."""

from __future__ import annotations

from dataclasses import replace

from warmstart.base.types import Bundle, Finding, Plan, Run
from warmstart.evaluate.arms import validation_loss
from warmstart.street.budget import seconds_left
from warmstart.street.folder import Trip
from warmstart.street.proofs.no_collapse import collapsed, share

SHARE = 1 / 3  # of the rates
RETRIED = "retried"  # among the proofs of a run: what came of the second try


def worth(trip: Trip, run: Run) -> bool:
    """Did a training from pretrained weights collapse that takes steps, and is there time for another?

    Fresh weights that learn nothing would learn no more at lower rates, and a solved head has none.
    """
    steps = any(phase.solver == "adamw" for phase in run.plan.phases)
    if not (run.plan.pretrained and steps and collapsed(run.predictions["validation"])):
        return False
    left = seconds_left(trip)
    return left is None or left > run.seconds


def slower(plan: Plan) -> Plan:
    """The same plan at a third of its rates."""
    phases = (replace(p, lr=SHARE * p.lr, head_lr=SHARE * p.head_lr) for p in plan.phases)
    return replace(plan, phases=tuple(phases))


def announced(run: Run, bundle: Bundle) -> str:
    """Why there is a second try."""
    said = run.predictions["validation"]
    return (
        f"{run.name}: one answer to {100 * share(said.answers):.0f} % of {len(said.truth):,} validation "
        f"rows, which are of {len(set(said.truth.tolist()))} classes; once more at a third of the rates"
    )


def better(first: Run, second: Run) -> Run:
    """The second where it did not collapse, else that of lower validation loss. Both have taken time."""
    still = collapsed(second.predictions["validation"])
    kept = second if not still or validation_loss(second) < validation_loss(first) else first
    which = "second" if kept is second else "first"
    told = f"collapsed; at a third of the rates too: the {which} try is kept, of lower validation loss"
    told = told if still else "collapsed at first; at a third of the rates it did not"
    return replace(kept, seconds=first.seconds + second.seconds, proofs={**kept.proofs, RETRIED: told})


def finding(run: Run) -> tuple[Finding, ...]:
    """That a run was tried twice, or that fresh weights learned nothing; nothing where neither is so."""
    if RETRIED not in run.proofs:
        return untaught(run)
    do = "lower the rates in plan.yaml, or give more rows; look at the learning curve"
    rates = " and ".join(f"{phase.lr:.2g}" for phase in run.plan.phases if phase.solver == "adamw")
    return (Finding("collapse", "warning", f"{run.name} {run.proofs[RETRIED]} (rate {rates})", do, 1),)


def untaught(run: Run) -> tuple[Finding, ...]:
    """That fresh weights give one answer to all rows."""
    if run.plan.pretrained or run.baseline or not collapsed(run.predictions["validation"]):
        return ()
    what = f"{run.name} gives one answer to nearly all validation rows: its weights were fresh"
    return (Finding("collapse", "note", what, "nothing; a gain over it says little", 1),)
