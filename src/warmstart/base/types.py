"""The nouns that travel between stages. Values only: frozen, no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from warmstart.base.measure import Measure as Measure
from warmstart.base.overfitting import Cause as Cause
from warmstart.base.overfitting import Onset as Onset
from warmstart.base.overfitting import Overfitting as Overfitting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from warmstart.base.rows import Rows


@dataclass(frozen=True)
class Finding:
    """Something noticed about the data or a model: how many, which, and what was done or what to do."""

    check: str  # the name of what looked: "duplicates"
    level: str  # "note": for your information; "warning": look at it
    what: str  # one sentence with the numbers
    do: str  # what was done about it, or what to do
    count: int = 0
    where: tuple[str, ...] = ()  # the first places: "reviews.csv:12"


@dataclass(frozen=True)
class Bundle:
    """The user's rows, split once: train teaches, validation chooses, test proves. Never re-shuffled."""

    name: str
    rows: Rows
    roles: dict[str, str]  # role -> column: {"text": "review", "label": "sentiment"}
    labels: tuple[str, ...]  # class names, sorted
    train: tuple[int, ...]  # row numbers
    validation: tuple[int, ...]
    test: tuple[int, ...]
    fingerprint: str  # of content, roles and splits
    findings: tuple[Finding, ...] = ()
    source: str = ""  # what the user gave
    task: str = ""  # a name of the family of tasks
    brought: tuple[str, ...] = ()  # splits that the user made; the others are made by chance

    def split(self, name: str) -> tuple[int, ...]:
        """Row numbers of "train", "validation" or "test"."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]


@dataclass(frozen=True)
class Reason:
    """Why something was chosen: the rule, the numbers it saw, the conclusion."""

    rule: str
    saw: str
    so: str


@dataclass(frozen=True)
class Candidate:
    """A pretrained model that one could start from, and what is known of it without looking at the data."""

    name: str  # short: the folder's or hub repository's last part
    source: str  # what load() takes: a folder, a hub id, "zoo:letters"
    parameters: int
    licence: str = ""
    source_accuracy: float | None = None  # published accuracy on its own task, 0-1, if the card has it
    source_task: str = ""  # what it was made for: "image classification, 1,001 classes"
    bytes: int = 0  # of its weights on disk; 0: unknown


@dataclass(frozen=True)
class Scored:
    """A candidate with its score on the user's rows and the second opinions, all on the same folds."""

    candidate: Candidate
    score: Measure  # of the default score, higher is better
    opinions: dict[str, float]  # other scores by name
    accuracy: Measure  # out-of-fold accuracy of the same probe
    depths: dict[str, float]  # layer group -> out-of-fold score of the pooled features after it
    seconds: float
    prior: int  # place in the data-blind order, 1 is best
    pace: float = 0.0  # seconds per 1,000 rows of reading its features; 0: not timed
    behind: Measure | None = None  # score of the candidate that scores best minus this one, paired


@dataclass(frozen=True)
class Baseline:
    """What the rows give without any pretrained network, on the rows and folds of the ranking."""

    name: str  # of the family of floors: "bag_of_words"
    plain: str  # "a bag of words (TF-IDF with logistic regression)"
    score: Measure  # out-of-fold log-likelihood, nats a row
    accuracy: Measure
    lead: Measure  # log-likelihood of the first candidate's probe minus this one, paired
    penalty: float  # scikit-learn's C that was chosen inside the folds
    seconds: float


@dataclass(frozen=True)
class Lap:
    """A short training of one candidate, judged on training rows from which none of them learned."""

    rows: int  # that it learned from
    accuracy: Measure
    log_loss: Measure  # nats, at the temperature that suits it
    behind: Measure | None  # its log-loss minus that of the best of the lap, paired; None: it is the best
    seconds: float


@dataclass(frozen=True)
class Entrant:
    """A candidate in the race."""

    name: str
    source: str
    parameters: int
    price: float  # seconds that its whole tuning is expected to take; 0: not known
    laps: tuple[Lap, ...] = ()
    out: str = ""  # why it went no further; "" where it came to the end
    failed: bool = False  # could it not be trained?


@dataclass(frozen=True)
class Race:
    """Short trainings of the candidates that the scores put first, and the order that they came in."""

    entrants: tuple[Entrant, ...]  # in the order of the scores; none where there was nothing to try
    order: tuple[str, ...]  # their sources, the winner first
    reasons: tuple[Reason, ...]  # each step, and whether the scores had been right
    seconds: float = 0.0

    @property
    def winner(self) -> Entrant | None:
        """None where nothing was tried, or nothing could be trained."""
        return next((e for e in self.entrants if e.source == self.order[0] and not e.failed), None)


@dataclass(frozen=True)
class Ranking:
    """Candidates from best to worst, and how sure that order is."""

    score: str  # name of the score that ordered them
    scored: tuple[Scored, ...]  # where there was a race its entrants first, in the order that it gave
    reasons: tuple[Reason, ...]  # why the first is first; where opinions disagree
    baseline: Baseline | None = None  # None: not asked for, or it could not be computed
    race: Race | None = None  # None: none was asked for, or not yet

    @property
    def best(self) -> Scored:
        return self.scored[0]

    @property
    def first_by_score(self) -> str:
        """The source of the candidate that the scores put first, whatever a race made of it."""
        return (
            self.race.entrants[0].source if self.race and self.race.entrants else self.best.candidate.source
        )


@dataclass(frozen=True)
class Pace:
    """How fast a model goes here, from a few timed steps; keys are numbers of the first group that runs."""

    step: dict[int, float]  # seconds a row, forward and backward
    look: dict[int, float]  # seconds a row without gradients
    move: float  # seconds of the optimiser a weight
    weights: dict[int, int]  # that move, from that group on
    saved: int  # bytes a row that a step from the first group keeps for its backward pass


@dataclass(frozen=True)
class Cost:
    """What a training is expected to take, if it goes to its last epoch."""

    seconds: float
    memory: int  # bytes beyond the model: gradients, moments, copies, activations


@dataclass(frozen=True)
class Pilot:
    """A strategy tried on a part of the training rows, judged on training rows that it did not learn from."""

    strategy: str
    rows: int  # that it learned from
    accuracy: Measure  # on the rows that judge
    ahead: Measure | None  # accuracy minus that of the reference on the same rows, paired; None of itself
    seconds: float

    @property
    def judged(self) -> int:
        return self.accuracy.n


@dataclass(frozen=True)
class Facts:
    """Everything that a decision may look at. A number that is not here cannot be a reason."""

    task: str
    modality: str  # "text" or "image"
    rows: int  # training rows
    classes: int
    fewest_per_class: int  # training rows of the smallest class
    median_per_class: float
    floor: float  # validation accuracy without any model: the most frequent class
    probe: float  # out-of-fold accuracy of a linear probe on the frozen features
    groups: tuple[str, ...]  # layer groups from input to head
    depths: dict[str, float]  # layer group -> out-of-fold score of its pooled features
    parameters: int
    pretrained: bool  # is there a model to start from?
    head_is_linear: bool  # can the head be solved as a logistic regression?
    can_pool: bool  # can a layer that averages over positions be put in front of the head?
    can_cut: bool  # can the top layers be dropped?
    has_batch_norm: bool
    batch: int = 16
    measured: bool = True  # could probe and depths be measured, or are the rows too few?
    baseline: float | None = None  # out-of-fold accuracy without any network: of a bag of words, for example
    lead: Measure | None = None  # log-likelihood of the probe minus that of the baseline, paired
    prices: dict[str, Cost] = field(default_factory=dict)  # by strategy, of the whole training
    efforts: dict[str, float] = field(default_factory=dict)  # the same by counted products, alike everywhere
    pilots: tuple[Pilot, ...] = ()  # strategies that were tried on a part of the rows
    asked: Reason | None = None  # why these strategies were tried, or none
    cannot: dict[str, str] = field(default_factory=dict)  # strategies that the model does not bear, and why
    seconds_left: float | None = None  # of the budget, for tuning plan and rivals; None: no budget

    @property
    def body(self) -> tuple[str, ...]:
        return self.groups[:-1]

    @property
    def similarity(self) -> float:
        """How far the frozen features carry from the floor to a perfect score, 0 to 1."""
        return max(0.0, (self.probe - self.floor) / max(1e-9, 1 - self.floor))


@dataclass(frozen=True)
class Phase:
    """A stretch of training: which groups learn, how fast, for how long.

    Phase(learn=("head",), lr=1e-3, epochs=2)          # a frozen start
    Phase(learn=("*",), lr=2e-5, decay=0.9, epochs=5)  # then everything, slower towards the input
    """

    learn: tuple[str, ...]  # names of layer groups; "*" is all; "top:3" the last three groups and the head
    lr: float  # of the topmost group, per step of the optimiser
    epochs: int
    decay: float = 1.0  # factor per group towards the input, (0, 1]
    warmup: float = 0.1  # share of the phase's steps in which the rate rises from 0
    schedule: str = "linear"  # after the warm-up: "linear" or "cosine" to 0, or "constant"
    weight_decay: float = 0.01  # never on norms, biases and other one-dimensional tensors
    solver: str = "adamw"  # "adamw", or "logistic": solve a linear head on frozen features exactly
    leave: float = 0.0  # share of the loss that the regression leaves; 0: as little as validation bears
    head_lr: float = 0.0  # of the head; 0: as the topmost group


@dataclass(frozen=True)
class Plan:
    """One decision, complete: enough to run it again, and enough to argue with it."""

    strategy: str
    model: str | None  # what load() takes
    task: str
    phases: tuple[Phase, ...]
    edits: tuple[dict[str, Any], ...] = ()
    guards: tuple[dict[str, Any], ...] = ()
    mode: str = "supervised"
    pretrained: bool = True  # False: the model's shape with fresh weights
    batch: int = 16  # rows per step of the optimiser
    micro_batch: int = 0  # rows at a time; 0 is the whole batch
    clip: float = 1.0  # largest norm of the gradient
    norm_statistics: str = "frozen"  # of batch norm: "frozen" or "learn"
    precision: str = "auto"  # of products: "fp32", "bf16", or "auto": what this machine is faster with
    seed: int = 0
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Option:
    """A strategy that was considered: how well it suits the facts, and why."""

    strategy: str
    suits: float  # 0 to 1
    reason: Reason


@dataclass(frozen=True)
class Predictions:
    """What a model said about rows, row by row, so that two runs can be paired."""

    rows: NDArray[np.int64]  # N row numbers of the bundle
    truth: NDArray[np.int64]  # N class numbers
    probabilities: NDArray[np.float64]  # N x C, rows sum to 1

    @property
    def answers(self) -> NDArray[np.int64]:
        answers: NDArray[np.int64] = self.probabilities.argmax(1)
        return answers


@dataclass(frozen=True)
class Proof:
    """Something promised of every training, checked on this one: what was compared, the number, the bound."""

    name: str  # of the family of proofs: "padding_is_silent"
    holds: bool | None  # None: it does not apply, and `what` says why
    what: str  # one sentence: what was promised, and what was compared
    seen: float | None = None  # the largest difference, or a count
    bound: float | None = None  # the largest `seen` with which it holds


@dataclass(frozen=True)
class Run:
    """One finished training: its plan, what it answers on each split, and what it cost."""

    name: str  # "full", "frozen", "scratch", "base", "baseline"
    plan: Plan
    predictions: dict[str, Predictions]  # by split: "train" (a sample), "validation", "test"
    seconds: float
    parameters: int
    trained_parameters: int
    steps: int
    history: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    proofs: dict[str, Any] = field(default_factory=dict)  # checks that held: {"frozen_unmoved": True}
    baseline: str = ""  # what answers where no network does: "a bag of words (...)"
    ticks: tuple[Proof, ...] = ()  # what was promised of every training, checked on this one


@dataclass(frozen=True)
class SeedScore:
    """One of several trainings that differ in their seed alone."""

    seed: int
    run: str  # its folder below training/
    metrics: dict[str, Measure]  # on test rows, of its own model
    validation_loss: float  # log-loss, nats


@dataclass(frozen=True)
class Gain:
    """Recommended minus rival on the same test rows."""

    rival: str
    metric: str
    value: float
    low: float
    high: float
    p: float  # two-sided; McNemar's mid-p where the metric is accuracy; of several seeds, over rows and seeds
    n: int
    p_holm: float | None = None  # p, corrected for the number of rivals (Holm)
    by_seed: tuple[Measure, ...] = ()  # of each of several seeds, with its interval over rows
    p_seeds: float | None = None  # of several seeds: paired t over them, two-sided
    p_signs: float | None = None  # the exact sign-flip over them, one-sided: that the recommended is better


@dataclass(frozen=True)
class Evidence:
    """What a report may claim: one verdict, and the measures it stands on."""

    verdict: str  # "worth it", "not worth it", "cannot tell"
    headline: str  # one sentence with numbers
    recommended: str  # name of a run
    why: Reason  # why that one is recommended
    primary: str  # name of the metric that the verdict uses
    metrics: dict[str, dict[str, Measure]]  # run -> metric -> measure on test rows
    gains: dict[str, Gain]  # rival -> recommended minus rival
    overfitting: dict[str, Overfitting]  # by run
    detectable: float  # smallest difference of the primary metric that these test rows can show
    seeds: dict[str, tuple[SeedScore, ...]] = field(default_factory=dict)  # by run, where there are several
    shipped: str = ""  # folder below training/ of the recommended run's model, of the best seed
