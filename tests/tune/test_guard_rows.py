"""What guards make of rows: softened labels, mixed pictures, weights."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import guard_worlds as guarded
import tune_worlds as worlds
from warmstart.adapt.edits import EDITS
from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import generator
from warmstart.models.features import before_head
from warmstart.tasks import TASKS
from warmstart.tune.batch import loss_of
from warmstart.tune.check import check_guards
from warmstart.tune.guards import GUARDS


def logits_of(job, batch):
    with torch.no_grad():
        return job.anatomy.logits(batch.state, batch.start)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_smoothed_labels_have_the_loss_that_torch_has_for_them(share):
    guard, job = guarded.begun(guarded.calm(), {"name": "label_smoothing", "share": share})
    batch = guarded.batch_of(job)
    loss, answers = loss_of(job, [guard], batch)
    expected = cross_entropy(
        logits_of(job, batch), batch.targets, reduction="sum", label_smoothing=share
    )  # fmt: skip
    assert answers == len(batch.rows)
    assert loss.item() == pytest.approx(float(expected), rel=1e-6)


def test_labels_that_are_mixed_can_be_smoothed_and_still_add_up():
    mixup, job = guarded.begun(guarded.calm("resnet-basic"), {"name": "mixup", "alpha": 1.0})
    smoothing = GUARDS.build({"name": "label_smoothing", "share": 0.2})
    for guards in ((mixup, smoothing), (smoothing, mixup)):
        batch = guarded.batch_of(job)
        for guard in guards:
            batch = guard.change(job, batch)
        assert torch.allclose(batch.targets.sum(1), torch.ones(5))
        assert float(batch.targets.min()) >= 0.2 / 3 - 1e-6


@pytest.mark.parametrize("start", [0, 2, 3])
def test_mixed_rows_lie_between_two_with_a_loss_between_theirs(start):
    """The oracle: share and partners from the same stream, two plain losses of the mixed rows by torch."""
    guard, job = guarded.begun(guarded.calm("resnet-basic"), {"name": "mixup", "alpha": 1.0})
    job.epoch, job.step = 1, 2
    batch = guarded.batch_of(job, start=start)
    random = generator(3, "mixup", 0, 1, 2, 0)
    share, order = random.beta(1.0, 1.0), random.permutation(5)
    changed = guard.change(job, batch)
    name = next(iter(batch.state))
    rows = batch.state[name].double()
    expected = share * rows + (1 - share) * rows[order]
    assert float((changed.state[name] - expected).abs().max()) < 1e-6 * float(rows.abs().max())
    logits = job.anatomy.logits({name: expected.float()}, start).double()
    pairs = [cross_entropy(logits, y, reduction="sum") for y in (batch.targets, batch.targets[order])]
    loss, answers = loss_of(job, [guard], batch)
    assert answers == 5
    assert loss.item() == pytest.approx((share * pairs[0] + (1 - share) * pairs[1]).item(), rel=1e-5)


def test_shares_are_drawn_from_the_beta_distribution_and_partners_are_others_in_each_step():
    """Read off the labels that come out, of rows whose partner has another class."""
    guard, job = guarded.begun(guarded.calm("resnet-basic"), {"name": "mixup", "alpha": 0.4})
    targets = job.splits["train"].targets
    rows = [int((targets == c).nonzero()[0]) for c in range(3)]
    batch, shares, partners = guarded.batch_of(job, rows), [], set()
    for job.step in range(900):
        mixed = guard.change(job, batch).targets
        if (others := (mixed.gather(1, batch.targets[:, None]) < 1).flatten()).any():
            row = int(others.nonzero()[0])
            shares.append(float(mixed[row, batch.targets[row]]))
            partners.add(
                (row, int(mixed[row].masked_fill(torch.arange(3) == batch.targets[row], 0).argmax()))
            )
    assert len(shares) > 600
    assert np.mean(shares) == pytest.approx(0.5, abs=0.05)
    assert np.var(shares) == pytest.approx(1 / (4 * (2 * 0.4 + 1)), abs=0.015)  # of Beta(a, a)
    assert len(partners) >= 3


def test_words_are_not_mixed_and_that_is_said():
    with pytest.raises(WarmstartError, match="nothing between two words") as refused:
        GUARDS.build({"name": "mixup"}).begin(guarded.job_for(guarded.calm()))
    assert refused.value.code == "wrong-guard"


@pytest.mark.parametrize("other", ["lwf", "flow"])
def test_rows_that_are_mixed_are_not_those_that_another_guard_knows(other):
    plan = worlds.plan(worlds.phase(), guards=({"name": "mixup"}, {"name": other}))
    with pytest.raises(WarmstartError, match=f"'mixup' makes new rows out of several, and '{other}'"):
        worlds.run("resnet-basic", plan, retained=guarded.retained("resnet-basic"))


@pytest.mark.parametrize("name", [n for n in GUARDS.names() if n != "early_stop"])
def test_a_guard_of_classes_is_refused_for_words_and_the_others_are_not(name):
    of_classes = {"label_smoothing", "mixup", "bss", "r3f", "flow", "lwf", "replay", "ewc"}
    guard, chat = GUARDS.build({"name": name}), TASKS.get("chat")()
    refused = pytest.raises(WarmstartError, match="about the loss of classes")
    with refused if name in of_classes else nullcontext():
        check_guards([guard], chat)


def own_losses(model, split):
    """N: what the padded model loses on each row, in double precision."""
    with torch.no_grad():
        logits = model.module.eval()(**split.inputs.batch(range(len(split)))).logits.double()
    return cross_entropy(logits, split.targets, reduction="none").numpy()


@pytest.mark.parametrize("name", ["bert", "resnet-basic"])
def test_rows_weigh_by_their_loss_at_the_start_over_the_median(name):
    model = guarded.calm(name)
    split = worlds.splits(name)["train"]
    losses_N = own_losses(model, split)
    guard, job = guarded.begun(model, {"name": "flow"})
    guarded.moved(model)
    batch = guarded.batch_of(job)
    weights_B = np.exp(-losses_N[batch.rows] / np.median(losses_N))
    assert np.allclose(guard.change(job, batch).weights_B.numpy(), weights_B, rtol=1e-6)
    now_B = cross_entropy(logits_of(job, batch).double(), batch.targets, reduction="none").numpy()
    loss, answers = loss_of(job, [guard], batch)
    assert answers == 5  # the mean is over rows
    assert loss.item() == pytest.approx(float(now_B @ weights_B), rel=1e-5)


def test_until_the_body_learns_rows_weigh_alike_and_the_start_is_asked_once():
    model = guarded.calm()
    guard, job = guarded.begun(
        model, {"name": "flow"}, worlds.phase(("head",)), worlds.phase(), worlds.phase()
    )
    batch = guarded.batch_of(job)
    assert guard.change(job, batch) is batch
    job.phase = 1
    guard.enter(job)
    first = guard.losses_N
    guarded.moved(model)
    job.phase = 2
    guard.enter(job)
    assert guard.losses_N is first
    again = GUARDS.build({"name": "flow"})
    again.restore(*guard.state())
    again.enter(job)
    assert torch.equal(again.losses_N, first)


def test_a_fresh_head_is_asked_as_the_linear_probe_that_it_could_be():
    labels = ("a", "b", "c")
    model = EDITS.build({"name": "new_head"}).apply(guarded.calm(), labels, 0)[0]
    before = worlds.state(model)
    guard, job = guarded.begun(model, {"name": "flow"})
    assert worlds.equal(worlds.state(model), before)
    features, split = before_head(model.anatomy, job.splits["train"].inputs), job.splits["train"]
    solved = worlds.plan(worlds.phase(("head",), solver="logistic"))
    probe, _ = worlds.run(
        "bert", solved, EDITS.build({"name": "new_head"}).apply(guarded.calm(), labels, 0)[0]
    )
    linear = probe.module.classifier
    logits = features.double() @ linear.weight.detach().double().T + linear.bias.detach().double()
    expected = cross_entropy(logits, split.targets, reduction="none")
    assert torch.allclose(guard.losses_N, expected, atol=1e-5)


def test_two_guards_that_weigh_and_soften_go_together():
    guards, job = [], None
    for name in ("flow", "label_smoothing"):
        guard, job = guarded.begun(guarded.calm(), {"name": name})
        guards.append(guard)
    batch = guarded.batch_of(job)
    each_B = cross_entropy(logits_of(job, batch), batch.targets, reduction="none", label_smoothing=0.1)
    weights_B = guards[0].change(job, batch).weights_B
    for order in (guards, guards[::-1]):
        assert loss_of(job, order, batch)[0].item() == pytest.approx(float(each_B @ weights_B), rel=1e-6)
