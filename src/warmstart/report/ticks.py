"""Proofs in words: how many hold, which fail, and the number that each saw."""

from collections.abc import Sequence

from warmstart.base.result import Result, RunSummary
from warmstart.base.types import Proof
from warmstart.report.words import rate


def tally(found: Sequence[Proof]) -> str:
    """How many hold of those that apply: "9 of 9 hold, 1 does not apply"."""
    asked, idle = [p for p in found if p.holds is not None], [p for p in found if p.holds is None]
    rest = f", {len(idle)} {'does' if len(idle) == 1 else 'do'} not apply" if idle else ""
    return f"{len(asked) - len(failed(found))} of {len(asked)} hold{rest}"


def failed(found: Sequence[Proof]) -> list[Proof]:
    return [proof for proof in found if proof.holds is False]


def said(proof: Proof) -> str:
    """A proof with its number: "Padding does not change an answer: ...; 0.3, at most 1e-4"."""
    return f"{proof.what}; {seen(proof)}, at most {bound(proof)}" if proof.holds is not None else proof.what


def seen(proof: Proof) -> str:
    """The number that was seen, to two digits; whole numbers as they are."""
    if proof.seen is None:
        return "" if proof.holds is None else "no number"
    return rate(float(f"{proof.seen:.2g}")) if proof.seen < 1 else f"{proof.seen:,g}"


def bound(proof: Proof) -> str:
    return "" if proof.bound is None else rate(float(f"{proof.bound:.2g}"))


def halves(proof: Proof) -> tuple[str, str]:
    """The claim, and what was compared."""
    claim, _, rest = proof.what.partition(": ")
    return claim, rest


def of(run: RunSummary, name: str) -> Proof | None:
    """The proof of this name of one run; None where it has none, as where no network is."""
    return next((proof for proof in run.ticks if proof.name == name), None)


def proved(result: Result) -> dict[str, RunSummary]:
    """The runs that have proofs of their own."""
    return {name: run for name, run in result.runs.items() if run.ticks}
