"""A new head: as many outputs as classes, rows of known classes kept, nothing else moved."""

from dataclasses import replace

import pytest
import torch
from adapt_models import CLASSES, IMAGE, TEXT, logits, logits_by_anatomy, reloaded, tiny
from hypothesis import given
from hypothesis import strategies as st

from warmstart.adapt.edits._labels import match, parts, plain
from warmstart.adapt.edits.new_head import NewHead
from warmstart.base.errors import WarmstartError

KINDS = (*TEXT, *IMAGE)
OTHERS = ("apple", "pear", "plum", "quince")


def with_head(kind, labels, seed=0, known=CLASSES):
    return NewHead().apply(tiny(kind, known), labels, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_the_head_fits_the_classes_and_the_body_is_untouched(kind):
    changed, note = with_head(kind, OTHERS)
    before, after = tiny(kind).module.state_dict(), changed.module.state_dict()
    path, head = changed.anatomy.head()
    assert logits(changed).shape == (4, 4)
    assert torch.equal(logits(changed), logits_by_anatomy(changed))
    assert changed.labels == OTHERS
    assert before.keys() == after.keys()
    changed_names = {n for n in after if not torch.equal(before[n], after[n])}
    assert changed_names == {f"{path}.{n}" for n, _ in head.named_parameters()}
    assert note == "new_head: 3 classes replaced by 4, all of them fresh"


@pytest.mark.parametrize("kind", ["bert", "electra", "gpt2", "resnet", "poolformer"])
def test_the_saved_model_loads_with_the_new_classes(kind, tmp_path):
    changed, _ = with_head(kind, ("a", "cat", "b", "ü"))
    again = reloaded(changed, tmp_path)
    assert again.labels == ("a", "cat", "b", "ü")
    assert again.module.config.label2id == {"a": 0, "cat": 1, "b": 2, "ü": 3}
    assert torch.allclose(logits(again), logits(changed), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_known_classes_keep_their_answers(kind):
    before = logits(tiny(kind))
    changed, note = with_head(kind, ("apple", "dog", "Bird ", "pear"))
    after = logits(changed)
    assert torch.allclose(after[:, 1], before[:, 2], atol=1e-6)
    assert torch.allclose(after[:, 2], before[:, 0], atol=1e-6)
    assert note == "new_head: 3 classes replaced by 4, 2 of them kept by name"


def test_the_same_classes_in_another_order_are_only_reordered():
    changed, _ = with_head("bert", ("dog", "bird", "cat"))
    assert torch.allclose(logits(changed), logits(tiny("bert"))[:, [2, 0, 1]], atol=1e-6)


def test_the_same_classes_in_the_same_order_keep_the_head_but_take_the_users_names():
    before = tiny("bert")
    head = before.anatomy.head()[1]
    changed, note = NewHead().apply(before, ("Bird", "CAT", "dog"), 0)
    assert changed.anatomy.head()[1] is head
    assert changed.module.config.id2label == {0: "Bird", 1: "CAT", 2: "dog"}
    assert changed.labels == ("Bird", "CAT", "dog")
    assert "stays as it is" in note


def test_a_part_of_the_classes_in_order_is_not_the_same_head():
    changed, _ = with_head("bert", CLASSES[:2])
    assert torch.allclose(logits(changed), logits(tiny("bert"))[:, :2], atol=1e-6)


@pytest.mark.parametrize("known", [(), ("x", "y", "z")])
def test_as_many_classes_of_other_names_never_reuse_the_old_head(known):
    model = replace(tiny("bert"), labels=known)
    old = model.anatomy.head()[1].weight.detach().clone()
    changed, _ = NewHead().apply(model, CLASSES, 0)
    new = changed.anatomy.head()[1].weight.detach()
    assert new.shape == old.shape
    assert not (new == old).any()


def test_fresh_rows_are_small_even_and_come_from_the_seed_alone():
    labels = tuple(f"class {i}" for i in range(300))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, second, other = (with_head("bert", labels, seed)[0].anatomy.head()[1] for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.weight, second.weight)
    assert not torch.equal(first.weight, other.weight)
    assert abs(first.weight.mean().item()) < 0.001
    assert first.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert first.bias.abs().max() == 0


def test_the_new_head_keeps_type_and_mode():
    model = tiny("bert")
    model.module.double().train()
    changed, _ = NewHead().apply(model, OTHERS, 0)
    head = changed.anatomy.head()[1]
    assert head.weight.dtype == torch.float64
    assert head.training


def test_a_model_whose_scores_come_from_elsewhere_is_refused():
    model = tiny("bert")
    model.module.config.id2label = dict(enumerate("abcde"))
    with pytest.raises(WarmstartError, match="no linear layer that gives its 5 class scores"):
        NewHead().apply(model, OTHERS, 0)


@pytest.mark.parametrize(
    ("new", "old", "wanted"),
    [
        (("cat", "dog"), ("dog", "cat"), {0: 1, 1: 0}),
        ((" Cat", "DOG\n"), ("dog", "cat"), {0: 1, 1: 0}),
        (("golden_retriever",), ("golden retriever", "poodle"), {0: 0}),
        (("tench",), ("tench, Tinca tinca", "goldfish, Carassius auratus"), {0: 0}),
        (("tinca tinca", "Goldfish"), ("tench, Tinca tinca", "goldfish, Carassius auratus"), {0: 0, 1: 1}),
        (("tench, Tinca tinca",), ("tench", "tench, Tinca tinca"), {0: 1}),
        (("tench",), ("tench", "tench, Tinca tinca"), {0: 0}),
        (("crane",), ("crane", "crane"), {}),
        (("crane",), ("crane, bird", "crane, machine"), {}),
        (("tench", "tinca tinca"), ("tench, Tinca tinca",), {}),
        (("cat",), ("wildcat", "catamaran"), {}),
        (("",), (",", "a,,b"), {}),
        (("cat",), (), {}),
        ((), ("cat",), {}),
    ],
)
def test_names_match_as_a_person_would_match_them(new, old, wanted):
    assert match(new, old) == wanted


some_names = st.lists(st.sampled_from(["a", "b", "A", "a, b", "b ,c", "c", "d,a", "d", "_d"]), max_size=5)


@given(some_names, some_names)
def test_matching_agrees_with_trying_every_pair(new, old):
    def alone(found):
        return {
            (i, j)
            for i, j in found
            if sum(i == a for a, _ in found) == 1 and sum(j == b for _, b in found) == 1
        }

    every = [(i, j) for i in range(len(new)) for j in range(len(old))]
    whole = alone([(i, j) for i, j in every if plain(new[i]) == plain(old[j])])
    rest = [(i, j) for i, j in every if i not in {a for a, _ in whole} and j not in {b for _, b in whole}]
    some = alone([(i, j) for i, j in rest if parts(new[i]) & parts(old[j])])
    assert match(new, old) == dict(whole | some)
