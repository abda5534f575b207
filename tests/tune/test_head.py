"""The solved head is the solution: the same as scikit-learn's, folded into plain weights."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import tune_worlds as worlds
from warmstart.base.errors import WarmstartError
from warmstart.models import softmax
from warmstart.models.features import before_head
from warmstart.tune import head
from warmstart.tune.head import STRENGTHS, solve_head
from warmstart.tune.loop import Keeping


def rows(count, classes, seed=0, width=12, noise=2.0, kept=None):
    """Features of very different scales; `kept` are the classes that occur."""
    source = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(classes, width))
    y = source.choice(kept if kept is not None else classes, size=count)
    x = (centres[y] + noise * source.normal(size=(count, width))) * np.logspace(-3, 3, width) + 50
    return torch.from_numpy(x).float(), torch.from_numpy(y)


def solved(train, validation, classes):
    linear = nn.Linear(train[0].shape[1], classes)
    return linear, solve_head(linear, train, validation, classes)


@torch.no_grad()
def probabilities(linear, x):
    return (x.double() @ linear.weight.double().T + linear.bias.double()).softmax(1).numpy()


def oracle(train, strength):
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=10_000, tol=1e-8))
    return model.fit(train[0].double().numpy(), train[1].numpy())


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_the_head_says_what_scikit_learn_says(classes):
    train, validation, fresh = (rows(n, classes, seed) for n, seed in ((150, 1), (80, 2), (500, 3)))
    linear, found = solved(train, validation, classes)
    expected = oracle(train, found["strength"])
    said = probabilities(linear, fresh[0])
    assert np.allclose(said, expected.predict_proba(fresh[0].double().numpy()), atol=2e-4)
    agree = said.argmax(1) == expected.predict(fresh[0].double().numpy())
    assert agree.mean() > 0.995
    assert found["converged"]


@pytest.mark.parametrize("classes", [2, 5])
def test_the_strength_is_the_one_that_validation_rows_prefer(classes):
    train, validation = rows(60, classes, 1), rows(200, classes, 2)
    linear, found = solved(train, validation, classes)
    x = validation[0].double().numpy()
    losses = {c: log_loss(validation[1], oracle(train, c).predict_proba(x)) for c in STRENGTHS}
    assert found["strength"] == min(losses, key=losses.get)
    assert found["validation_loss"] == pytest.approx(losses[found["strength"]], abs=2e-3)
    assert log_loss(validation[1], probabilities(linear, validation[0])) == pytest.approx(
        found["validation_loss"], abs=1e-4
    )


@pytest.mark.parametrize("kept", [[0, 2], [1, 3, 4], [2]])
def test_classes_that_no_training_row_has_are_never_said_and_break_nothing(kept):
    train, validation = rows(60, 5, 1, kept=kept), rows(40, 5, 2)
    linear, found = solved(train, validation, 5)
    said = probabilities(linear, validation[0])
    assert set(said.argmax(1)) <= set(kept)
    assert np.isfinite(found["validation_loss"])
    assert np.isfinite(linear.weight.detach().numpy()).all()
    unseen = [c for c in range(5) if c not in kept]
    assert said[:, unseen].max() < 1e-4
    if len(kept) == 2:
        inside = oracle(train, found["strength"]).predict_proba(validation[0].double().numpy())
        assert np.allclose(said[:, kept], inside, atol=2e-3)


def test_features_that_never_change_break_nothing():
    train, validation = rows(60, 3, 1), rows(40, 3, 2)
    for x, _ in (train, validation):
        x[:, 3] = 7.0
        x[:, 5] = 0.0
    linear, _ = solved(train, validation, 3)
    assert torch.isfinite(linear.weight).all()
    assert np.allclose(probabilities(linear, validation[0]).sum(1), 1)
    same = torch.ones(10, 4), torch.arange(10) % 3
    linear, found = solved(same, same, 3)
    assert found["validation_loss"] == pytest.approx(np.log(3), abs=0.02)


def test_a_search_that_is_not_at_its_end_is_told_and_warns_nobody(monkeypatch):
    monkeypatch.setattr(softmax, "ITERATIONS", 2)
    train, validation = rows(100, 4, 1), rows(40, 4, 2)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        _, found = solved(train, validation, 4)
    assert [str(w.message) for w in seen] == []
    assert found["converged"] is False


def test_features_that_are_not_finite_are_refused():
    train, validation = rows(30, 3, 1), rows(30, 3, 2)
    train[0][4, 2] = float("nan")
    with pytest.raises(WarmstartError) as caught:
        solved(train, validation, 3)
    assert caught.value.code == "not-finite"


def test_starting_from_the_solution_before_changes_no_solution():
    """Warm starts along the path of strengths end where cold ones do."""
    train = rows(150, 4, 1)
    x = train[0].double()
    z = ((x - x.mean(0)) / x.std(0, unbiased=False)).numpy()
    for strength, weight, bias, _ in head.path(z, train[1].numpy(), 4, STRENGTHS):
        cold = LogisticRegression(C=strength, max_iter=10_000, tol=1e-8).fit(z, train[1].numpy())
        said = torch.from_numpy(z) @ weight.T + bias
        assert np.allclose(said.softmax(1), cold.predict_proba(z), atol=1e-3)


@pytest.mark.parametrize("leave", [0.3, 0.6, 0.9])
def test_a_head_that_leaves_something_to_learn_leaves_about_that_share_of_the_loss(leave):
    train, validation = rows(300, 4, 1, noise=0.6), rows(80, 4, 2, noise=0.6)
    linear = nn.Linear(12, 4)
    found = solve_head(linear, train, validation, 4, leave)
    shares = np.bincount(train[1]) / 300
    left = log_loss(train[1], probabilities(linear, train[0])) / -(shares * np.log(shares)).sum()
    assert left == pytest.approx(leave, abs=0.15)
    others = [solve_head(nn.Linear(12, 4), train, validation, 4, x)["strength"] for x in (0.2, 0.95)]
    assert others[1] <= found["strength"] <= others[0]


@pytest.mark.parametrize("name", ["bert", "resnet-basic", "vit", "modernbert"])
def test_a_phase_solves_the_head_of_a_model(name, tmp_path):
    size = 32 if name == "resnet-basic" else 64
    data = worlds.splits(name, train=60, validation=30, size=size)
    plan = worlds.plan(worlds.phase(("head",), solver="logistic"))
    told = []
    model, trained = worlds.run(name, plan, keeping=Keeping(tmp_path), data=data, tell=told.append)
    (event,) = [e for e in told if e["event"] == "solved"]
    train, validation = (before_head(model.anatomy, data[n].inputs) for n in ("train", "validation"))
    expected = oracle((train, data["train"].targets), event["strength"])
    said = probabilities(model.anatomy.head()[1], validation)
    assert np.allclose(said, expected.predict_proba(validation.double().numpy()), atol=5e-3)
    first, last = trained.history
    assert last["validation_loss"] == pytest.approx(event["validation_loss"], abs=1e-4)
    assert last["train_loss"] < first["validation_loss"]
    assert trained.steps == 1
    assert trained.proofs["frozen_unmoved"]


@pytest.mark.parametrize("learn", [("*",), ("top:1",)])
def test_what_is_no_linear_head_alone_cannot_be_solved(learn):
    with pytest.raises(WarmstartError) as caught:
        worlds.run("bert", worlds.plan(worlds.phase(learn, solver="logistic")))
    assert caught.value.code == "no-linear-head"


def test_a_phase_solves_the_head_of_a_decoder_which_has_no_biases(tmp_path):
    data = worlds.splits("llama", train=60, validation=30)
    plan = worlds.plan(worlds.phase(("head",), solver="logistic"))
    model, trained = worlds.run("llama", plan, keeping=Keeping(tmp_path), data=data)
    x_ND = before_head(model.anatomy, data["train"].inputs)
    before = worlds.pretrained("llama").anatomy.head()[1].weight
    after = model.anatomy.head()[1].weight
    assert model.anatomy.head()[1].bias is None
    assert not torch.allclose(before, after)
    loss = nn.functional.cross_entropy(x_ND @ after.detach().T, data["train"].targets)
    assert trained.history[-1]["train_loss"] == pytest.approx(float(loss), abs=1e-4)
    assert trained.proofs["frozen_unmoved"]


@pytest.mark.parametrize("classes", [2, 5])
def test_a_head_without_biases_says_what_scikit_learn_says_without_an_intercept(classes):
    train, validation, fresh = (rows(n, classes, seed) for n, seed in ((150, 1), (80, 2), (500, 3)))
    linear = nn.Linear(train[0].shape[1], classes, bias=False)
    found = solve_head(linear, train, validation, classes)
    sizes_D = train[0].double().square().mean(0).sqrt().numpy()
    model = LogisticRegression(C=found["strength"], fit_intercept=False, max_iter=100_000, tol=1e-10)
    model.fit(train[0].double().numpy() / sizes_D, train[1].numpy())
    expected = model.predict_proba(fresh[0].double().numpy() / sizes_D)
    said = (fresh[0].double() @ linear.weight.detach().double().T).softmax(1).numpy()
    assert np.allclose(said, expected, atol=2e-4)
    assert expected.max(1).std() > 0.01


def test_a_head_without_biases_never_says_a_class_that_no_training_row_has():
    train, validation = rows(60, 5, 1, kept=[1, 3, 4]), rows(40, 5, 2)
    linear = nn.Linear(train[0].shape[1], 5, bias=False)
    found = solve_head(linear, train, validation, 5)
    said = (validation[0].double() @ linear.weight.detach().double().T).softmax(1).numpy()
    assert set(said.argmax(1)) <= {1, 3, 4}
    assert np.isfinite(found["validation_loss"])


@torch.no_grad()
def test_the_loss_that_is_left_is_the_one_that_dropout_will_show():
    """Features that hardly vary about a large mean: a head that fits them is undone by hiding a tenth."""
    source = np.random.default_rng(0)
    y = torch.arange(200) % 2
    x = torch.from_numpy(3.0 + 0.02 * source.normal(size=(200, 16)) + 0.03 * y[:, None].numpy()).float()
    losses = {}
    for rate in (0.0, 0.1):
        linear = nn.Linear(16, 2)
        solve_head(linear, (x, y), (x, y), 2, leave=0.5, dropout=rate)
        hidden = torch.nn.functional.dropout(x.repeat(50, 1), 0.1, training=True)
        losses[rate] = float(nn.functional.cross_entropy(linear(hidden), y.repeat(50)))
    assert losses[0.0] > 2 * np.log(2)
    assert losses[0.1] < 1.2 * np.log(2)
