"""Was fine-tuning worth it? The rule, on test rows that chose nothing.

The subject is one fine-tuned run: the recommended one, or, where scratch or the untouched model is
recommended, the planned one (else the fine-tuned run of lowest validation log-loss). It was chosen without
the test rows, so they are a fair trial of it. Its references are the ways to do without fine-tuning:

    scratch    the same training from fresh weights (of several, the best on validation)
    base       the pretrained model as it is, untouched
    baseline   no network at all: a bag of words, or colours and edges, with a logistic regression
    floor      always answer the class shares of the training rows

Where scratch was not run, the runs cheaper than the subject stand in for it, and the headline says so. The
gain over each reference is the paired difference of the primary metric, turned so that positive is good.

    not worth it   Against some reference a gain of the margin (1 point by default) is ruled out: the interval
                   of the gain ends below the margin. It may lie above 0: a gain, but too small to matter.
    worth it       The subject is recommended, and against every reference the interval of the gain lies
                   above 0 and p, corrected for the number of references (Holm), is below 0.05. At least one
                   of the references is a run. A run from scratch that did not learn counts as not beaten.
    cannot tell    Anything else.

Over several seeds (one plan, trained anew with each) the gain is the mean over seeds, paired by seed, its
interval is over rows and seeds (`levels`), and "worth it" also needs the seeds to agree on every reference:
the paired t over them, corrected by Holm, is below 0.05, and from five seeds on so is the exact sign-flip,
one-sided. That one is not corrected: five seeds show 1/32 at best, and all references must be beaten, so that
each may be tested at 0.05 (an intersection-union test, Berger 1982, Technometrics 24:295). With five seeds it
passes only if all five favour the subject; three or four rest on the paired t, two hardly ever show anything.

So no verdict rests on a point estimate, and none on the absence of significance. "Worth it" needs every
reference to be beaten, so under no real gain over one of them it is wrong about once in 40 trials at
most (one side of a 95 % interval). "Not worth it" is a test of non-inferiority against each reference; under
a true gain of the margin or more over a reference it is wrong about that one as rarely.
Where a bootstrap made the interval it is widened for "not worth it" by the rule of three (what n rows did not
show may happen to 3/n of all rows, Hanley and Lippman-Hand 1983), and fewer than 30 rows decide nothing. The
smallest detectable difference explains "cannot tell"; it is no second hurdle: a hurdle there would halve the
power that it states.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from warmstart.base.types import Measure, Predictions, Run
from warmstart.evaluate.arms import Arms, is_idle
from warmstart.evaluate.compare import Sample, detectable, difference, paired
from warmstart.evaluate.levels import AGREE_FROM, paired_t, sign_flip
from warmstart.evaluate.roles import as_it_is, cost, fine_tuned, from_scratch, without_network
from warmstart.evaluate.significance import ALPHA, holm

FLOOR = ""  # in place of a run's name: no run, the class shares
FEWEST = 30  # rows from which a bootstrap may decide

WORTH, NOT_WORTH, CANNOT_TELL = "worth it", "not worth it", "cannot tell"


@dataclass(frozen=True)
class Claim:
    """The subject's gain over one reference on the same test rows, turned so that positive is good."""

    reference: str  # name of a run, or FLOOR
    gain: Measure
    p: float  # two-sided, not corrected
    beaten: bool  # interval above 0, corrected p below 0.05, and the seeds agree
    ruled_out: bool  # is a gain of the margin ruled out?
    idle: bool = False  # is the reference a run from scratch that did not learn?
    agreed: bool = True  # do the seeds, where there are several, show it too?


@dataclass(frozen=True)
class Trial:
    """A verdict, and what decided it."""

    subject: str | None  # the fine-tuned run on trial; None if no run was fine-tuned
    verdict: str
    claim: Claim | None  # the gain that decided
    detectable: float  # the smallest true difference to that reference that the rows are likely to show


def subject_of(planned: str, recommended: str, runs: Mapping[str, Run], order: Sequence[str]) -> str | None:
    """The fine-tuned run on trial; none if no run was fine-tuned. `order` is best on validation first."""
    candidates = (recommended, planned, *order)
    return next((name for name in candidates if fine_tuned(runs[name])), None)


def references_of(subject: str, runs: Mapping[str, Run], order: Sequence[str]) -> list[str]:
    """Scratch, base, baseline and the floor; without scratch every run cheaper than the subject for it."""
    scratch = [name for name in order if from_scratch(runs[name])][:1]
    base = [name for name in order if as_it_is(runs[name])][:1]
    unaided = [name for name in order if without_network(runs[name])]
    cheaper = [name for name in order if cost(runs[name]) < cost(runs[subject]) and name not in unaided]
    return [*(scratch + base if scratch else cheaper), *unaided, FLOOR]


def floor(run: Run, classes: int) -> Predictions:
    """What one answers to the run's test rows without a model: the class shares of its training rows.

    One row is added to each class, so that a class that was not seen is not impossible. Without a sample of
    training rows, the validation rows are counted.
    """
    taught = run.predictions.get("train", run.predictions["validation"])
    counts_C = np.bincount(taught.truth, minlength=classes) + 1.0
    test = run.predictions["test"]
    return Predictions(test.rows, test.truth, np.tile(counts_C / counts_C.sum(), (len(test.rows), 1)))


def claims(subject: Sample, references: Mapping[str, Sample]) -> list[Claim]:
    """One claim for each reference, in their order."""
    pairs = {name: paired(subject, theirs) for name, theirs in references.items()}
    corrected = holm({name: p for name, (_, p) in pairs.items()})
    agreed = agreement(subject, references)
    decides = subject.is_share or subject.n >= FEWEST
    found = []
    for name, (found_gain, p) in pairs.items():
        gain = found_gain if subject.metric.better == "higher" else _turned(found_gain)
        beaten = decides and gain.low > 0 and corrected[name] < ALPHA and agreed[name]
        ruled_out = decides and _most(gain, subject) < subject.metric.margin
        found.append(Claim(name, gain, p, beaten, ruled_out, agreed=agreed[name]))
    return found


def agreement(subject: Sample, references: Mapping[str, Sample]) -> dict[str, bool]:
    """Do the seeds show that each reference is beaten? One seed has no say, and does not stand in the way."""
    sign = 1 if subject.metric.better == "higher" else -1
    gains = {n: [sign * v for v in difference(subject, r).by_seed] for n, r in references.items()}
    corrected = holm({name: paired_t(values) for name, values in gains.items() if values})
    return {name: not v or corrected[name] < ALPHA and signs_agree(v) for name, v in gains.items()}


def signs_agree(values: Sequence[float]) -> bool:
    return sum(values) > 0 and (len(values) < AGREE_FROM or sign_flip(values) < ALPHA)


def judge(found: Sequence[Claim], subject: str, recommended: str) -> tuple[str, Claim]:
    """The verdict, and the claim that decides it: about the recommended run, else the first."""
    lost = [claim for claim in found if claim.ruled_out]
    unbeaten = [claim for claim in found if not claim.beaten]
    is_tried = any(claim.reference != FLOOR for claim in found)
    if lost:
        verdict = NOT_WORTH
    elif unbeaten or not is_tried or subject != recommended:
        verdict = CANNOT_TELL
    else:
        verdict = WORTH
    decisive = lost or unbeaten or found
    return verdict, next((claim for claim in decisive if claim.reference == recommended), decisive[0])


def put_on_trial(
    planned: str, recommended: str, arms: Arms, order: Sequence[str], test: Mapping[str, Sample]
) -> Trial:
    """The trial of the subject; `test` has the primary metric of every arm, and of FLOOR, on test rows."""
    runs = {name: arm[0] for name, arm in arms.items()}
    subject = subject_of(planned, recommended, runs, order)
    if subject is None:
        return Trial(None, CANNOT_TELL, None, detectable(test[recommended], test[FLOOR]))
    references = {name: test[name] for name in references_of(subject, runs, order)}
    found = [fair(claim, arms) for claim in claims(test[subject], references)]
    verdict, claim = judge(found, subject, recommended)
    return Trial(subject, verdict, claim, detectable(test[subject], test[claim.reference]))


def beats(ours: Sample, theirs: Sample) -> bool:
    """Is the one shown to be better than the other?"""
    return claims(ours, {"": theirs})[0].beaten


def fair(claim: Claim, arms: Arms) -> Claim:
    """The claim, not counted as a win where its reference is a run from scratch that did not learn."""
    idle = claim.reference in arms and is_idle(arms[claim.reference])
    return replace(claim, beaten=False, idle=True) if idle else claim


def _most(gain: Measure, subject: Sample) -> float:
    """The largest gain that the rows leave possible."""
    if subject.is_share:
        return gain.high
    least, most = subject.metric.bounds
    return max(gain.high, gain.value + 3 * (most - least) / subject.n)


def _turned(difference: Measure) -> Measure:
    d = difference
    return Measure(d.name, -d.value, -d.high, -d.low, d.n, d.how)
