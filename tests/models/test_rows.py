"""Rows laid end to end are computed as each alone would be: attention, whole models, gradients."""

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

import tiny_models
from warmstart.models.anatomy import anatomy_of
from warmstart.models.inputs import Ragged, TextInputs
from warmstart.models.row_attention import RowAttention, attention
from warmstart.models.rows import (
    ROUND,
    STEP,
    TILE,
    Layout,
    Sight,
    cut_points,
    row_means,
    shared_tiles,
    tile_size,
)

LENGTHS = (np.array([5, 1, 17, 17, 3]), np.array([9]), np.arange(1, 33)[::-1].copy(), np.full(7, 8))
PACKING = ("bert", "roberta", "electra", "distilbert", "modernbert", *tiny_models.CAUSAL)


SIGHTS = (Sight(), Sight(causal=True), Sight(causal=True, window=3), Sight(window=3))


def heads(layout, seed=0, counts=(3, 3, 3)):
    torch.manual_seed(seed)
    return [torch.randn(layout.size, n, 8, dtype=torch.float64, requires_grad=True) for n in counts]


def seen(length, sight):
    """Which tokens each of them looks at, written down one by one."""
    window = sight.window or length
    return torch.tensor(
        [[abs(i - j) < window and (j <= i or not sight.causal) for j in range(length)] for i in range(length)]
    )


def each_alone(q, k, v, layout, sight=SIGHTS[0]):
    """The oracle: torch's own attention, row by row."""
    rows = []
    for start, length in zip(layout.first, layout.lengths, strict=True):
        own = (x[None, start : start + length].transpose(1, 2) for x in (q, k, v))
        out = scaled_dot_product_attention(*own, attn_mask=seen(length, sight), enable_gqa=True)
        rows.append(out[0].transpose(0, 1))
    return torch.cat(rows)


@pytest.mark.parametrize("counts", [(3, 3, 3), (6, 2, 2), (4, 1, 1)], ids=str)
@pytest.mark.parametrize("sight", SIGHTS, ids=str)
@pytest.mark.parametrize("lengths", LENGTHS, ids=len)
def test_attention_is_that_of_each_row_alone_and_so_is_its_gradient(lengths, sight, counts):
    layout = Layout(lengths)
    q, k, v = heads(layout, counts=counts)
    ours, theirs = (
        attention(q, k, v, layout, 8**-0.5, 0.0, sight),
        each_alone(q, k, v, layout, sight),
    )
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


@pytest.mark.parametrize("counts", [(3, 3, 3), (6, 2, 2)], ids=str)
@pytest.mark.parametrize("lengths", (*LENGTHS, np.array([100, 7, 41, 300, 2])), ids=len)
def test_rows_that_share_a_tile_do_not_see_each_other(lengths, counts):
    layout = Layout(lengths)
    q, k, v = heads(layout, counts=counts)
    ours = RowAttention.apply(q, k, v, layout, layout.tiled, 8**-0.5, 0.0, Sight())
    theirs = each_alone(q, k, v, layout)
    torch.testing.assert_close(ours[: layout.real], theirs)
    assert not ours[layout.real :].any()
    weights = torch.randn_like(theirs)
    found = torch.autograd.grad((ours[: layout.real] * weights).sum(), (q, k, v))
    expected = torch.autograd.grad((theirs * weights).sum(), (q, k, v))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_the_gradient_of_tiles_under_dropout_is_that_of_the_same_mask():
    layout = Layout(LENGTHS[0])
    q, k, v = heads(layout, counts=(2, 1, 1))

    def same_mask(*given):
        torch.manual_seed(5)
        return RowAttention.apply(*given, layout, layout.tiled, 8**-0.5, 0.3, Sight())

    assert torch.autograd.gradcheck(same_mask, (q, k, v))


@pytest.mark.parametrize("lengths", LENGTHS, ids=len)
def test_half_precision_is_near_to_double(lengths):
    layout = Layout(lengths)
    exact = [x.detach().bfloat16().double().requires_grad_() for x in heads(layout)]
    half = [x.detach().bfloat16().requires_grad_() for x in exact]
    ours, theirs = attention(*half, layout, 8**-0.5, 0.0), each_alone(*exact, layout)
    assert ours.dtype == torch.bfloat16
    torch.testing.assert_close(ours[: layout.real].double(), theirs, atol=0.02, rtol=0.02)
    found, expected = (
        torch.autograd.grad(out[: layout.real].sum(), x) for out, x in ((ours, half), (theirs, exact))
    )
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.double(), other, atol=0.04, rtol=0.04)


def test_every_row_is_in_one_tile_that_has_room_for_it():
    lengths = np.random.default_rng(0).integers(1, 120, 200)
    tiles = shared_tiles(lengths)
    held = [row for _, shared in tiles for rows in shared for row in rows]
    assert sorted(held) == list(range(200))
    assert all(lengths[rows].sum() <= size for size, shared in tiles for rows in shared)
    assert sum(size * len(shared) for size, shared in tiles) <= 1.15 * lengths.sum()


@pytest.mark.parametrize(
    ("length", "size"), [(1, 1), (48, 1), (49, 1.5), (72, 1.5), (73, 2), (97, 3), (512, 12)]
)
def test_tiles_come_in_few_sizes(length, size):
    assert tile_size(length) == size * TILE


@pytest.mark.parametrize("sight", SIGHTS, ids=str)
def test_the_gradient_under_dropout_is_that_of_the_same_mask(sight):
    layout = Layout(LENGTHS[0])
    q, k, v = heads(layout, counts=(2, 1, 1))

    def same_mask(*given):
        torch.manual_seed(5)
        return attention(*given, layout, 8**-0.5, 0.3, sight)

    assert torch.autograd.gradcheck(same_mask, (q, k, v))
    assert not torch.equal(same_mask(q, k, v), attention(q, k, v, layout, 8**-0.5, 0.0, sight))


def test_every_row_is_in_one_bucket_and_little_is_wasted():
    lengths = np.sort(np.random.default_rng(0).integers(1, 120, 200))
    stretches = list(cut_points(lengths))
    assert [i for a, b in stretches for i in range(a, b)] == list(range(200))
    for a, b in stretches:
        assert lengths[b - 1] * (b - a) <= 1.2 * lengths[a:b].sum()
    layout = Layout(lengths)
    assert all(bucket.longest % ROUND == 0 for bucket in layout.alike.buckets)
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


POOLING = [n for n in PACKING if anatomy_of(tiny_models.make(n)).part.can_pool(tiny_models.make(n))]


@pytest.mark.parametrize("name", POOLING)
def test_with_a_layer_that_averages_rows_end_to_end_are_still_kept_apart(name):
    model = tiny_models.make(name).eval()
    anatomy_of(model).part.add_mean_layer(model)
    anatomy, inputs = anatomy_of(model), texts()
    with torch.no_grad():
        for stop in range(1, len(anatomy.groups)):
            one, other = (
                anatomy.run(rows, 0, stop) for rows in (inputs.batch(range(5)), inputs.packed(range(5)))
            )
            expected = anatomy.features(one, stop)
            torch.testing.assert_close(anatomy.features(other, stop), expected, atol=2e-5, rtol=0)


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


def language_rows(seed=0):
    source = np.random.default_rng(seed)
    return TextInputs(Ragged.of([source.integers(4, 60, n).tolist() for n in (9, 1, 22, 5, 14)]), 0)


def next_word_losses(logits_TV, ids_T):
    return torch.nn.functional.cross_entropy(logits_TV[:-1], ids_T[1:], reduction="sum")


@pytest.mark.parametrize("name", tiny_models.CAUSAL)
def test_a_language_model_scores_words_of_rows_end_to_end_as_the_model_itself_does(name):
    """Scores, losses and gradients against transformers' own forward over one row at a time."""
    model, inputs = tiny_models.make_words(name), language_rows()
    anatomy, packed = anatomy_of(model), inputs.packed(range(5))
    assert anatomy.packs and anatomy.names[-1] == "output"
    logits_TV = anatomy.logits(packed)[0]
    ids, found, expected = packed["input_ids"][0], [], []
    for start, length in zip(np.cumsum([0, 9, 1, 22, 5]), (9, 1, 22, 5, 14), strict=True):
        own = ids[start : start + length]
        theirs = model(input_ids=own[None]).logits[0]
        torch.testing.assert_close(logits_TV[start : start + length], theirs, atol=1e-5, rtol=1e-5)
        found.append(next_word_losses(logits_TV[start : start + length], own))
        expected.append(next_word_losses(theirs, own))
    torch.testing.assert_close(torch.stack(found), torch.stack(expected), atol=1e-5, rtol=1e-5)
    weights = [p for p in model.parameters() if p.requires_grad]
    ours, others = (torch.autograd.grad(torch.stack(losses).sum(), weights) for losses in (found, expected))
    for one, other in zip(ours, others, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5 * max(1.0, float(other.abs().max())), rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("name", tiny_models.CAUSAL)
def test_a_language_model_answers_padded_rows_as_its_own_forward_does(name):
    model, inputs = tiny_models.make_words(name), language_rows()
    padded = inputs.batch(range(5))
    assert torch.equal(anatomy_of(model).logits(padded), model(**padded).logits)


@torch.no_grad()
@pytest.mark.parametrize("name", tiny_models.CAUSAL)
def test_no_score_depends_on_a_neighbour_or_on_a_later_word(name):
    anatomy, inputs = anatomy_of(tiny_models.make_words(name)), language_rows()
    before = inputs.packed(range(5))
    changed = {**before, "input_ids": before["input_ids"].clone()}
    changed["input_ids"][0, 20] += 1  # the eleventh word of the third row, which begins at ten
    one, other = anatomy.logits(before)[0], anatomy.logits(changed)[0]
    assert torch.equal(one[:20], other[:20])
    assert torch.equal(one[32:51], other[32:51])
    assert not torch.allclose(one[20:22], other[20:22], atol=1e-3)
