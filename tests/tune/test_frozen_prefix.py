"""Training behind a frozen prefix that was run once is training through it, for every place to cut."""

import pytest
import torch

import tune_worlds as worlds
from warmstart.models.anatomy import BATCH_NORMS, frozen_names
from warmstart.tune.loop import Keeping

BOUNDARIES = [
    (name, k, statistics)
    for name, kinds in {
        "bert": ("frozen",),
        "gpt2": ("frozen",),
        "resnet-basic": ("frozen", "learn"),
        "mobilenet_v2": ("learn",),
    }.items()
    for statistics in kinds
    for k in range(len(worlds.pretrained(name).anatomy.groups))
]


@pytest.mark.parametrize(("name", "k", "statistics"), BOUNDARIES)
def test_the_cache_changes_nothing_but_rounding_and_what_is_frozen_stands_still(
    name, k, statistics, tmp_path, monkeypatch
):
    if name == "mobilenet_v2":  # its norms learn from eight numbers here, and make much of any rounding
        monkeypatch.setattr("warmstart.models.features.can_fold", lambda *args: False)
    groups = worlds.pretrained(name).anatomy.names
    plan = worlds.plan(worlds.phase(groups[k:], lr=1e-4), norm_statistics=statistics)
    data = worlds.splits(name, train=14, validation=6)
    before = worlds.state(worlds.pretrained(name))
    through, slow = worlds.run(name, plan, keeping=Keeping(cache=None), data=data)
    behind, fast = worlds.run(name, plan, keeping=Keeping(cache=tmp_path, thrifty=False), data=data)
    assert slow.proofs == {"frozen_unmoved": True, "prefix_cached": [0]}
    assert fast.proofs == {"frozen_unmoved": True, "prefix_cached": [k]}
    ends = [worlds.without_key_biases(worlds.state(model)) for model in (through, behind)]
    assert worlds.largest_difference(*ends) < 1e-5
    still = frozen_names(through.anatomy, groups[k:])
    for model in (through, behind):
        after = worlds.state(model)
        assert worlds.equal(after, before, still)
        moved = {n for n in after if not torch.equal(after[n], before[n])}
        assert moved
        assert not moved & still
    for a, b in zip(slow.history, fast.history, strict=True):
        assert b["validation_loss"] == pytest.approx(a["validation_loss"], abs=1e-5)
        assert (a["step"], a["lr"], a["epoch"]) == (b["step"], b["lr"], b["epoch"])


@pytest.mark.parametrize("statistics", ["frozen", "learn"])
def test_statistics_of_norms_move_only_where_they_may(statistics):
    model = worlds.pretrained("mobilenet_v2")
    groups = model.anatomy.names
    learn = groups[10:]
    before = worlds.state(model)
    worlds.run("mobilenet_v2", worlds.plan(worlds.phase(learn), norm_statistics=statistics), model)
    after = worlds.state(model)
    inside = {
        id(m)
        for g in model.anatomy.groups
        if g.name in learn
        for part in g.modules
        for m in part.modules()
        if isinstance(m, BATCH_NORMS)
    }
    for prefix, module in model.module.named_modules():
        if isinstance(module, BATCH_NORMS):
            moved = not torch.equal(after[f"{prefix}.running_mean"], before[f"{prefix}.running_mean"])
            assert moved is (statistics == "learn" and id(module) in inside), prefix


@pytest.mark.parametrize("cached", [True, False])
def test_dropout_is_awake_above_the_prefix_also_in_the_first_epoch(cached, tmp_path):
    """Filling the cache puts the model to rest; what learns must be woken up again."""
    keeping = Keeping(cache=tmp_path if cached else None)
    plan = worlds.plan(worlds.phase(("top:3",), epochs=1))
    calm, _ = worlds.run("bert", plan, worlds.pretrained("bert", **worlds.CALM), keeping)
    first, _ = worlds.run("bert", plan, keeping=keeping)
    second, _ = worlds.run("bert", plan, keeping=keeping)  # from the cache that the first one filled
    assert worlds.equal(worlds.state(first), worlds.state(second))
    assert worlds.largest_difference(worlds.state(first), worlds.state(calm)) > 1e-4


def test_a_frozen_layer_between_learning_ones_stands_still(tmp_path):
    model = worlds.pretrained("bert")
    before = worlds.state(model)
    worlds.run("bert", worlds.plan(worlds.phase(("layer.0", "head"))), model, Keeping(tmp_path))
    moved = {n for n, t in worlds.state(model).items() if not torch.equal(t, before[n])}
    assert {n.split(".")[3] for n in moved if ".layer." in n} == {"0"}
    assert not any("pooler" in n or "embeddings" in n for n in moved)
    assert any(n.startswith("classifier") for n in moved)


def test_too_little_room_means_running_the_frozen_layers_in_every_step_and_is_said(tmp_path):
    told = []
    plan = worlds.plan(worlds.phase(("head",)))
    small, trained = worlds.run("bert", plan, keeping=Keeping(tmp_path, cache_limit=10), tell=told.append)
    assert trained.proofs["prefix_cached"] == [0]
    assert [e for e in told if e["event"] == "note" and "too large" in e["what"]]
    other, _ = worlds.run("bert", plan, keeping=Keeping(tmp_path))
    assert worlds.largest_difference(worlds.state(small), worlds.state(other)) < 1e-5


def test_each_phase_has_a_prefix_of_its_own(tmp_path):
    plan = worlds.plan(
        worlds.phase(("head",), solver="logistic"), worlds.phase(("top:1",)), worlds.phase(("*",), lr=1e-4)
    )
    _, trained = worlds.run("bert", plan, keeping=Keeping(tmp_path))
    assert trained.proofs["prefix_cached"] == [5, 4, 0]
    assert len(list(tmp_path.iterdir())) == 4  # two phases, two splits


def test_strategies_on_the_same_rows_share_the_cache(tmp_path):
    head = worlds.plan(worlds.phase(("head",)))
    worlds.run("bert", head, keeping=Keeping(tmp_path))
    stamps = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.npy")}
    worlds.run("bert", worlds.plan(worlds.phase(("head",), lr=3e-3), seed=8), keeping=Keeping(tmp_path))
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.npy")} == stamps
