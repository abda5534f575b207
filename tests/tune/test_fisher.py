"""The diagonal of the Fisher information is the one of the books, which other code often is not."""

import warnings
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev

import guard_worlds as guarded
import tune_worlds as worlds
from warmstart.models.anatomy import Anatomy, Group
from warmstart.tune.fisher import DRAWS, EXACT, along, diagonal, ways


def exact(model, split, rows, names):
    """The oracle: torch.func's Jacobian of log-probabilities in the padded model, summed over classes."""
    warnings.filterwarnings("ignore", "There is a performance drop")  # of attention, which has no such rule
    parameters = {n: p.detach().clone() for n, p in model.module.named_parameters()}
    found = dict.fromkeys(names, 0.0)
    for row in rows:
        given = split.inputs.batch([row])
        if "pixel_values" in given:
            given["pixel_values"] = given["pixel_values"].double()

        def log_p(chosen, given=given):
            return functional_call(model.module, parameters | chosen, (), given).logits[0].log_softmax(0)

        chosen = {n: parameters[n] for n in names}
        p_C = log_p(chosen).exp()
        for name, slope_C in jacrev(log_p)(chosen).items():
            found[name] = found[name] + torch.einsum("c,c...->...", p_C, slope_C.square()) / len(rows)
    return found


@pytest.mark.parametrize("name", ["bert", "vit", "resnet-basic"])
def test_it_is_the_mean_over_rows_and_own_answers_of_squared_gradients(name):
    model = guarded.calm(name)
    split = worlds.split(name, 6, 4, 64)
    with guarded.in_double(model):
        if name != "bert":
            split.inputs.scale, split.inputs.shift = split.inputs.scale.double(), split.inputs.shift.double()
        model.module.requires_grad_(True)
        names = [n for n in guarded.body_of(model) if "running" not in n][::5]
        expected = exact(model, split, [0, 2, 5], names)
        there = dict(model.module.named_parameters())
        found = diagonal(model.anatomy, split.inputs, [0, 2, 5], [there[n] for n in names])
    for name, f in zip(names, found, strict=True):
        assert float((f - expected[name]).abs().max()) <= 1e-6 * float(expected[name].abs().max()) + 1e-18, (
            name
        )


class Line(nn.Module):
    """Two classes with the logits 0 and w x: a logistic regression with one weight vector."""

    def __init__(self, weight):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(weight, dtype=torch.float64))
        self.config = SimpleNamespace(num_labels=2)

    def run(self, state):
        z_B = state["x"] @ self.w
        return {"logits": torch.stack([torch.zeros_like(z_B), z_B], 1)}


class Table:
    """Rows of plain numbers."""

    def __init__(self, x_ND):
        self.x_ND = torch.tensor(x_ND, dtype=torch.float64)

    def on(self, device, numbers, end_to_end):
        return {"x": self.x_ND[np.asarray(numbers)]}


def logistic(weight):
    model = Line(weight)
    return model, Anatomy(model, None, [Group("head", (model,), model.run)])


def test_of_a_logistic_regression_it_is_p_times_one_minus_p_times_x_squared():
    rows = [[1.0, -2.0], [0.5, 3.0], [-1.0, 0.0]]
    model, anatomy = logistic([0.3, -0.4])
    found = diagonal(anatomy, Table(rows), range(3), [model.w])[0]
    by_hand = [0.0, 0.0]
    for x in rows:
        p = 1 / (1 + np.exp(-(0.3 * x[0] - 0.4 * x[1])))
        for i in range(2):
            by_hand[i] += p * (1 - p) * x[i] ** 2 / 3
    assert found.tolist() == pytest.approx(by_hand, rel=1e-12)


def test_the_square_of_a_batch_s_mean_gradient_is_another_thing_that_shrinks_with_the_batch():
    """Where gradients of rows are independent with mean 0, it is 1/B of the mean square, so that no weight
    before it carries over from one batch size to another (Avalanche's EWC is made so). Over all ordered
    batches of B rows, drawn with replacement, exactly: ((B - 1) * mean^2 + mean square) / B.
    """
    source = np.random.default_rng(0)
    x_N, y_N = source.normal(size=6), np.array([0, 1, 1, 0, 1, 0])
    w = 0.0
    for _ in range(100):  # to the optimum of the loss, where the mean gradient is 0
        p_N = 1 / (1 + np.exp(-w * x_N))
        w += (x_N @ (y_N - p_N)) / (x_N**2 @ (p_N * (1 - p_N)))
    g_N = (y_N - p_N) * x_N  # of the log-likelihood, by the true labels
    empirical = np.mean(g_N**2)
    for size in (1, 2, 4):
        batches = list(product(range(6), repeat=size))
        squares = np.mean([np.mean(g_N[list(batch)]) ** 2 for batch in batches])
        assert squares == pytest.approx(empirical / size, rel=1e-9)
    model, anatomy = logistic([w])
    ours = float(diagonal(anatomy, Table(x_N[:, None]), range(6), [model.w])[0])
    assert ours == pytest.approx(float(np.mean(p_N * (1 - p_N) * x_N**2)), rel=1e-9)
    assert ours != pytest.approx(empirical, rel=1e-2)


def test_random_signs_give_in_the_mean_over_all_of_them_what_all_classes_give():
    """Of three classes there are eight rows of signs: their mean is the exact diagonal to the last digits."""
    p_C = torch.tensor([0.7, 0.25, 0.05], dtype=torch.float64)
    jacobian_CP = torch.randn(3, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    exact_P = (ways(p_C, np.random.default_rng(0)) @ jacobian_CP).square().sum(0)
    slopes_CP = jacobian_CP - p_C @ jacobian_CP  # of log p_c
    assert torch.allclose(exact_P, p_C @ slopes_CP.square(), rtol=1e-12)
    signs_SC = torch.tensor(list(product((-1.0, 1.0), repeat=3)), dtype=torch.float64)
    estimates_SP = (along(p_C, signs_SC) @ jacobian_CP).square()
    assert torch.allclose(estimates_SP.mean(0), exact_P, rtol=1e-12)


def test_many_classes_take_a_few_directions_whose_squares_add_up_to_the_right_mean():
    classes, rows = EXACT + 8, 400
    p_C = torch.randn(classes, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).softmax(0)
    jacobian_CP = torch.randn(classes, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    found = [ways(p_C, np.random.default_rng(row)) for row in range(rows)]
    assert found[0].shape == (DRAWS, classes)
    estimate_P = torch.stack([(way @ jacobian_CP).square().sum(0) for way in found]).mean(0)
    exact_P = p_C @ (jacobian_CP - p_C @ jacobian_CP).square()
    assert torch.allclose(estimate_P, exact_P, rtol=5 * (2 / (DRAWS * rows)) ** 0.5)  # five standard errors


def test_asking_leaves_gradients_modes_and_what_learns_as_they_were():
    model = guarded.calm()
    model.anatomy.set_learning(("top:1",), "frozen")
    modes = [m.training for m in model.module.modules()]
    learning = [p.requires_grad for p in model.module.parameters()]
    diagonal(model.anatomy, worlds.split("bert", 3, 1).inputs, [0], list(model.module.parameters()))
    assert [m.training for m in model.module.modules()] == modes
    assert [p.requires_grad for p in model.module.parameters()] == learning
    assert all(p.grad is None for p in model.module.parameters())
