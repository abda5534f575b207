"""Which models are meant, and what is known of one without running it."""

import pytest

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Candidate
from warmstart.models.card import made_for, source_task
from warmstart.models.pool import distinct, expand, refuse_twice


def model(folder, table="{}"):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(table)
    return folder


def test_a_folder_of_models_is_all_of_them_by_name(tmp_path):
    for name in ("zeta", "alpha", "beta"):
        model(tmp_path / name)
    (tmp_path / "notes").mkdir()
    assert expand(str(tmp_path)) == [str(tmp_path / name) for name in ("alpha", "beta", "zeta")]


def test_a_model_that_holds_other_models_is_itself(tmp_path):
    model(tmp_path / "outer")
    model(tmp_path / "outer" / "inner")
    assert expand(str(tmp_path / "outer")) == [str(tmp_path / "outer")]


@pytest.mark.parametrize(
    "source", ["zoo:letters", "facebook/dinov2-small", "", "a" * 5000, "no\0path", "~nobody/x"]
)
def test_what_is_no_folder_of_models_is_taken_as_it_is(source):
    assert expand(source) == [source]


def test_an_empty_folder_is_left_to_be_refused_when_it_is_opened(tmp_path):
    assert expand(str(tmp_path)) == [str(tmp_path)]


def test_one_model_under_two_spellings_is_refused_and_both_are_named(tmp_path, monkeypatch):
    model(tmp_path / "m")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WarmstartError, match=r"--from ./m is given twice: m is the same model") as refused:
        refuse_twice(["m", "zoo:letters", "./m"])
    assert refused.value.code == "same-candidate-twice"
    with pytest.raises(WarmstartError, match=r"--from m is given twice\n"):
        refuse_twice(["m", "m"])


def test_candidates_of_one_name_are_told_apart_by_folder_or_owner_and_at_last_by_all_of_the_path():
    sources = ["old/net", "new/net", "other", "a/x/deep", "b/x/deep"]
    named = distinct([Candidate(s.rsplit("/", 1)[-1], s, 1) for s in sources])
    assert [c.name for c in named] == ["old/net", "new/net", "other", "a/x/deep", "b/x/deep"]


@pytest.mark.parametrize(
    ("architectures", "task"),
    [
        (["ResNetForImageClassification"], "image-classification"),
        (["LlamaForCausalLM"], "causal-language-model"),
        (["GPT2LMHeadModel"], "causal-language-model"),
        (["BertForMaskedLM"], "masked-language-model"),
        (["BertModel"], ""),
        ([], ""),
        (None, ""),
        ([3], ""),
    ],
)
def test_what_a_model_was_made_for_is_read_in_the_name_of_its_class(architectures, task):
    assert made_for(architectures) == task


def test_the_card_says_it_first_and_classes_are_counted():
    config = {"architectures": ["ViTForImageClassification"], "id2label": {str(i): "" for i in range(1000)}}
    assert source_task({}, config) == "image classification, 1,000 classes"
    assert source_task({"pipeline_tag": "sentence-similarity"}, config) == "sentence similarity"
    assert source_task({"pipeline_tag": ["odd"]}, {}) == ""
