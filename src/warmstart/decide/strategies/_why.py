"""Why a recipe came out as it did: the numbers behind its edits and phases, as Reasons."""

from warmstart.base.types import Facts, Phase, Reason
from warmstart.decide.strategies import _depth, _recipe
from warmstart.decide.strategies._depth import Edits

PACE = (
    f"smaller models bear higher rates; at least {_recipe.STEPS} steps, "
    f"within {_recipe.EPOCHS[0]} to {_recipe.EPOCHS[1]} epochs; the head first"
)


def why(facts: Facts, edits: Edits, phases: tuple[Phase, ...], pace: str) -> tuple[Reason, ...]:
    """Reasons for what is notable in edits and phases; `pace` is the rule that set rates and epochs."""
    found = (
        why_depth(facts, edits),
        why_adapters(facts, edits),
        why_head(facts, phases),
        why_pace(facts, phases, pace),
    )
    return tuple(reason for reason in found if reason is not None)


def why_depth(facts: Facts, edits: Edits) -> Reason | None:
    """Why layers go, and why the features are averaged over tokens."""
    table = {e["name"]: e for e in edits}
    if "mean_pool" not in table:
        return None
    if not facts.measured:
        return Reason(
            "edits: average over tokens where no depth can be measured",
            f"{facts.median_per_class:g} rows in the median class",
            "a layer that averages over tokens is put on top",
        )
    if "drop_layers" not in table:
        return Reason(
            "edits: average over tokens where that scores above the model's own pooled output",
            scores(facts, (_depth.layers(facts)[-1], _depth.top(facts))),
            "a layer that averages over tokens is put on top",
        )
    names = _depth.layers(facts)
    keep = int(table["drop_layers"]["keep"])
    best = max((d for d in facts.depths), key=lambda d: facts.depths[d])
    return Reason(
        f"edits: the shallowest depth whose frozen features score within {_depth.WHISKER:.1%} of the best",
        scores(facts, (names[keep - 1], best, names[-1], _depth.top(facts))),
        f"keep {keep} of {len(names)} layers and average over tokens",
    )


def scores(facts: Facts, depths: tuple[str, ...]) -> str:
    """Out-of-fold scores of these depths, each once, as far as they are known."""
    return ", ".join(f"{d} {facts.depths[d]:.4f}" for d in dict.fromkeys(depths) if d in facts.depths)


def why_adapters(facts: Facts, edits: Edits) -> Reason | None:
    table = {e["name"]: e for e in edits}
    if "lora" not in table:
        return None
    return Reason(
        "edits: low-rank adapters beside every linear layer of the body, scale alpha / rank",
        f"{facts.parameters:,} parameters; rank {table['lora']['rank']}, alpha {table['lora']['alpha']}",
        "the pretrained weights rest; adapters and head learn, and are folded in at the end",
    )


def why_head(facts: Facts, phases: tuple[Phase, ...]) -> Reason | None:
    """Why the head is solved, or trained, before or instead of all else."""
    first = phases[0]
    if first.learn != facts.groups[-1:]:
        return None
    place = "first" if len(phases) > 1 else "alone"
    rule = f"phases: the head {place}, on frozen features; solved where it is linear"
    if first.solver != "logistic":
        return Reason(rule, "the head is more than one linear layer", f"{first.epochs} epochs of AdamW")
    so = "logistic regression finds its weights exactly"
    if len(phases) > 1 and phases[1].leave:
        so += (
            f"; then so regularised that {phases[1].leave:.0%} of the loss is left for the body to learn from"
        )
    return Reason(rule, f"the head is one linear layer; {facts.rows:,} rows", so)


def why_pace(facts: Facts, phases: tuple[Phase, ...], pace: str) -> Reason | None:
    """Steps and rates of the phases that are trained by steps."""
    trained = [p for p in phases if p.solver != "logistic"]
    if not trained:
        return None
    steps = _recipe.steps_per_epoch(facts)
    total = sum(p.epochs for p in trained)
    return Reason(
        f"phases: {pace}",
        f"{facts.rows:,} rows in batches of {facts.batch} are {steps:,} steps an epoch; "
        f"{facts.parameters:,} parameters",
        f"{total} epochs, {total * steps:,} steps, at rates up to {max(p.lr for p in trained):g}",
    )
