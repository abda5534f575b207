"""anatomy.txt: what was there, what is there now, and when it learns."""

import pytest
import transformers as tf
from adapt_models import CLASSES, IMAGE, TEXT, tiny

from warmstart.adapt.apply import apply
from warmstart.adapt.describe import describe, in_order, ranges
from warmstart.base.errors import WarmstartError
from warmstart.base.types import Phase, Plan
from warmstart.models.anatomy import anatomy_of
from warmstart.models.load import Pretrained, seeded

HEAD = Phase(("head",), lr=1e-3, epochs=1, solver="logistic")
TOP = Phase(("top:2",), lr=1e-3, epochs=1, decay=0.9)
ALL = Phase(("*",), lr=3.8e-5, epochs=19, decay=0.95)


def text_of(model, edits, *phases, labels=("apple", "pear")):
    changed = apply(model, edits, labels, 0)
    plan = Plan("full", "m", "text_classification", phases)
    return describe(model.anatomy, changed.pretrained.anatomy, plan, changed.notes), changed


def row(text, name):
    """The cells of a row of the table."""
    return next(line.split() for line in text.split("\n") if line.split(" ")[0] == name)


def test_every_group_says_what_became_of_it_and_when_it_learns():
    edits = ({"name": "drop_layers", "keep": 1}, {"name": "mean_pool"}, {"name": "new_head"})
    text, changed = text_of(tiny("bert"), edits, HEAD, TOP, ALL)
    assert row(text, "embeddings") == ["embeddings", "3,008", "3,008", "3"]
    assert row(text, "layer.0") == ["layer.0", "7,504", "7,504", "3"]
    assert row(text, "layer.1") == ["layer.1", "7,504", "7,504", "new", "weights", "2-3"]
    assert row(text, "layer.2") == ["layer.2", "7,504", "dropped"]
    assert row(text, "pooler") == ["pooler", "1,056", "1,056", "new", "weights", "2-3"]
    assert row(text, "head") == ["head", "99", "66", "new", "weights", "1-3"]
    assert row(text, "total") == ["total", "26,675", f"{changed.pretrained.parameters:,}"]
    for note in changed.notes:
        assert note in " ".join(text.split())


def test_the_phases_say_how_much_learns_and_how():
    text, changed = text_of(tiny("bert"), ({"name": "new_head"},), HEAD, TOP, ALL)
    lines = " ".join(text.split())
    assert "phase 1: head with 66 parameters; solved as a logistic regression" in lines
    assert "phase 2: top:2 with 8,626 parameters; adamw for 1 epoch, rate 0.001 (linear)" in lines
    assert (
        f"phase 3: * with {changed.pretrained.parameters:,} parameters; adamw for 19 epochs, rate 3.8e-05"
        in lines
    )
    assert "times 0.95 per group towards the input" in lines


def test_adapters_show_as_adapters_and_resting_weights_as_resting():
    model = tiny("bert")
    text, changed = text_of(model, ({"name": "new_head"}, {"name": "lora", "rank": 2}), HEAD, ALL)
    assert row(text, "embeddings") == ["embeddings", "3,008", "3,008", "-"]
    assert row(text, "layer.0") == ["layer.0", "7,504", f"{7504 + 4 * 128 + 2 * 160:,}", "adapters", "2"]
    added = changed.pretrained.parameters + 33 - model.parameters  # the head has one class less
    assert f"phase 2: * with {added + 66:,} parameters" in " ".join(text.split())


def test_a_model_that_nothing_was_done_to_shows_no_change():
    text, _ = text_of(tiny("bert"), (), HEAD, labels=CLASSES)
    assert row(text, "head") == ["head", "99", "99", "1"]
    assert row(text, "layer.2") == ["layer.2", "7,504", "7,504", "-"]


@pytest.mark.parametrize("kind", [*TEXT, *IMAGE])
def test_the_groups_add_up_to_the_total_within_100_columns(kind):
    text, _ = text_of(tiny(kind), ({"name": "new_head"},), HEAD, ALL)
    table = text.split("\n\n")[0].split("\n")
    numbers = [
        line.split() for line in table if line and "-" not in line[:1] and not line.startswith("group")
    ]
    columns = [[int(cells[i].replace(",", "")) for cells in numbers] for i in (1, 2)]
    assert all(sum(column[:-1]) == column[-1] for column in columns)
    assert max(map(len, text.split("\n"))) <= 100


def test_many_like_layers_share_a_row():
    config = tf.BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=40,
        num_attention_heads=2,
        intermediate_size=8,
        num_labels=2,
    )
    with seeded(0):
        module = tf.BertForSequenceClassification(config)
    model = Pretrained("deep", module, None, anatomy_of(module), "text")
    text, _ = text_of(model, ({"name": "drop_layers", "keep": 36}, {"name": "new_head"}), HEAD, TOP)
    table = text.split("\n\n")[0].split("\n")
    assert [line.split("  ")[0] for line in table if line.startswith("layer")] == [
        "layer.0 to layer.34, each",
        "layer.35",
        "layer.36 to layer.39, each",
    ]


def test_a_phase_for_a_group_that_is_not_there_is_refused():
    with pytest.raises(WarmstartError, match="no layer group 'hed'"):
        text_of(tiny("bert"), ({"name": "new_head"},), Phase(("hed",), 1e-3, 1))


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [([], ""), ([2], "2"), ([1, 2], "1-2"), ([1, 3], "1, 3"), ([1, 2, 3, 5, 7, 8], "1-3, 5, 7-8")],
)
def test_numbers_are_written_in_ranges(numbers, wanted):
    assert ranges(numbers) == wanted


def test_added_groups_stand_behind_the_group_below_them():
    assert in_order(("a", "b", "head"), ("a", "x", "y", "head")) == ["a", "x", "y", "b", "head"]
    assert in_order(("a", "head"), ("z", "a", "head")) == ["z", "a", "head"]
