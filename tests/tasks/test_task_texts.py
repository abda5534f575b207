"""Texts become tokens that the model can read, and what is lost on the way is said."""

import numpy as np
import pytest
import torch

import tiny_models
from warmstart.base.errors import WarmstartError
from warmstart.models.features import logits_of
from warmstart.tasks.text_classification import TextClassification, longest_text


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_models.pretrained(tmp_path_factory.mktemp("bert"), "bert")


def words(count):
    return " ".join(tiny_models.WORDS[i % 60] for i in range(count))


def encode(pretrained, texts):
    return TextClassification().encode(pretrained, texts)


@torch.no_grad()
def test_the_model_answers_as_if_it_were_asked_by_hand(bert):
    texts, _ = tiny_models.texts(20)
    inputs, findings = encode(bert, texts)
    given = bert.processor(texts, padding=True, return_tensors="pt")
    assert torch.allclose(logits_of(bert.anatomy, inputs), bert.module(**given).logits, atol=1e-5)
    assert findings == []


def test_texts_that_are_too_long_are_cut_with_their_end_token_and_said(bert):
    texts = [words(n) for n in (5, 38, 39, 100, 10)]
    inputs, findings = encode(bert, texts)
    assert inputs.lengths.tolist() == [7, 40, 40, 40, 12]
    state = inputs.batch([3])
    assert state["input_ids"][0, [0, -1]].tolist() == [2, 3]  # [CLS] and [SEP]
    whole = bert.processor(words(38))["input_ids"]
    assert state["input_ids"][0].tolist() == whole
    (finding,) = findings
    assert (finding.check, finding.level, finding.count) == ("cut_texts", "warning", 2)
    assert "2 of 5 texts (40.0 %)" in finding.what
    assert "40 tokens" in finding.what


def test_few_cut_texts_are_only_a_note(bert):
    _, findings = encode(bert, [words(100)] + [words(3)] * 150)
    assert [f.level for f in findings] == ["note"]


def test_texts_that_are_not_cut_are_the_same_beside_one_that_is(bert):
    alone, _ = encode(bert, [words(5), words(38)])
    beside, _ = encode(bert, [words(5), words(38), words(50)])
    assert torch.equal(alone.batch([0, 1])["input_ids"], beside.batch([0, 1])["input_ids"])


@pytest.mark.parametrize("value", ["", "   ", None, "\n", "unheard-of", 3.5, "w1\x00w2", "\ud83d", "é" * 50])
def test_odd_values_give_at_least_a_token(bert, value):
    inputs, _ = encode(bert, [value, "w1"])
    assert inputs.lengths.min() >= 1
    assert torch.isfinite(logits_of(bert.anatomy, inputs)).all()


def test_a_text_without_any_token_gets_one(tmp_path):
    gpt2 = tiny_models.pretrained(tmp_path, "gpt2")
    gpt2.processor.backend_tokenizer.post_processor = None
    inputs, _ = encode(gpt2, ["", "w1 w2"])
    assert inputs.lengths.tolist() == [1, 2]
    assert torch.isfinite(logits_of(gpt2.anatomy, inputs)).all()


@pytest.mark.parametrize("name", [n for n in tiny_models.TEXT if n != "qwen2"])  # reads no whole words
@torch.no_grad()
def test_the_longest_text_is_what_the_table_of_positions_holds(tmp_path, name):
    """RoBERTa and its like begin to count behind the padding token, so that one place is lost."""
    pretrained = tiny_models.pretrained(tmp_path, name, limit=10**30)
    limit = longest_text(pretrained)
    assert limit == (39 if "roberta" in name else 38 if name == "mpnet" else 40)
    inputs, _ = encode(pretrained, [words(100), "w1"])
    assert inputs.lengths.max() == limit
    assert torch.isfinite(logits_of(pretrained.anatomy, inputs)).all()
    if name in ("bert", "roberta", "xlm-roberta", "mpnet", "distilbert", "gpt2"):
        with pytest.raises((IndexError, RuntimeError)):
            pretrained.module(input_ids=torch.full((1, limit + 1), 5))


def test_no_text_is_longer_than_512_tokens_or_than_the_tokenizer_allows(tmp_path):
    llama = tiny_models.pretrained(tmp_path / "a", "llama", limit=10**30, max_position_embeddings=131_072)
    assert longest_text(llama) == 512
    assert longest_text(tiny_models.pretrained(tmp_path / "b", "bert", limit=17)) == 17


def test_positions_that_are_said_to_be_without_end_are_no_limit(tmp_path):
    llama = tiny_models.pretrained(tmp_path, "llama", limit=10**30, max_position_embeddings=-1)
    assert longest_text(llama) == 512


def test_padding_is_what_the_model_takes_for_it(tmp_path):
    """A language model's classifier looks for the last token that its configuration does not call padding."""
    gpt2 = tiny_models.pretrained(tmp_path, "gpt2", pad_token_id=77)
    assert gpt2.processor.pad_token_id == 0
    inputs, _ = encode(gpt2, ["w1 w2 w3", "w4 w5 w6 w7 w8 w9"])
    assert inputs.batch([0, 1])["input_ids"][0, -1] == 77
    together = logits_of(gpt2.anatomy, inputs)
    alone, _ = encode(gpt2, ["w1 w2 w3"])
    assert torch.allclose(together[0], logits_of(gpt2.anatomy, alone)[0], atol=1e-5)


def test_tokens_that_the_model_has_no_row_for_are_refused(tmp_path):
    small = tiny_models.pretrained(tmp_path, "bert", vocab_size=20)
    encode(small, ["w1 w2"])
    with pytest.raises(WarmstartError, match="token 63, and the model knows 20") as caught:
        encode(small, ["w59"])
    assert caught.value.code == "unfit-processor"


def test_token_types_are_given_where_the_tokenizer_makes_them(bert, tmp_path):
    assert set(encode(bert, ["w1"])[0].batch([0])) == {"input_ids", "attention_mask"}
    pretrained = tiny_models.pretrained(tmp_path, "bert")
    pretrained.processor.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    inputs, _ = encode(pretrained, ["w1", words(50), "w1 w2"])
    state = inputs.batch([0, 1, 2])
    assert state["token_type_ids"].shape == state["input_ids"].shape == (3, 40)
    assert torch.isfinite(logits_of(pretrained.anatomy, inputs)).all()


def test_the_same_texts_have_the_same_key_and_others_another(bert):
    keys = [encode(bert, t)[0].key for t in (["w1", "w2"], ["w1", "w2"], ["w2", "w1"], ["w1 w2", ""])]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert np.array_equal(*(encode(bert, ["w1", "w2"])[0].ids.flat for _ in range(2)))
