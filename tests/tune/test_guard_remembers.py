"""LwF and replay: the source's own head over the body that learns."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, kl_div

import guard_worlds as guarded
import tune_worlds as worlds
from warmstart.adapt.edits import EDITS
from warmstart.base.errors import WarmstartError
from warmstart.models.anatomy import frozen_names
from warmstart.tune.guards import GUARDS
from warmstart.tune.guards.lwf import kept_answers
from warmstart.tune.loop import Keeping


@torch.no_grad()
def own_logits(model, split, rows):
    """N x K: what the padded model itself says, in eval mode."""
    return model.module.eval()(**split.inputs.batch(rows)).logits.double()


def softened(logits_BK, temperature):
    scaled = logits_BK / temperature
    return scaled.exp() / scaled.exp().sum(1, keepdim=True)


@pytest.mark.parametrize("name", ["bert", "resnet-basic"])
@pytest.mark.parametrize("start", [0, 2, 4])
def test_lwf_is_t_squared_times_the_divergence_of_the_softened_answers(name, start):
    """The oracle: two whole padded models, the source and the moved body under its head, and sums by hand.

    The lower groups have not moved from where the batch stands, as behind a frozen prefix.
    """
    model, known = guarded.calm(name), guarded.retained(name)
    guard, job = guarded.begun(model, {"name": "lwf", "weight": 0.7, "temperature": 3.0}, known=known)
    still = frozen_names(model.anatomy, model.anatomy.names[start:])
    before = worlds.state(model)
    guarded.moved(model)
    model.module.load_state_dict({n: before[n] for n in still}, strict=False)
    batch = guarded.batch_of(job, start=start)
    found = guard.beside(job, batch, guarded.seen(job, batch))

    split = job.splits["train"]
    under_old_head = guarded.source(name)
    under_old_head.module.load_state_dict(guarded.body_of(model, worlds.state(model)), strict=False)
    z0_BK, z_BK = (own_logits(m, split, batch.rows) for m in (guarded.source(name), under_old_head))
    p_BK, q_BK = softened(z0_BK, 3.0), softened(z_BK, 3.0)
    expected = 0.7 * 9 * float((p_BK * (p_BK / q_BK).log()).sum())
    assert expected > 1e-3
    assert found.item() == pytest.approx(expected, rel=1e-4)
    found.backward()
    learning = [p for n, p in guarded.body_of(model).items() if n not in still]
    assert any(p.grad is not None and bool(p.grad.any()) for p in learning)
    assert all(p.grad is None for p in known.source.model.parameters())


def test_the_divergence_to_itself_is_nothing_and_its_gradient_is_that_of_double_precision():
    source = torch.Generator().manual_seed(1)
    before, now = (3 * torch.randn(6, 4, generator=source, dtype=torch.float64) for _ in range(2))
    now.requires_grad_(True)
    assert float(kept_answers(before, before, 2.0)) == pytest.approx(0, abs=1e-12)
    found = kept_answers(before, now, 2.0)
    p, q = softened(before, 2.0), softened(now, 2.0)
    assert found.item() == pytest.approx(4 * (p * (p / q).log()).sum().item(), rel=1e-12)
    found.backward()
    assert torch.allclose(now.grad, (2.0 * (q - p)).detach(), rtol=1e-9)  # T^2 * (q - p) / T


def test_a_well_known_code_leaves_t_squared_out_so_that_its_weight_is_not_ours():
    """Avalanche's distillation loss is the divergence alone: at T = 2 a fourth of this one."""
    source = torch.Generator().manual_seed(2)
    before, now = (torch.randn(5, 3, generator=source, dtype=torch.float64) for _ in range(2))
    theirs = kl_div((now / 2).log_softmax(1), (before / 2).softmax(1), reduction="sum")
    assert float(kept_answers(before, now, 2.0)) == pytest.approx(4 * float(theirs), rel=1e-12)


def test_lwf_keeps_the_old_answers_nearer():
    known, phase = guarded.retained(), worlds.phase(lr=5e-3, epochs=6)
    drifts = []
    for guards in ((), ({"name": "lwf", "weight": 10.0},)):
        plan = worlds.plan(phase, guards=guards)
        model, _ = worlds.run("bert", plan, guarded.calm(), retained=known)
        under_old_head = guarded.source()
        under_old_head.module.load_state_dict(guarded.body_of(model, worlds.state(model)), strict=False)
        split = worlds.splits("bert")["validation"]
        rows = range(len(split))
        answers = (own_logits(m, split, rows) for m in (guarded.source(), under_old_head))
        drifts.append(float(kept_answers(*answers, 1.0)))
    assert drifts[1] < 0.5 * drifts[0]


def test_where_the_head_learns_alone_lwf_adds_nothing():
    guard, job = guarded.begun(
        guarded.calm(), {"name": "lwf"}, worlds.phase(("head",)), known=guarded.retained()
    )
    batch = guarded.batch_of(job)
    assert guard.before_NK is None
    assert guard.beside(job, batch, guarded.seen(job, batch)) is None


def test_a_layer_that_froze_after_it_had_moved_changes_nothing_of_what_the_source_said(tmp_path):
    """The cached state of the second phase is of moved layers, which are no longer the source's own."""
    phases = (worlds.phase(lr=1e-3), worlds.phase(("top:2",), lr=1e-4))
    ends = []
    for cache in (None, tmp_path):
        plan = worlds.plan(*phases, guards=({"name": "lwf", "weight": 5.0},))
        keeping = Keeping(cache, thrifty=False)
        model, _ = worlds.run("bert", plan, guarded.calm(), keeping, retained=guarded.retained())
        ends.append(worlds.without_key_biases(worlds.state(model)))
    assert worlds.largest_difference(*ends) < 1e-5


@pytest.mark.parametrize("name", ["bert", "resnet-basic"])
def test_replay_adds_the_summed_loss_of_the_rows_drawn_over_the_batch(name):
    known = guarded.retained(name, rows=12)
    model = guarded.calm(name)
    guard, job = guarded.begun(model, {"name": "replay", "share": 0.5}, known=known, batch=8)
    guarded.moved(model)
    rows = guard.drawn(job, 12)
    assert len(rows) == len(set(rows)) == 4
    under_old_head = guarded.source(name)
    under_old_head.module.load_state_dict(guarded.body_of(model, worlds.state(model)), strict=False)
    logits = own_logits(under_old_head, known.split, rows)
    expected = float(cross_entropy(logits, known.split.targets[rows], reduction="sum")) / 8
    modes = [m.training for m in model.module.modules()]
    penalty = guard.penalty(job)
    assert penalty.item() == pytest.approx(expected, rel=1e-5)
    assert [m.training for m in model.module.modules()] == modes
    penalty.backward()
    assert any(bool(p.grad.any()) for p in guarded.body_of(model).values() if p.grad is not None)
    assert model.anatomy.head()[1].weight.grad is None


def test_replayed_rows_are_the_share_of_the_batch_in_the_mean_and_other_rows_in_each_step():
    guard, job = guarded.begun(
        guarded.calm(), {"name": "replay", "share": 0.04}, known=guarded.retained(rows=12), batch=8
    )
    drawn = []
    for job.epoch in range(40):
        for job.step in range(50):
            drawn.append(guard.drawn(job, 12))
    counts = np.array([len(rows) for rows in drawn])
    assert set(counts) == {0, 1}
    assert abs(counts.mean() - 0.32) < 4 * np.sqrt(0.32 * 0.68 / 2000)
    assert len({rows[0] for rows in drawn if rows}) == 12
    job.epoch, job.step = 3, 7
    assert guard.drawn(job, 12) == drawn[3 * 50 + 7]


def test_few_rows_to_remember_are_drawn_more_than_once():
    guard, job = guarded.begun(
        guarded.calm(), {"name": "replay", "share": 1.0}, known=guarded.retained(rows=3), batch=8
    )
    assert len(guard.drawn(job, 3)) == 8


@pytest.mark.parametrize("name", ["lwf", "replay"])
def test_a_source_without_a_head_is_refused_in_words(name):
    with pytest.raises(WarmstartError, match="has no trained one") as refused:
        GUARDS.build({"name": name}).begin(guarded.job_for(guarded.calm()))
    assert refused.value.code == "no-head"


@pytest.mark.parametrize("name", ["lwf", "replay"])
@pytest.mark.parametrize("edit", [{"name": "mean_pool"}, {"name": "drop_layers", "keep": 2}])
def test_a_body_of_another_shape_is_refused_in_words(name, edit):
    model = EDITS.build(edit).apply(guarded.calm(), (), 0)[0]
    with pytest.raises(WarmstartError, match="edits changed the shape of the body"):
        GUARDS.build({"name": name}).begin(guarded.job_for(model, known=guarded.retained(rows=3)))


def test_adapters_leave_the_body_s_shape_as_it_was():
    model = EDITS.build({"name": "lora", "rank": 2, "alpha": 4}).apply(guarded.calm(), (), 0)[0]
    plan = worlds.plan(worlds.phase(), guards=({"name": "lwf"}, {"name": "replay"}))
    worlds.run("bert", plan, model, retained=guarded.retained(rows=3))


def test_replay_without_rows_is_refused_in_words():
    with pytest.raises(WarmstartError, match="rows that the model was made for"):
        GUARDS.build({"name": "replay"}).begin(guarded.job_for(guarded.calm(), known=guarded.retained()))
