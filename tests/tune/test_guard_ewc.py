"""EWC: each weight is held by what the old answers owe to it."""

import pytest
import torch
from test_fisher import exact

import guard_worlds as guarded
import tune_worlds as worlds
from warmstart.adapt.edits import EDITS
from warmstart.base.errors import WarmstartError
from warmstart.tune.fisher import diagonal
from warmstart.tune.guards import GUARDS


def total(fisher):
    return sum(float(f.double().sum()) for f in fisher.values()) / sum(f.numel() for f in fisher.values())


def test_the_penalty_is_half_the_weight_times_information_of_mean_one_times_squared_distances():
    """The oracle: torch.func in the model itself in double precision, its own mean, and a sum in the test."""
    known = guarded.retained(rows=4)
    names = list(guarded.body_of(guarded.calm()))
    oracle = guarded.source()
    with guarded.in_double(oracle):
        fisher = exact(oracle, known.split, range(4), names)
    mean = total(fisher)
    model = guarded.calm()
    guard, job = guarded.begun(model, {"name": "ewc", "weight": 0.6}, known=known)
    start = worlds.state(model)
    assert guard.penalty(job).item() == 0
    guarded.moved(model)
    body = guarded.body_of(model)
    distances = {n: p.detach().double() - start[n].double() for n, p in body.items()}
    expected = sum(float((fisher[n] / mean * d.square()).sum()) for n, d in distances.items()) * 0.3
    penalty = guard.penalty(job)
    assert penalty.item() == pytest.approx(expected, rel=1e-5)
    penalty.backward()
    for name, parameter in body.items():
        slope = 0.6 * fisher[name] / mean * distances[name]
        assert torch.allclose(parameter.grad.double(), slope, rtol=1e-4, atol=1e-6), name
    assert total(guard.fisher) == pytest.approx(1, rel=1e-6)
    assert model.module.classifier.weight.grad is None


def test_without_rows_to_remember_the_source_is_asked_about_the_training_rows():
    guard, job = guarded.begun(guarded.calm(), {"name": "ewc"}, known=guarded.retained())
    other = guarded.source()
    rows = job.splits["train"].inputs
    names = list(guard.fisher)
    there = dict(other.module.named_parameters())
    found = dict(
        zip(names, diagonal(other.anatomy, rows, range(len(rows)), [there[n] for n in names]), strict=True)
    )
    mean = total(found)
    for name, f in found.items():
        assert torch.allclose(guard.fisher[name], f / mean, rtol=1e-5, atol=1e-7), name


def test_a_source_without_a_head_is_asked_through_a_linear_probe_and_that_is_told():
    """The fresh head itself says nothing; it is afterwards what it was."""
    model = EDITS.build({"name": "new_head"}).apply(guarded.calm(), ("a", "b", "c"), 0)[0]
    before, told = worlds.state(model), []
    job, guard = guarded.job_for(model), GUARDS.build({"name": "ewc"})
    job.tell = told.append
    guard.begin(job)
    guard.enter(job)
    assert worlds.equal(worlds.state(model), before)
    assert "weights are held for the new classes" in told[0]["what"]
    solved = worlds.plan(worlds.phase(("head",), solver="logistic"))
    probed, _ = worlds.run("bert", solved, EDITS.build({"name": "new_head"}).apply(
        guarded.calm(), ("a", "b", "c"), 0)[0])  # fmt: skip
    there = dict(probed.module.named_parameters())
    rows = job.splits["train"].inputs
    names = list(guard.fisher)
    expected = diagonal(probed.anatomy, rows, range(len(rows)), [there[n] for n in names])
    mean = total(dict(zip(names, expected, strict=True)))
    for name, f in zip(names, expected, strict=True):
        assert torch.allclose(guard.fisher[name], f / mean, rtol=1e-4, atol=1e-6), name


def test_a_phase_of_the_head_alone_is_waited_for():
    model = guarded.calm()
    guard, job = guarded.begun(model, {"name": "ewc"}, worlds.phase(("head",)), worlds.phase())
    assert not guard.fisher
    assert guard.penalty(job) is None
    job.phase = 1
    guard.enter(job)
    assert guard.fisher


def test_many_rows_are_sampled_and_many_classes_told():
    told = []
    known = guarded.retained(rows=6)
    known.source.model.config.num_labels = (
        40  # of which the head shows five; what is told hangs on this alone
    )
    job, guard = guarded.job_for(guarded.calm(), known=known), GUARDS.build({"name": "ewc", "rows": 2})
    job.tell = told.append
    guard.begin(job)
    guard.enter(job)
    assert "estimated, by random signs" in told[0]["what"]
    assert total(guard.fisher) == pytest.approx(1, rel=1e-6)


def test_what_the_old_answers_hang_on_moves_least():
    """Weights of the same tensor: the half that matters more has moved less, beside a training without."""
    known = guarded.retained(rows=6)
    phase = worlds.phase(lr=3e-3, epochs=6)
    start = worlds.state(guarded.calm())
    moves = []
    for guards in ((), ({"name": "ewc", "weight": 3000.0},)):
        plan = worlds.plan(phase, guards=guards)
        model, _ = worlds.run("bert", plan, guarded.calm(), retained=known)
        moves.append({n: (t - start[n]).abs() for n, t in worlds.state(model).items()})
    guard, _ = guarded.begun(guarded.calm(), {"name": "ewc"}, known=known)
    name = "bert.encoder.layer.0.output.dense.weight"
    matters = guard.fisher[name] > guard.fisher[name].median()
    shares = [float(m[name][matters].mean() / m[name][~matters].mean()) for m in moves]
    assert shares[1] < 0.8 * shares[0]


def test_answers_that_hang_on_nothing_are_refused():
    known = guarded.retained(rows=3)
    with torch.no_grad():
        known.source.head()[1].weight.zero_()
    with pytest.raises(WarmstartError, match="do not hang on any weight"):
        guarded.begun(guarded.calm(), {"name": "ewc"}, known=known)
