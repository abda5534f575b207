"""The proofs of all trainings as one list, and what of them a reader must not miss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from warmstart.base.types import Finding, Proof, Run
from warmstart.street.proofs import PROOFS
from warmstart.street.proofs._ledger import in_order

Of = tuple[Run, Proof]


def gathered(runs: Sequence[Run]) -> tuple[Proof, ...]:
    """One proof for each promise: it holds where it does in every run to which it applies.

    It shows the number of the run that comes nearest to the bound, or is farthest beyond it.
    """
    names = {proof.name for run in runs for proof in run.ticks}
    return tuple(worst([(r, p) for r in runs for p in r.ticks if p.name == name]) for name in in_order(names))


def worst(found: Sequence[Of]) -> Proof:
    """The proof that stands for all: one that fails, else one that holds, else one that does not apply."""
    failed = [(run, proof) for run, proof in found if proof.holds is False]
    held = [(run, proof) for run, proof in found if proof.holds]
    chosen = failed or held
    if not chosen:
        return found[0][1]
    run, proof = max(chosen, key=lambda pair: far(pair[1]))
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return replace(proof, what=f"{proof.what} ({run.name}{more})")


def far(proof: Proof) -> float:
    """How near to its bound a proof comes; beyond all bounds where there is no number."""
    if proof.seen is None:
        return float("inf")
    return proof.seen / proof.bound if proof.bound else proof.seen


def findings(runs: Sequence[Run]) -> tuple[Finding, ...]:
    """A warning for every proof that fails."""
    found = []
    for run in runs:
        for proof in run.ticks:
            if proof.holds is False:
                seen = "no number" if proof.seen is None else f"{proof.seen:.3g}"
                what = f"{run.name}: a proof fails. {proof.what}: {seen}, and it may be {proof.bound:g}"
                found.append(Finding("proofs", "warning", what, advice(proof.name), 1))
    return tuple(found)


def advice(name: str) -> str:
    """What to do where a promise is not kept."""
    return str(PROOFS.get(name).do) if name in PROOFS.names() else "install the package that brought it"
