"""Ask every strategy how well it suits the facts; the best becomes the plan, with its reasons.

A strategy answers from a prior, a table of what worked elsewhere. Where strategies were measured on the
user's own rows (pilots), the measurements decide and the prior only explains.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from warmstart.base.types import Facts, Measure, Option, Phase, Plan, Reason
from warmstart.decide.beside import no_lead
from warmstart.decide.strategies import STRATEGIES

GUARDS = ({"name": "early_stop", "patience": 5, "sure": 2.0},)  # for all strategies: rivals compare fairly
FEW_ROWS, SMALL_BATCH = 1000, 16  # below either, statistics of batch norm are better kept than learned


def consider(facts: Facts) -> tuple[Option, ...]:
    """Every strategy of the family with how well it suits the facts, best first; ties go to the cheaper."""
    asked = {name: STRATEGIES.get(name)().suits(facts) for name in STRATEGIES.names()}
    options = [Option(name, suits, reason) for name, (suits, reason) in asked.items()]
    return tuple(sorted(options, key=lambda o: (-o.suits, cost(o.strategy), o.strategy)))


def cost(strategy: str) -> int:
    return int(STRATEGIES.get(strategy).cost)


def choose(
    facts: Facts, model: str | None, *, seed: int = 0, measured: Mapping[str, Measure] = {}
) -> tuple[Plan, tuple[Option, ...]]:
    """The plan of the best strategy, and all that were considered, best first.

    `measured` holds scores (higher is better) of strategies on rows that none of them learned from. Where
    it is not empty it decides: the cheapest strategy whose interval overlaps that of the highest score.
    """
    options = outrank(consider(facts), measured)
    best = options[0]
    reasons = (best.reason,) if measured else ()
    return plan_for(best.strategy, facts, model, seed=seed, reasons=reasons), options


def outrank(options: Iterable[Option], measured: Mapping[str, Measure]) -> tuple[Option, ...]:
    """The options with those that were measured first, in the order that the measurements give."""
    if not measured:
        return tuple(options)
    highest = max(measured, key=lambda name: measured[name].value)
    tied = {name for name, m in measured.items() if m.high >= measured[highest].low}
    winner = min(tied, key=lambda name: (cost(name), -measured[name].value, name))

    def place(option: Option) -> tuple[int, float]:
        if option.strategy not in measured:
            return 2, 0.0
        return (0 if option.strategy == winner else 1), -measured[option.strategy].value

    return tuple(sorted((with_measure(o, measured, winner, highest) for o in options), key=place))


def with_measure(option: Option, measured: Mapping[str, Measure], winner: str, highest: str) -> Option:
    """The option with the measurement as its reason, if there is one."""
    if option.strategy not in measured:
        return option
    saw = shown(option.strategy, measured)
    if option.strategy != highest:
        saw += f"; highest {shown(highest, measured)}"
    if option.strategy != winner:
        so = f"{winner} is taken"
    elif winner == highest:
        so = "the highest, and none whose interval overlaps is cheaper"
    else:
        so = "the intervals overlap, and it is cheaper"
    return replace(option, reason=Reason("strategy: measured on these rows; ties to the cheaper", saw, so))


def shown(strategy: str, measured: Mapping[str, Measure]) -> str:
    m = measured[strategy]
    return f"{strategy} {m.name} {m.value:.3f} ({m.low:.3f} to {m.high:.3f}, n {m.n:,})"


def plan_for(
    strategy: str,
    facts: Facts,
    model: str | None,
    *,
    seed: int = 0,
    reasons: Iterable[Reason] = (),
    asked: bool = False,
) -> Plan:
    """The plan of one strategy with its default settings; `reasons` stand before its own.

    One that was `asked` for is not said to have been chosen for what it would suit.
    """
    part = STRATEGIES.get(strategy)()
    norms, why_norms = norm_statistics(facts, part.pretrained)
    explain = getattr(part, "why", None)  # optional in the contract of strategies
    phases = part.phases(facts)
    first = Reason("strategy: asked for", strategy, "it was asked for") if asked else part.suits(facts)[1]
    own = (first, *(explain(facts) if explain else ()), *why_norms, *no_lead(facts))
    return Plan(
        strategy=strategy,
        model=model,
        task=facts.task,
        phases=phases,
        edits=part.edits(facts),
        guards=patient(GUARDS, phases, part.pretrained),
        pretrained=part.pretrained,
        batch=facts.batch,
        norm_statistics=norms,
        seed=seed,
        reasons=(*reasons, *own),
    )


def patient(
    guards: Iterable[Mapping[str, Any]], phases: Sequence[Phase], pretrained: bool
) -> tuple[dict[str, Any], ...]:
    """The guards, but waiting for half of the epochs where weights are fresh.

    Their validation loss may rise before it falls. Stopped there, training from scratch would be beaten by
    the guard and not by the pretrained weights.
    """
    half = 0 if pretrained else max(phase.epochs for phase in phases) // 2
    return tuple(
        {**guard, "patience": max(guard["patience"], half)} if "patience" in guard else dict(guard)
        for guard in guards
    )


def norm_statistics(facts: Facts, pretrained: bool) -> tuple[str, tuple[Reason, ...]]:
    """What batch norms do while they learn, and why, if the model has any."""
    keep = pretrained and (facts.rows < FEW_ROWS or facts.batch < SMALL_BATCH)
    word = "frozen" if keep else "learn"
    if not facts.has_batch_norm:
        return word, ()
    rule = f"norm_statistics: kept where rows are under {FEW_ROWS:,} or the batch is under {SMALL_BATCH}"
    saw = f"{facts.rows:,} rows, batch {facts.batch}, {'pretrained' if pretrained else 'fresh'} statistics"
    so = "the pretrained statistics stay" if keep else "the statistics follow these rows"
    return word, (Reason(rule, saw, so),)
