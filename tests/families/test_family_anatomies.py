"""One contract for the anatomy of every architecture: it is tested by standing in tiny_models."""

import copy
from functools import cache

import pytest
import torch
from torch import nn

import tiny_models
from warmstart.base.errors import WarmstartError
from warmstart.models.anatomies import ANATOMIES
from warmstart.models.anatomy import BATCH_NORMS, anatomy_of, frozen_names, pooled
from warmstart.models.config import quiet

CAN_CUT = [n for n in tiny_models.NAMES if anatomy_of(tiny_models.make(n)).part.can_cut]
CAN_POOL = [
    n for n in tiny_models.NAMES if anatomy_of(tiny_models.make(n)).part.can_pool(tiny_models.make(n))
]


@cache
def made(name):
    return anatomy_of(tiny_models.make(name))


@pytest.fixture(params=tiny_models.NAMES)
def name(request):
    return request.param


@pytest.fixture
def anatomy(name):
    made(name).model.requires_grad_(True).eval()
    return made(name)


@torch.no_grad()
def answer(model, given):
    return model(**given).logits


def without_scratch(state):
    return {key: value for key, value in state.items() if not key.startswith("_")}


def again(model, folder):
    with quiet():
        model.save_pretrained(folder)
        return type(model).from_pretrained(folder).eval()


@torch.no_grad()
def test_all_groups_in_a_row_are_the_model_bit_for_bit(name, anatomy):
    given = tiny_models.batch(name)
    expected = answer(anatomy.model, given)
    assert expected.std(0).min() > 1e-3
    assert torch.equal(anatomy.run(given)["logits"], expected)
    assert torch.equal(anatomy.logits(given), expected)


@torch.no_grad()
def test_a_run_can_be_broken_off_before_any_group_and_taken_up_again(name, anatomy):
    given = tiny_models.batch(name)
    expected = answer(anatomy.model, given)
    for cut in range(len(anatomy.groups) + 1):
        state = without_scratch(anatomy.run(given, 0, cut))
        assert torch.equal(anatomy.run(state, cut)["logits"], expected), cut


@torch.no_grad()
def test_groups_can_be_run_one_by_one(name, anatomy):
    given = tiny_models.batch(name)
    state = given
    for i in range(len(anatomy.groups)):
        state = anatomy.run(state, i, i + 1)
    assert torch.equal(state["logits"], answer(anatomy.model, given))


@torch.no_grad()
def test_a_run_taken_up_in_another_process_needs_nothing_of_the_first(name, anatomy):
    given = tiny_models.batch(name)
    cut = len(anatomy.groups) // 2
    state = without_scratch(anatomy.run(given, 0, cut))
    fresh = anatomy_of(copy.deepcopy(anatomy.model))
    assert torch.equal(fresh.run(state, cut)["logits"], answer(anatomy.model, given))


@torch.no_grad()
def test_what_stands_after_each_group_can_be_pooled_to_one_vector_a_row(name, anatomy):
    state = tiny_models.batch(name)
    for i in range(len(anatomy.groups) - 1):
        state = anatomy.run(state, i, i + 1)
        features = pooled(state)
        assert features.shape[0] == 4
        assert features.dim() == 2
        assert features.std(0).max() > 0


@torch.no_grad()
def test_padding_does_not_change_what_is_pooled(name, anatomy):
    if tiny_models.modality(name) == "image":
        return
    given = tiny_models.batch(name)
    longest = int(given["attention_mask"][1].sum())
    alone = {key: value[1:2, :longest] for key, value in given.items()}
    cut = max(1, len(anatomy.groups) - 2)
    padded = pooled(anatomy.run(given, 0, cut))[1]
    assert torch.allclose(pooled(anatomy.run(alone, 0, cut))[0], padded, atol=2e-5)


def test_every_parameter_has_exactly_one_group(anatomy):
    owned = [id(p) for group in anatomy.groups for p in group.parameters()]
    assert len(owned) == len(set(owned))
    assert set(owned) == {id(p) for p in anatomy.model.parameters()}
    assert len(set(anatomy.names)) == len(anatomy.names)


def test_the_head_is_found(name, anatomy):
    path, linear = anatomy.head()
    assert anatomy.names[-1] == "head"
    assert linear is anatomy.model.get_submodule(path)
    assert linear.out_features == tiny_models.CLASSES
    assert anatomy.head_is_linear
    assert (linear.bias is None) is (name in tiny_models.CAUSAL)


@torch.no_grad()
def test_a_linear_head_reads_what_is_pooled_before_it(name, anatomy):
    given, last = tiny_models.batch(name), len(anatomy.groups) - 1
    before = anatomy.features(anatomy.run(given, 0, last), last)
    assert torch.allclose(anatomy.head()[1](before), answer(anatomy.model, given), atol=1e-6, rtol=0)


def learning_of(anatomy):
    return {n for n, p in anatomy.model.named_parameters() if p.requires_grad}


def group_names(anatomy, groups):
    ids = {id(p) for g in anatomy.groups if g.name in groups for p in g.parameters()}
    return {n for n, p in anatomy.model.named_parameters() if id(p) in ids}


@pytest.mark.parametrize("learn", [("*",), ("top:1",), ("head",)])
@pytest.mark.parametrize("statistics", ["frozen", "learn"])
def test_what_learns_is_awake_and_all_else_rests(anatomy, learn, statistics):
    chosen = {"*": anatomy.names, "top:1": anatomy.names[-2:], "head": anatomy.names[-1:]}[learn[0]]
    assert anatomy.set_learning(learn, statistics) == chosen
    assert learning_of(anatomy) == group_names(anatomy, chosen)
    awake = {id(m) for g in anatomy.groups if g.name in chosen for part in g.modules for m in part.modules()}
    for module in anatomy.model.modules():
        if isinstance(module, BATCH_NORMS):
            assert module.training is (id(module) in awake and statistics == "learn")
        elif isinstance(module, nn.Dropout):
            assert module.training is (id(module) in awake)


@pytest.mark.parametrize("learn", [("*",), ("top:1",), ("head",)])
def test_names_of_frozen_tensors_are_all_but_those_of_the_groups_that_learn(anatomy, learn):
    chosen = anatomy.chosen(learn)
    state = anatomy.model.state_dict()
    still = frozen_names(anatomy, learn)
    assert still <= set(state)
    parameters = dict(anatomy.model.named_parameters())
    assert still & set(parameters) == set(parameters) - group_names(anatomy, chosen)
    norms = {n for n, m in anatomy.model.named_modules() if isinstance(m, BATCH_NORMS)}
    owners = {
        n
        for n, m in anatomy.model.named_modules()
        for g in anatomy.groups
        if g.name in chosen
        for part in g.modules
        for inner in part.modules()
        if inner is m
    }
    for prefix in norms:
        assert (f"{prefix}.running_mean" in still) is (prefix not in owners)


def test_a_step_in_train_mode_moves_only_what_learns(name, anatomy):
    anatomy = anatomy_of(copy.deepcopy(anatomy.model))
    anatomy.set_learning(("top:1",), "learn")
    still = frozen_names(anatomy, ("top:1",))
    before = tiny_models.weights_of(anatomy.model)
    anatomy.logits(tiny_models.batch(name)).square().sum().backward()
    learning = [p for p in anatomy.model.parameters() if p.requires_grad]
    torch.optim.SGD(learning, lr=0.1).step()
    after = anatomy.model.state_dict()
    moved = {n for n in after if not torch.equal(after[n], before[n])}
    assert moved
    assert not moved & still
    assert not [n for n, p in anatomy.model.named_parameters() if p.grad is not None and n in still]


def test_a_misspelt_group_is_answered_with_the_nearest(anatomy):
    with pytest.raises(WarmstartError, match="'head'"):
        anatomy.chosen(("haed",))
    with pytest.raises(WarmstartError, match="not a number of groups"):
        anatomy.chosen(("top:²",))


def test_rates_fall_by_depth_also_where_groups_between_rest(anatomy):
    rates = anatomy.rates(("*",), 0.5)
    assert list(rates.values()) == [0.5 ** (len(anatomy.names) - 1 - i) for i in range(len(anatomy.names))]
    ends = anatomy.rates((anatomy.names[0], "head"), 0.5)
    assert ends == {anatomy.names[0]: 0.5 ** (len(anatomy.names) - 1), "head": 1.0}


@torch.no_grad()
@pytest.mark.parametrize("name", CAN_CUT)
def test_a_cut_model_is_the_same_after_saving(name, tmp_path):
    model = tiny_models.make(name)
    anatomy_of(model).part.keep_layers(model, 2)
    given = tiny_models.batch(name)
    whole, cut = anatomy_of(tiny_models.make(name)), anatomy_of(model)
    assert len(cut.groups) < len(whole.groups)
    kept = whole.run(given, 0, 3)["hidden"]
    assert torch.equal(cut.run(given, 0, 3).get("hidden", kept), kept)
    assert torch.equal(answer(again(model, tmp_path), given), answer(model, given))


@torch.no_grad()
@pytest.mark.parametrize("name", [n for n in CAN_POOL if n not in tiny_models.CAUSAL])
def test_an_added_layer_hands_the_mean_over_tokens_to_the_head_and_can_be_saved(name, tmp_path):
    """The layer's residual is the first token, its attention 30 times the mean; two plain norms follow."""
    model = tiny_models.make(name)
    whole = anatomy_of(tiny_models.make(name))
    anatomy_of(model).part.add_mean_layer(model)
    given = tiny_models.batch(name)
    state = whole.run(given, 0, 4)
    expected = state["hidden"][:, 0] + 30 * pooled(state)
    for _ in range(2):
        expected = nn.functional.layer_norm(expected, expected.shape[-1:], eps=1e-12)
    activate = {
        "distilbert": lambda x: (x + 4).relu(),
        "electra": lambda x: nn.functional.gelu(x + 4),
        "deberta-v2": lambda x: nn.functional.gelu(x + 4),
    }.get(name, lambda x: (0.2 * x).tanh())
    changed = anatomy_of(model)
    assert len(changed.groups) == len(whole.groups) + 1
    features = changed.run(given, 0, len(changed.groups) - 1)["pooled"]
    assert torch.allclose(features, activate(expected), atol=1e-4)
    assert torch.equal(answer(again(model, tmp_path), given), answer(model, given))


@pytest.mark.parametrize("name", [n for n in tiny_models.NAMES if n not in CAN_CUT])
def test_what_cannot_be_cut_says_so(name):
    anatomy = made(name)
    with pytest.raises(WarmstartError) as caught:
        anatomy.part.keep_layers(anatomy.model, 1)
    assert caught.value.code == "cannot-cut"


def test_no_two_files_of_the_family_know_the_same_kind_of_model():
    kinds = [kind for name in ANATOMIES.names() for kind in ANATOMIES.get(name)().model_types]
    assert len(kinds) == len(set(kinds))
    known = {tiny_models.make(n).config.model_type for n in tiny_models.NAMES}
    assert set(kinds) - known == {"camembert"}  # which is roberta under another name


@pytest.mark.parametrize("name", ANATOMIES.names())
def test_the_first_line_of_the_file_says_what_it_is_about(name):
    assert len(ANATOMIES.first_line(name)) > 20


def test_a_model_that_cannot_be_taken_apart_is_refused():
    model = tiny_models.make("vit")
    model.config.model_type = "unheard-of"
    model.classifier = nn.Sequential(nn.Linear(32, 5), nn.Identity())
    with pytest.raises(WarmstartError) as caught:
        anatomy_of(model)
    assert caught.value.code == "unknown-anatomy"


def test_a_model_with_weights_around_its_blocks_is_still_divided():
    """A parameter of the body itself must not pull the blocks inside it into the stem."""
    model = tiny_models.make("beit")
    model.beit.register_parameter("stray", nn.Parameter(torch.zeros(3)))
    anatomy = anatomy_of(model)
    assert "block.2" in anatomy.names
    assert [id(p) for p in anatomy.parameters("stem")].count(id(model.beit.stray)) == 1
    anatomy.set_learning(("stem",), "frozen")
    assert not any(p.requires_grad for p in anatomy.parameters("block.0"))
