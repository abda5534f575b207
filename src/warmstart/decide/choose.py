"""Ask every strategy how well it suits the facts; the best becomes the plan, with its reasons.

A strategy answers from a prior, a table of what others found. Where our own study reaches, or strategies were
tried on the user's own rows (pilots), what is expected from these decides; the table only orders the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf, prod
from statistics import NormalDist
from typing import Any

from warmstart.base.types import Facts, Measure, Option, Phase, Plan, Reason
from warmstart.decide.beside import no_lead
from warmstart.decide.expect import Z, expected
from warmstart.decide.record import RECORDS, REFERENCE, Records
from warmstart.decide.strategies import STRATEGIES

GUARDS = ({"name": "early_stop", "patience": 5, "sure": 2.0},)  # for all strategies: rivals compare fairly
TIE = 0.0025  # expected accuracy that is not worth a dearer strategy
SLICES = 100  # equally likely ones of a Gaussian, to add up over
SAFETY = 1.3  # times the predicted seconds that a plan is taken to need, where there is a budget
FEW_ROWS, SMALL_BATCH = 1000, 16  # below either, statistics of batch norm are better kept than learned


def consider(facts: Facts) -> tuple[Option, ...]:
    """Every strategy of the family with how well it suits the facts, best first; ties go to the cheaper."""
    asked = {name: suited(name, facts) for name in STRATEGIES.names()}
    options = [Option(name, suits, reason) for name, (suits, reason) in asked.items()]
    return tuple(sorted(options, key=lambda o: (-o.suits, cost(o.strategy), o.strategy)))


def suited(strategy: str, facts: Facts) -> tuple[float, Reason]:
    """What the strategy says for itself; 0 where the model cannot bear it."""
    if why := facts.cannot.get(strategy):
        return 0.0, Reason("strategy: the model must bear what it changes", why, "it cannot be chosen")
    return STRATEGIES.get(strategy)().suits(facts)  # type: ignore[no-any-return]


def cost(strategy: str) -> int:
    return int(STRATEGIES.get(strategy).cost)


def choose(
    facts: Facts, model: str | None, *, seed: int = 0, records: Records = RECORDS
) -> tuple[Plan, tuple[Option, ...]]:
    """The plan of the best strategy, and all that were considered, best first.

    Where something is expected of the strategies, from the record or from pilots, that decides: the cheapest
    whose expected accuracy is within TIE of the highest that the budget bears. Else the table of priors does.
    """
    options = within_budget(outrank(consider(facts), expected(facts, records), facts), facts)
    best = options[0]
    plan = plan_for(best.strategy, facts, model, seed=seed)
    if best.reason not in plan.reasons:
        plan = replace(plan, reasons=(best.reason, *plan.reasons[1:]))
    return plan, options


def outrank(options: Iterable[Option], known: Mapping[str, Measure], facts: Facts) -> tuple[Option, ...]:
    """The options with those that something is known of first, in the order of what is expected of them."""
    known = {name: m for name, m in known.items() if name not in facts.cannot}
    if not known:
        return tuple(options)
    highest = max(known, key=lambda name: known[name].value)
    tied = [name for name, m in known.items() if m.value >= known[highest].value - TIE]
    winner = min(tied, key=lambda name: (cost(name), -known[name].value))
    chances = chances_of(known)

    def place(option: Option) -> tuple[int, float]:
        if option.strategy not in known:
            return 2, 0.0
        return (0 if option.strategy == winner else 1), -known[option.strategy].value

    return tuple(
        sorted((with_measure(o, known, winner, highest, chances, facts) for o in options), key=place)
    )


def chances_of(known: Mapping[str, Measure]) -> dict[str, float]:
    """By strategy how likely it is to be within TIE of the best, were they independent Gaussians."""
    sd = {name: max(1e-6, (m.high - m.low) / (2 * Z)) for name, m in known.items()}
    found = {}
    for name, m in known.items():
        others = [NormalDist(o.value - TIE, sd[rival]) for rival, o in known.items() if rival != name]
        places = (NormalDist(m.value, sd[name]).inv_cdf((i + 0.5) / SLICES) for i in range(SLICES))
        found[name] = round(sum(prod(o.cdf(x) for o in others) for x in places) / SLICES, 2)
    return found


def with_measure(
    option: Option,
    known: Mapping[str, Measure],
    winner: str,
    highest: str,
    chances: Mapping[str, float],
    facts: Facts,
) -> Option:
    """The option with what is expected of it as its reason, if anything is."""
    name = option.strategy
    if name not in known:
        return option
    saw = shown(name, known, facts) + ("" if name == highest else f"; highest {shown(highest, known, facts)}")
    if name != winner:
        so = f"{winner} is taken"
    elif winner == highest:
        so = f"the highest, and no cheaper one is within {100 * TIE:g} points of it"
    else:
        so = f"within {100 * TIE:g} points of the highest, and cheaper"
    rule = f"strategy: accuracy expected beside {REFERENCE}, from other sets and pilots; ties to the cheaper"
    return Option(name, chances[name], Reason(rule, saw, so))


def shown(strategy: str, known: Mapping[str, Measure], facts: Facts) -> str:
    """What is expected, and what a pilot saw, in points."""
    m = known[strategy]
    said = f"{strategy} {100 * m.value:+.1f} [{100 * m.low:+.1f}, {100 * m.high:+.1f}]"
    for pilot in facts.pilots:
        if pilot.strategy == strategy and pilot.ahead is not None:
            p = pilot.ahead
            said += f" (pilot {100 * p.value:+.1f} [{100 * p.low:+.1f}, {100 * p.high:+.1f}], {p.n:,} rows)"
    return said


def within_budget(options: tuple[Option, ...], facts: Facts) -> tuple[Option, ...]:
    """Those that the seconds left can pay first; where none is, the cheapest."""
    if facts.seconds_left is None or not facts.prices:
        return options
    left = facts.seconds_left

    def seconds(option: Option) -> float:
        return SAFETY * facts.prices[option.strategy].seconds if option.strategy in facts.prices else inf

    best = options[0]
    paid = [o for o in options if seconds(o) <= left]
    taken = paid[0] if paid else min(options, key=seconds)
    if taken is best:
        return options
    saw = f"{left:.0f} s left; {best.strategy} {seconds(best):.0f} s, {taken.strategy} {seconds(taken):.1f} s"
    rule = f"strategy: the best that the budget bears, at {SAFETY:g} times the predicted seconds"
    so = "the first that can be paid" if paid else "none can be paid; the cheapest is taken"
    return replace(taken, reason=Reason(rule, saw, so)), *(o for o in options if o is not taken)


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
