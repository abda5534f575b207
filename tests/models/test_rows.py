"""Rows laid end to end are computed as each alone would be: attention, whole models, gradients."""

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

import tiny_models
from warmstart.models.anatomy import anatomy_of
from warmstart.models.inputs import Ragged, TextInputs
from warmstart.models.row_attention import attention
from warmstart.models.rows import ROUND, STEP, Layout, cut_points, row_means

LENGTHS = (np.array([5, 1, 17, 17, 3]), np.array([9]), np.arange(1, 33)[::-1].copy(), np.full(7, 8))
PACKING = ("bert", "roberta", "electra", "distilbert")


def heads(layout, seed=0):
    torch.manual_seed(seed)
    return [torch.randn(layout.size, 3, 8, dtype=torch.float64, requires_grad=True) for _ in range(3)]


def each_alone(q, k, v, layout):
    """The oracle: torch's own attention, row by row."""
    rows = []
    for start, length in zip(layout.first, layout.lengths, strict=True):
        own = (x[start : start + length].transpose(0, 1) for x in (q, k, v))
        rows.append(scaled_dot_product_attention(*own).transpose(0, 1))
    return torch.cat(rows)


@pytest.mark.parametrize("lengths", LENGTHS, ids=len)
def test_attention_is_that_of_each_row_alone_and_so_is_its_gradient(lengths):
    layout = Layout(lengths)
    q, k, v = heads(layout)
    ours, theirs = attention(q, k, v, layout, 8**-0.5, 0.0), each_alone(q, k, v, layout)
    torch.testing.assert_close(ours[: layout.real], theirs)
    assert not ours[layout.real :].any()
    weights = torch.randn_like(theirs)
    found = torch.autograd.grad((ours[: layout.real] * weights).sum(), (q, k, v))
    expected = torch.autograd.grad((theirs * weights).sum(), (q, k, v))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("lengths", LENGTHS, ids=len)
def test_first_tokens_alone_are_those_of_the_whole(lengths):
    layout = Layout(lengths)
    q, k, v = heads(layout)
    brief = attention(q.index_select(0, layout.starts), k, v, layout, 8**-0.5, 0.0)
    whole = each_alone(q, k, v, layout).index_select(0, layout.starts)
    torch.testing.assert_close(brief, whole)
    weights = torch.randn_like(whole)
    found = torch.autograd.grad((brief * weights).sum(), (q, k, v))
    expected = torch.autograd.grad((whole * weights).sum(), (q, k, v))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_the_gradient_under_dropout_is_that_of_the_same_mask():
    layout = Layout(LENGTHS[0])
    q, k, v = heads(layout)

    def same_mask(*given):
        torch.manual_seed(5)
        return attention(*given, layout, 8**-0.5, 0.3)

    assert torch.autograd.gradcheck(same_mask, (q, k, v))
    assert not torch.equal(same_mask(q, k, v), attention(q, k, v, layout, 8**-0.5, 0.0))


def test_every_row_is_in_one_bucket_and_little_is_wasted():
    lengths = np.sort(np.random.default_rng(0).integers(1, 120, 200))
    stretches = list(cut_points(lengths))
    assert [i for a, b in stretches for i in range(a, b)] == list(range(200))
    for a, b in stretches:
        assert lengths[b - 1] * (b - a) <= 1.2 * lengths[a:b].sum()
    layout = Layout(lengths)
    assert all(bucket.longest % ROUND == 0 for bucket in layout.buckets)
    assert layout.size % STEP == 0 and 0 <= layout.size - layout.real < STEP


def test_means_leave_the_tail_out():
    layout = Layout(np.array([2, 3]))
    x_TD = torch.full((layout.size, 1), 1e9)
    x_TD[:5, 0] = torch.tensor([1.0, 3, 6, 6, 9])
    torch.testing.assert_close(row_means(x_TD, layout), torch.tensor([[2.0], [7.0]]))


def texts(seed=0):
    source = np.random.default_rng(seed)
    return TextInputs(Ragged.of([[2, *source.integers(4, 60, n), 3] for n in (7, 1, 20, 3, 12)]), 0)


@pytest.mark.parametrize("name", PACKING)
def test_a_model_answers_rows_end_to_end_as_padded_ones_group_by_group(name):
    anatomy, inputs = anatomy_of(tiny_models.make(name).eval()), texts()
    assert anatomy.packs
    rows = range(5)
    with torch.no_grad():
        padded, packed = inputs.batch(rows), inputs.packed(rows)
        for stop in range(1, len(anatomy.groups) + 1):
            one, other = anatomy.run(padded, 0, stop), anatomy.run(packed, 0, stop)
            if "hidden" in one and stop < len(anatomy.groups) - 1:
                real = one["hidden"][padded["attention_mask"].bool()]
                torch.testing.assert_close(other["hidden"][0, : len(real)], real, atol=1e-5, rtol=0)
        torch.testing.assert_close(other["logits"], one["logits"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", PACKING)
def test_the_gradients_of_rows_end_to_end_are_those_of_padded_ones(name):
    model = tiny_models.make(name).eval()  # no dropout
    anatomy, inputs = anatomy_of(model), texts()
    found = []
    for state in (inputs.batch(range(5)), inputs.packed(range(5))):
        model.zero_grad()
        anatomy.logits(state).square().sum().backward()
        found.append({n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys()
    for parameter, gradient in found[0].items():
        torch.testing.assert_close(found[1][parameter], gradient, atol=2e-5, rtol=1e-4, msg=parameter)


def test_a_model_is_left_with_its_own_attention():
    model = tiny_models.make("bert").eval()
    before = model.config._attn_implementation
    anatomy_of(model).logits(texts().packed(range(5)))
    assert model.config._attn_implementation == before
