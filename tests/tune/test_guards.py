"""Guards do what their papers say, to the digit."""

import pytest
import torch

import tune_worlds as worlds
from warmstart.adapt.edits import EDITS
from warmstart.base.errors import WarmstartError
from warmstart.models.features import logits_of
from warmstart.tasks._task import Look
from warmstart.tune.guards import GUARDS
from warmstart.tune.job import Job
from warmstart.tune.loop import Keeping, new_job

RUINED = (
    worlds.phase(("head",), lr=3e-2, epochs=2),
    worlds.phase(("*",), lr=5e-3, epochs=3),
    worlds.phase(("*",), lr=0.12, epochs=6, schedule="constant", warmup=0.0),
)


def ruined(*guards, keeping=None, phases=RUINED):
    """Learned at first, and then at a rate that destroys what was learned."""
    model = worlds.pretrained("bert", num_hidden_layers=1)
    return worlds.run("bert", worlds.plan(*phases, guards=guards), model, keeping)


def job_for(model, *phases, **options) -> Job:
    plan = worlds.plan(*(phases or (worlds.phase(),)), **options)
    return new_job(model.anatomy, plan, worlds.task(model.source), worlds.splits(model.source), print)


def validation_loss(model):
    split = worlds.splits(model.source)["validation"]
    loss, count = worlds.task(model.source).loss(
        logits_of(model.anatomy, split.inputs).double(), split.targets
    )
    return float(loss) / count


@pytest.mark.parametrize("cached", [True, False])
def test_early_stop_ends_with_the_best_weights_which_have_the_loss_that_was_logged(tmp_path, cached):
    keeping = Keeping(tmp_path if cached else None)
    model, trained = ruined({"name": "early_stop", "patience": 3}, keeping=keeping)
    losses = [look["validation_loss"] for look in trained.history]
    assert validation_loss(model) == pytest.approx(min(losses), rel=1e-12)
    assert min(losses) < min(losses[0], losses[-1])
    assert [look["phase"] for look in trained.history] == [0, 1, 1, 2, 2, 2, 3, 3, 3]
    without, trained = ruined(keeping=keeping)
    assert validation_loss(without) > 1.3 * min(losses)
    assert len(trained.history) == 12


def test_a_training_that_only_harms_ends_where_it_began():
    ruin = worlds.phase(("*",), lr=1.0, epochs=2, schedule="constant", warmup=0.0)
    model, trained = worlds.run("bert", worlds.plan(ruin, guards=({"name": "early_stop"},)))
    assert trained.history[0]["step"] == 0
    assert validation_loss(model) == trained.history[0]["validation_loss"]
    assert worlds.equal(worlds.state(model), worlds.state(worlds.pretrained("bert")))


def test_a_head_that_never_learned_is_not_kept_however_few_rows_prefer_it():
    """A dozen rows may say by chance that a fresh head's even answers lose less than what was learned."""
    ruin = worlds.phase(("*",), lr=1.0, epochs=2, schedule="constant", warmup=0.0)
    plan = worlds.plan(ruin, guards=({"name": "early_stop"},))
    model = worlds.pretrained("bert")
    labels = tuple("abc")
    fresh = EDITS.build({"name": "new_head"}).apply(model, labels, 0)[0]
    tuned, trained = worlds.run("bert", plan, fresh)
    assert trained.history[0]["validation_loss"] < min(x["validation_loss"] for x in trained.history[1:])
    assert trained.proofs["kept_look"] > 0
    kept = trained.history[trained.proofs["kept_look"]]
    assert validation_loss(tuned) == pytest.approx(kept["validation_loss"], rel=1e-6)


def test_patience_counts_looks_without_gain_and_begins_anew_with_each_phase():
    guard = GUARDS.build({"name": "early_stop", "patience": 2})
    job = job_for(worlds.pretrained("bert"), worlds.phase(), worlds.phase())
    guard.begin(job)
    for loss, stops in ((1.0, False), (1.1, False), (0.9, False), (0.95, False), (0.9, True)):
        guard.watch(job, {"validation_loss": loss})
        assert job.stop is stops
    job.phase, job.stop = 1, False
    guard.watch(job, {"validation_loss": 2.0})
    assert not job.stop
    guard.watch(job, {"validation_loss": 2.0})
    assert job.stop


def test_a_phase_that_begins_worse_than_the_best_may_go_on_while_it_gains():
    """The head that leaves the body something to learn begins behind the best head, which is kept."""
    guard = GUARDS.build({"name": "early_stop", "patience": 2})
    job = job_for(worlds.pretrained("bert"), worlds.phase(), worlds.phase())
    guard.watch(job, {"validation_loss": 1.0})
    guard.watch(job, {"validation_loss": 3.0})
    job.phase = 1
    for loss, stops in ((2.9, False), (2.6, False), (2.2, False), (2.3, False), (2.1, False)):
        guard.watch(job, {"validation_loss": loss})
        assert job.stop is stops
    again = GUARDS.build({"name": "early_stop", "patience": 2})
    again.restore(*guard.state())
    for loss, stops in ((2.1, False), (2.2, True)):
        again.watch(job, {"validation_loss": loss})
        assert job.stop is stops
    assert again.best == 1.0


def test_fresh_weights_are_judged_by_accuracy_and_then_by_loss():
    guard = GUARDS.build({"name": "early_stop", "patience": 2})
    job = job_for(worlds.pretrained("bert"), worlds.phase(), pretrained=False)
    job.steps = 1
    looks = ((0.5, 0.69), (0.8, 1.9), (0.8, 1.7), (0.7, 0.6), (0.8, 1.8))
    kept = []
    for accuracy, loss in looks:
        before = guard.best
        guard.watch(job, {"validation_accuracy": accuracy, "validation_loss": loss})
        kept.append(guard.best != before)
    assert kept == [True, True, True, False, False]
    assert job.stop


def moved(model, by=0.1, seed=7):
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.module.parameters():
            parameter.add_(by * torch.randn(parameter.shape, generator=source))


@pytest.mark.parametrize("mix", [0.0, 0.3, 0.5, 1.0])
def test_wise_ft_mixes_the_body_exactly_and_leaves_the_head(mix):
    plan = worlds.plan(worlds.phase(lr=1e-2))
    start = worlds.state(worlds.pretrained("bert"))
    tuned = worlds.state(worlds.run("bert", plan)[0])
    guarded = worlds.plan(worlds.phase(lr=1e-2), guards=({"name": "wise_ft", "mix": mix},))
    mixed = worlds.state(worlds.run("bert", guarded)[0])
    for name, tensor in mixed.items():
        if name.startswith("classifier"):
            assert torch.equal(tensor, tuned[name])
        else:
            assert torch.allclose(tensor, (1 - mix) * start[name] + mix * tuned[name], atol=1e-7), name
    if mix in (0.0, 1.0):
        body = [n for n in mixed if not n.startswith("classifier")]
        assert worlds.equal(mixed, {0.0: start, 1.0: tuned}[mix], body)


@pytest.mark.parametrize("mix", [0.0, 0.3])
def test_wise_ft_mixes_statistics_of_norms_as_it_does_weights(mix):
    """At the start they are those of the start, so that a share of 0 gives back what it answered."""
    phase = worlds.phase(lr=1e-2)
    start = worlds.state(worlds.pretrained("resnet-basic"))
    tuned = worlds.state(worlds.run("resnet-basic", worlds.plan(phase, norm_statistics="learn"))[0])
    plan = worlds.plan(phase, norm_statistics="learn", guards=({"name": "wise_ft", "mix": mix},))
    mixed = worlds.state(worlds.run("resnet-basic", plan)[0])
    statistics = [n for n in mixed if n.endswith(("running_mean", "running_var"))]
    assert not worlds.equal(start, tuned, statistics)
    for name in statistics:
        assert torch.allclose(mixed[name], (1 - mix) * start[name] + mix * tuned[name], atol=1e-6), name
    assert worlds.equal(mixed, tuned, [n for n in mixed if n.endswith("num_batches_tracked")])


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_mixed_are_the_best_weights_in_whatever_order_the_guards_stand(order):
    guards = ({"name": "early_stop"}, {"name": "wise_ft", "mix": 0.4})
    best, mixed = (worlds.state(ruined(*chosen)[0]) for chosen in (guards[:1], guards[::order]))
    start = worlds.state(worlds.pretrained("bert", num_hidden_layers=1))
    for name, tensor in mixed.items():
        if not name.startswith("classifier"):
            assert torch.allclose(tensor, 0.6 * start[name] + 0.4 * best[name], atol=1e-7)


@pytest.mark.slow
def test_wise_ft_mixes_what_an_adapter_does():
    """The product of its two factors, not each of them."""
    model, _ = EDITS.build({"name": "lora", "rank": 2, "alpha": 4}).apply(worlds.pretrained("bert"), (), 0)
    plan = worlds.plan(worlds.phase(lr=1e-2), guards=({"name": "wise_ft", "mix": 0.25},))
    job = job_for(model)
    start = worlds.state(model)
    layer = model.module.bert.encoder.layer[0].attention.self.query
    moved(model)
    whole = (layer.lora_B["default"].weight @ layer.lora_A["default"].weight).detach().clone()
    guard = GUARDS.build(plan.guards[0])
    guard.start = {n: t for n, t in start.items() if n in job.moving}
    guard.finish(job)
    assert torch.allclose(
        layer.lora_B["default"].weight @ layer.lora_A["default"].weight, 0.25 * whole, atol=1e-6
    )


@pytest.mark.parametrize(
    "table",
    [
        {"name": "early_stop", "patience": 0},
        {"name": "early_stop", "best": 1.0},
        {"name": "early_stop", "on": "f1"},
        {"name": "early_stop", "criterion": "gl"},
        {"name": "early_stop", "alpha": 0.0},
        {"name": "early_stop", "strip": 0},
        {"name": "ewc", "weight": -1.0},
        {"name": "ewc", "rows": 0},
        {"name": "lwf", "weight": float("inf")},
        {"name": "lwf", "temperature": 0.0},
        {"name": "replay", "share": 0.0},
        {"name": "replay", "share": 2.0},
        {"name": "lines", "lowest": -0.1},
        {"name": "ema", "decay": 1.0},
        {"name": "mixout", "swapped": 1.0},
        {"name": "label_smoothing", "share": 1.0},
        {"name": "mixup", "alpha": 0.0},
        {"name": "bss", "weight": -1.0},
        {"name": "bss", "smallest": 0},
        {"name": "r3f", "weight": float("nan")},
        {"name": "r3f", "spread": 0.0},
        {"name": "r3f", "noise": "pink"},
        {"name": "flow", "tau": 1.0},
        {"name": "l2_sp", "weight": -1.0},
        {"name": "l2_sp", "weight": float("nan")},
        {"name": "wise_ft", "mix": 1.5},
        {"name": "wise_ft", "mix": float("nan")},
        {"name": "wise_ft", "mx": 0.5},
        {"name": "wise"},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(table):
    with pytest.raises(WarmstartError):
        GUARDS.build(table)


def test_a_penalty_that_is_not_finite_stops_before_the_step():
    model = worlds.pretrained("bert")
    before = worlds.state(model)
    plan = worlds.plan(worlds.phase(lr=1e-3), guards=({"name": "ewc", "weight": 1e34},))
    with pytest.raises(WarmstartError) as caught:
        worlds.run("bert", plan, model)
    assert caught.value.code == "not-finite"
    assert "epoch 2, step 1" in caught.value.wrong  # the fourth; in the first, the distance is still nothing
    assert all(bool(torch.isfinite(t).all()) for t in worlds.state(model).values())
    assert not worlds.equal(worlds.state(model), before)


def looked(job, losses):
    """The job after a look at which the validation rows had these losses."""
    losses_N = torch.tensor(losses, dtype=torch.float64)
    job.looked = Look(losses_N, losses_N < 0.7, torch.ones(len(losses_N), dtype=torch.long))
    job.history.append({"validation_loss": job.looked.loss})
    return {"validation_loss": job.looked.loss, "validation_accuracy": job.looked.accuracy}


NOISY, CLEAR = [0.4, 1.6, 0.1, 1.5], [1.4, 1.5, 1.6, 1.4]  # after ONES: better for some rows; worse for all
ONES = [0.9, 0.9, 0.8, 0.9]


@pytest.mark.parametrize(("last", "kept"), [(NOISY, 1), (CLEAR, 0)])
def test_an_earlier_look_is_believed_only_beyond_the_noise_of_the_rows(last, kept):
    """Paired differences of NOISY have mean 0.025, standard error 0.34; all of CLEAR are above."""
    model = worlds.pretrained("bert")
    job, guard = job_for(model), GUARDS.build({"name": "early_stop", "sure": 2.0})
    guard.watch(job, looked(job, ONES))
    start = worlds.state(model)
    moved(model)
    end = worlds.state(model)
    guard.watch(job, looked(job, last))
    again = GUARDS.build({"name": "early_stop", "sure": 2.0})
    again.restore(*guard.state())
    again.finish(job)
    assert job.proofs["kept_look"] == kept
    assert worlds.equal(worlds.state(model), (start, end)[kept])


def test_looks_that_are_not_clearly_worse_do_not_wear_patience_out():
    job = job_for(worlds.pretrained("bert"))
    guard = GUARDS.build({"name": "early_stop", "patience": 2, "sure": 2.0})
    for losses, stops in ((ONES, False), (NOISY, False), (NOISY, False), (CLEAR, False), (CLEAR, True)):
        guard.watch(job, looked(job, losses))
        assert job.stop is stops


def test_one_row_is_never_clear_and_weights_that_burst_are_never_kept():
    model = worlds.pretrained("bert")
    start = worlds.state(model)
    for burst, kept in ((0, 1), (1, 0)):
        job, guard = job_for(model), GUARDS.build({"name": "early_stop", "sure": 2.0})
        guard.watch(job, looked(job, [0.5]))
        moved(model)
        guard.watch(job, looked(job, [5.0]))
        job.exploded = burst
        guard.finish(job)
        assert job.proofs["kept_look"] == kept
        model.module.load_state_dict(start)
