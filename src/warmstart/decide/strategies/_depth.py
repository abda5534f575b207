"""Where the features of a text model are best: which layers to drop, and whether to average over tokens.

The features after every layer were probed out of fold. Frozen features may be read at any depth, for what
lies above it is dropped; tuning keeps all layers, for they can still learn.
"""

from typing import Any

from warmstart.base.types import Facts

Edits = tuple[dict[str, Any], ...]

WHISKER = 0.005  # relative difference of probe scores that is not worth a layer


def layers(facts: Facts) -> tuple[str, ...]:
    """The layers of a text model, from input to top."""
    return tuple(g for g in facts.groups if g.startswith("layer."))


def top(facts: Facts) -> str:
    """The group whose output the model's own head reads: a pooler, or a decoder's last norm."""
    return facts.body[-1]


def depth(facts: Facts, edits: Edits) -> int:
    """How many groups the body has once the edits are made."""
    added = sum(e["name"] == "mean_pool" for e in edits)
    dropped = sum(len(layers(facts)) - e["keep"] for e in edits if e["name"] == "drop_layers")
    return int(len(facts.body) + added - dropped)


def edits_for_tuning(facts: Facts) -> Edits:
    """All layers stay; a mean over tokens where it scores above the model's own pooled output; a new head."""
    return (*([{"name": "mean_pool"}] if mean_beats_pooler(facts) else []), {"name": "new_head"})


def edits_for_frozen(facts: Facts) -> Edits:
    """Cut at the depth whose features score best, average over tokens there, and a new head."""
    place = best_depth(facts)
    if place is None:
        return ({"name": "new_head"},)
    cut = [{"name": "drop_layers", "keep": place + 1}] if place + 1 < len(layers(facts)) else []
    return (*cut, {"name": "mean_pool"}, {"name": "new_head"})


def mean_beats_pooler(facts: Facts) -> bool:
    """Also where nothing could be measured: the mean is the better reading on most sets (EXPERIMENTS.md)."""
    if not facts.measured:
        return facts.can_pool and bool(layers(facts))
    known = facts.can_pool and layers(facts) and {layers(facts)[-1], top(facts)} <= set(facts.depths)
    return bool(known) and facts.depths[layers(facts)[-1]] > facts.depths[top(facts)]


def best_depth(facts: Facts) -> int | None:
    """Number of the layer to read frozen features from; None where the model's own pooled output will do.

    Of the depths within WHISKER of the best the shallowest is taken: fewer layers are smaller and faster.
    Where that would leave no fewer than there are (the mean takes a layer too), the pooled output, which
    needs no edit, goes first. Embeddings count as the first layer.
    """
    near, names = near_best(facts), layers(facts)
    if not facts.measured and mean_beats_pooler(facts):
        return len(names) - 1
    places = [names.index(d) if d in names else 0 for d in near if d != top(facts)]
    if not places:
        return None
    smaller = min(places) + 2 < len(names)
    return min(places) if smaller or top(facts) not in near else None


def near_best(facts: Facts) -> tuple[str, ...]:
    """The depths that can be read here and score within WHISKER of the best of them."""
    if not (facts.can_pool and layers(facts)):
        return ()
    readable = ("embeddings", *layers(facts)) if facts.can_cut else layers(facts)[-1:]
    scores = {d: facts.depths[d] for d in (*readable, top(facts)) if d in facts.depths}
    if not scores:
        return ()
    best = max(scores.values())
    return tuple(d for d, score in scores.items() if score >= best - WHISKER * abs(best))
