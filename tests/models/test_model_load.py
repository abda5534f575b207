"""Loading: what is right is loaded exactly, and whatever is wrong is a WarmstartError with a fitting code."""

import json
import pickle
import resource
import shutil
import struct
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn

import tiny_models
from warmstart.base.errors import WarmstartError
from warmstart.models.card import candidate
from warmstart.models.config import quiet
from warmstart.models.load import load

BERT_WEIGHTS = "model.safetensors"


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Folders as save_pretrained writes them; never changed."""
    root = tmp_path_factory.mktemp("models")
    return {name: tiny_models.save(root / name, name) for name in ("bert", "vit", "resnet-basic", "gpt2")}


@pytest.fixture
def bert(saved, tmp_path):
    """A copy that a test may break."""
    return Path(shutil.copytree(saved["bert"], tmp_path / "bert"))


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def refused(source, code, modality="text", **options):
    with pytest.raises(WarmstartError) as caught:
        load(str(source), modality, **options)
    error = caught.value
    assert error.code == code, error
    assert str(source) in error.wrong
    assert "Traceback" not in str(error)
    assert error.do
    return error


@pytest.mark.parametrize("name", ["bert", "vit", "gpt2"])
@torch.no_grad()
def test_a_saved_model_is_loaded_as_it_was(saved, name):
    model = tiny_models.make(name)
    loaded = load(str(saved[name]), tiny_models.modality(name))
    given = tiny_models.batch(name)
    torch.testing.assert_close(loaded.anatomy.logits(given), model(**given).logits, atol=1e-6, rtol=1e-6)
    assert loaded.labels == ("LABEL_0", "LABEL_1", "LABEL_2")
    assert loaded.parameters == sum(p.numel() for p in model.parameters())
    assert not loaded.module.training


def test_half_precision_on_disk_is_full_precision_in_memory(bert):
    half = {name: tensor.half() for name, tensor in load_file(bert / BERT_WEIGHTS).items()}
    save_file(half, bert / BERT_WEIGHTS, {"format": "pt"})
    change(bert / "config.json", dtype="float16")
    loaded = load(str(bert), "text")
    assert {p.dtype for p in loaded.module.parameters()} == {torch.float32}
    assert {b.dtype for b in loaded.module.buffers() if b.is_floating_point()} <= {torch.float32}
    state = loaded.module.state_dict()
    assert all(torch.equal(state[name], tensor.float()) for name, tensor in half.items())


def test_names_of_classes_come_with_a_trained_head_and_not_with_a_fresh_one(bert):
    change(bert / "config.json", id2label={"0": "cat", "1": "dog", "2": "emu"})
    assert load(str(bert), "text").labels == ("cat", "dog", "emu")
    assert load(str(bert), "text", weights=False).labels == ()
    body = {n: t for n, t in load_file(bert / BERT_WEIGHTS).items() if not n.startswith("classifier")}
    save_file(body, bert / BERT_WEIGHTS, {"format": "pt"})
    assert load(str(bert), "text").labels == ()
    odd = {"1": "dog", "2": "emu", "7": "fox"}
    change(bert / "config.json", id2label=odd, label2id={v: int(k) for k, v in odd.items()})
    assert load(str(bert), "text").labels == ()


def test_a_head_above_a_fresh_pooler_is_no_trained_head(bert):
    kept = {n: t for n, t in load_file(bert / BERT_WEIGHTS).items() if "pooler" not in n}
    save_file(kept, bert / BERT_WEIGHTS, {"format": "pt"})
    assert load(str(bert), "text").labels == ()


def test_fresh_weights_depend_on_the_seed_alone(saved):
    first, same, other = (
        tiny_models.weights_of(load(str(saved["bert"]), "text", weights=False, seed=seed).module)
        for seed in (1, 1, 2)
    )
    name = "classifier.weight"
    assert torch.equal(first[name], same[name])
    assert not torch.equal(first[name], other[name])
    trained = load_file(saved["bert"] / BERT_WEIGHTS)
    assert not torch.equal(first["bert.pooler.dense.weight"], trained["bert.pooler.dense.weight"])


def test_a_fresh_head_depends_on_the_seed_and_leaves_the_shared_randomness_alone(bert):
    body = {n: t for n, t in load_file(bert / BERT_WEIGHTS).items() if not n.startswith("classifier")}
    save_file(body, bert / BERT_WEIGHTS, {"format": "pt"})
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    heads = [load(str(bert), "text", seed=seed).module.classifier.weight for seed in (1, 1, 2)]
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_the_zoo_is_loaded_by_name_and_a_misspelt_name_is_answered():
    with pytest.raises(WarmstartError, match="did you mean 'letters'") as caught:
        load("zoo:leters", "image")
    assert caught.value.code == "no-model"
    assert load("zoo:letters", "image").anatomy.names[-1] == "head"


class Sly:
    """A pickle that leaves a trace when it is run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def as_pickle(folder, extra=None):
    """Keep the weights of a folder in a pickle instead."""
    weights = {**load_file(folder / BERT_WEIGHTS), **(extra or {})}
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / BERT_WEIGHTS).unlink()


def test_a_pickle_is_refused_unless_it_is_asked_for(bert):
    expected = load_file(bert / BERT_WEIGHTS)
    as_pickle(bert)
    assert "--allow-pickle" in refused(bert, "pickle").do
    state = load(str(bert), "text", allow_pickle=True).module.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in expected.items())
    load(str(bert), "text", weights=False)  # which opens no weights


def test_a_pickle_that_was_asked_for_runs_no_code(bert, tmp_path):
    trace = tmp_path / "trace"
    as_pickle(bert, {"sly": Sly(trace)})
    refused(bert, "bad-weights", allow_pickle=True)
    (bert / "pytorch_model.bin").write_bytes(pickle.dumps({"sly": Sly(trace)}))
    refused(bert, "bad-weights", allow_pickle=True)
    assert not trace.exists()


def test_safetensors_are_taken_where_a_pickle_lies_beside_them(bert):
    (bert / "pytorch_model.bin").write_bytes(b"rubbish")
    load(str(bert), "text")
    load(str(bert), "text", allow_pickle=True)


def test_a_missing_configuration_is_named(bert):
    (bert / "config.json").unlink()
    refused(bert, "no-config")


def test_a_missing_file_of_weights_is_named(bert):
    (bert / BERT_WEIGHTS).unlink()
    refused(bert, "no-weights")


def test_a_missing_tokenizer_is_named(bert):
    for file in bert.glob("*token*"):
        file.unlink()
    assert "tokenizer.json" in refused(bert, "no-processor").do


@pytest.mark.parametrize("text", ["{", "[1, 2]", '{"added_tokens": 3}', "null", ""])
def test_a_broken_tokenizer_is_named(bert, text):
    (bert / "tokenizer.json").write_text(text)
    refused(bert, "no-processor")


def test_a_missing_or_broken_image_processor_is_named(saved, tmp_path):
    folder = Path(shutil.copytree(saved["vit"], tmp_path / "vit"))
    for text in ("{", "[]", '{"image_processor_type": "Evil"}'):
        (folder / "preprocessor_config.json").write_text(text)
        refused(folder, "no-processor", "image")
    (folder / "preprocessor_config.json").unlink()
    refused(folder, "no-processor", "image")


@pytest.mark.parametrize("lost", ["bert.encoder.layer.1.output.dense.weight", "bert.embeddings"])
def test_a_body_with_missing_weights_is_refused(bert, lost):
    left = {n: t for n, t in load_file(bert / BERT_WEIGHTS).items() if not n.startswith(lost)}
    save_file(left, bert / BERT_WEIGHTS, {"format": "pt"})
    assert lost in refused(bert, "missing-weights").wrong


def test_weights_of_another_architecture_are_refused(saved, bert):
    shutil.copy(saved["gpt2"] / BERT_WEIGHTS, bert / BERT_WEIGHTS)
    refused(bert, "missing-weights")


def test_weights_of_another_width_are_refused(bert):
    change(bert / "config.json", intermediate_size=96)
    refused(bert, "unfit-model")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "3",
        '"bert"',
        "{}",
        '{"model_type": 3}',
        '{"model_type": ["bert"]}',
        "[" * 100_000,
    ],
)
def test_a_configuration_that_is_none_is_refused(bert, text):
    (bert / "config.json").write_text(text)
    refused(bert, "bad-config")


@pytest.mark.parametrize(
    "values",
    [
        {"hidden_size": "wide"},
        {"hidden_size": 33},
        {"num_attention_heads": 0},
        {"hidden_size": -32},
        {"hidden_act": "dance"},
        {"num_hidden_layers": 2.5},
        {"id2label": {"zero": "a"}},
        {"id2label": 7},
        {"vocab_size": None},
        {"dtype": "float33"},
    ],
    ids=str,
)
def test_a_configuration_with_impossible_values_is_refused(bert, values):
    change(bert / "config.json", **values)
    with pytest.raises(WarmstartError) as caught:
        load(str(bert), "text")
    assert caught.value.code in ("bad-config", "unfit-model")


def test_a_configuration_that_is_not_text_is_refused(bert):
    (bert / "config.json").write_bytes(b"\xff\xfe\x00\x01")
    refused(bert, "bad-config")


def test_a_model_of_no_known_kind_is_refused(bert):
    change(bert / "config.json", model_type="brontosaurus")
    assert "brontosaurus" in refused(bert, "bad-config").wrong


def test_a_model_for_pictures_is_refused_for_texts_and_the_other_way_round(saved):
    assert "vit" in refused(saved["vit"], "unfit-model", "text").wrong
    assert "bert" in refused(saved["bert"], "unfit-model", "image").wrong


CODE = 'from pathlib import Path\nPath(r"{trace}").touch()\n'


def with_code(folder, trace):
    """Files of code that leave a trace when they are imported."""
    for name in ("configuration_sly.py", "modeling_sly.py", "tokenization_sly.py", "hubconf.py"):
        (folder / name).write_text(CODE.format(trace=trace))


def test_code_that_a_model_brings_along_is_never_run(bert, tmp_path):
    trace = tmp_path / "trace"
    with_code(bert, trace)
    names = {"AutoConfig": "configuration_sly.Sly", "AutoModelForSequenceClassification": "modeling_sly.Sly"}
    change(bert / "config.json", auto_map=names, trust_remote_code=True)
    change(bert / "tokenizer_config.json", auto_map={"AutoTokenizer": ["tokenization_sly.Sly", None]})
    loaded = load(str(bert), "text")
    assert type(loaded.module).__module__.startswith("transformers.")
    loaded.module.save_pretrained(tmp_path / "again")
    assert "auto_map" not in json.loads((tmp_path / "again" / "config.json").read_text())
    change(bert / "config.json", model_type="sly")
    refused(bert, "bad-config")
    assert not trace.exists()


def test_code_of_an_image_processor_is_never_run(saved, tmp_path):
    folder, trace = Path(shutil.copytree(saved["vit"], tmp_path / "vit")), tmp_path / "trace"
    with_code(folder, trace)
    change(folder / "preprocessor_config.json", auto_map={"AutoImageProcessor": "hubconf.Sly"})
    load(str(folder), "image")
    change(folder / "preprocessor_config.json", image_processor_type="Sly")
    refused(folder, "no-processor", "image")
    assert not trace.exists()


@pytest.mark.parametrize(
    "key", ["attn_implementation", "_attn_implementation", "_attn_implementation_internal"]
)
def test_an_attention_that_names_code_on_the_hub_is_forgotten(bert, key):
    change(bert / "config.json", **{key: "someone/kernels"})
    assert load(str(bert), "text").module.config._attn_implementation in ("sdpa", "eager")


@pytest.mark.parametrize(
    "values", [{"return_dict": False}, {"output_attentions": True}, {"output_hidden_states": True}]
)
@torch.no_grad()
def test_settings_that_change_the_form_of_answers_are_put_right(bert, values):
    change(bert / "config.json", **values)
    given = tiny_models.batch("bert")
    expected = tiny_models.make("bert")(**given).logits
    assert torch.equal(load(str(bert), "text").anatomy.logits(given), expected)


def test_quantised_weights_and_adapters_are_refused(bert):
    change(bert / "config.json", quantization_config={"load_in_8bit": True, "quant_method": "bitsandbytes"})
    assert "quantised" in refused(bert, "not-plain").wrong


def test_an_adapter_does_not_send_for_its_base(bert):
    (bert / "adapter_config.json").write_text(
        '{"base_model_name_or_path": "someone/base", "peft_type": "LORA"}'
    )
    assert "adapter" in refused(bert, "not-plain").wrong


def test_a_hub_id_without_a_net_is_answered():
    error = refused("nobody/no-such-model", "offline")
    assert "hub cannot be reached" in error.wrong


@pytest.mark.parametrize(
    "source", ["", "../nowhere", "/no/such/folder", "a/b/c", "~nobody/x", "x" * 300, "a\0b"]
)
def test_a_source_that_is_neither_folder_nor_hub_id_is_answered(source):
    with pytest.raises(WarmstartError) as caught:
        load(source, "text")
    assert caught.value.code == "no-model"


def test_a_file_instead_of_a_folder_is_answered(bert):
    refused(bert / BERT_WEIGHTS, "no-config")


def cut(path, share):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.5, 0.999])
def test_truncated_weights_are_refused(bert, share):
    cut(bert / BERT_WEIGHTS, share)
    for attempt in (lambda: load(str(bert), "text"), lambda: candidate(str(bert))):
        with pytest.raises(WarmstartError) as caught:
            attempt()
        assert caught.value.code == "bad-weights"


HEADERS = [
    b"",
    b"[]",
    b'{"a": 3}',
    b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "a": 1}',
    b'{"a": {"dtype": "F32", "shape": "two", "data_offsets": [0, 8]}}',
    b'{"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 0]}}',
    b'{"a": {"dtype": "F32", "shape": [2]}}',
    b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 9000000000]}}',
]


@pytest.mark.parametrize("header", HEADERS)
def test_weights_with_a_header_that_lies_are_refused(bert, header):
    (bert / BERT_WEIGHTS).write_bytes(struct.pack("<Q", len(header)) + header)
    refused(bert, "bad-weights")


def test_a_header_that_is_said_to_be_endless_is_not_read(bert):
    (bert / BERT_WEIGHTS).write_bytes(struct.pack("<Q", 2**63) + b"{}")
    refused(bert, "bad-weights")


def test_weights_in_parts_are_loaded_and_a_missing_part_is_named(bert):
    expected = load_file(bert / BERT_WEIGHTS)
    (bert / BERT_WEIGHTS).unlink()
    with quiet():
        tiny_models.make("bert").save_pretrained(bert, max_shard_size="20KB")
    parts = sorted(bert.glob("model-*.safetensors"))
    assert len(parts) > 1
    assert not (bert / BERT_WEIGHTS).exists()
    state = load(str(bert), "text").module.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in expected.items())
    assert candidate(str(bert)).parameters == sum(t.numel() for t in expected.values())
    parts[0].unlink()
    assert parts[0].name in refused(bert, "bad-weights").wrong


def test_an_index_that_points_out_of_the_folder_is_refused(bert):
    shutil.copytree(bert, bert.parent / "bert2")
    (bert / BERT_WEIGHTS).unlink()
    table = {"metadata": {}, "weight_map": {"a": "../bert2/model.safetensors"}}
    (bert / "model.safetensors.index.json").write_text(json.dumps(table))
    refused(bert, "bad-weights")
    (bert / "model.safetensors.index.json").write_text("{")
    refused(bert, "bad-weights")


HUGE = [
    ("bert", {"num_hidden_layers": 10**9}),
    ("bert", {"num_hidden_layers": 900}),
    ("bert", {"vocab_size": 10**12}),
    ("bert", {"vocab_size": 10**18}),
    ("bert", {"hidden_size": 4 * 10**6}),
    ("bert", {"intermediate_size": 10**9}),
    ("bert", {"num_labels": 10**9, "id2label": None, "label2id": None}),
    ("resnet-basic", {"depths": [1, 10**9, 1]}),
    ("resnet-basic", {"hidden_sizes": [8, 16, 10**7]}),
]


@pytest.mark.parametrize(("name", "values"), HUGE, ids=str)
@pytest.mark.parametrize("weights", [True, False])
def test_a_configuration_that_asks_for_more_than_lies_in_the_file_is_refused_before_it_is_built(
    saved, tmp_path, name, values, weights
):
    folder = Path(shutil.copytree(saved[name], tmp_path / "model"))
    change(folder / "config.json", **values)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(folder, "config-too-large", tiny_models.modality(name), weights=weights)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_words_and_numbers_that_count_no_layers_are_no_reason_to_refuse(bert):
    names = ("CD player", "layers", "num_labels")
    tables = {"id2label": dict(enumerate(names)), "label2id": {n: 10**9 for n in names}}
    change(bert / "config.json", **tables, mlp_only_layers=list(range(50)), rope_theta=1e9)
    assert load(str(bert), "text").labels == names


def test_a_tokenizer_that_does_not_fit_the_model_is_refused_at_once(saved, bert):
    small = tiny_models.save(bert.parent / "small", "bert", vocab_size=3)
    refused(small, "unfit-processor")


def test_an_image_processor_that_does_not_fit_the_model_is_refused_at_once(saved, tmp_path):
    folder = Path(shutil.copytree(saved["vit"], tmp_path / "vit"))
    transformers.ViTImageProcessorPil(size={"height": 48, "width": 48}).save_pretrained(folder)
    refused(folder, "unfit-processor", "image")


def test_a_model_without_a_padding_token_gets_one_and_says_so(tmp_path):
    folder = tiny_models.save(tmp_path / "gpt2", "gpt2", pad_token_id=None)
    loaded = load(str(folder), "text")
    assert [f.check for f in loaded.findings] == ["padding_token"]
    assert loaded.module.config.pad_token_id == loaded.processor.pad_token_id == 0
    alone = loaded.processor("w1 w2 w3", return_tensors="pt")
    pair = loaded.processor(["w1 w2 w3", "w4 w5 w6 w7 w8"], padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = loaded.anatomy.logits(dict(alone))[0]
        assert torch.allclose(loaded.anatomy.logits(dict(pair))[0], expected, atol=1e-5)


def test_a_card_gives_size_licence_and_accuracy(bert):
    (bert / "README.md").write_text(
        "---\nlicense: apache-2.0\nmodel-index:\n- name: x\n  results:\n"
        "  - metrics:\n    - {type: f1, value: 0.5}\n    - {type: accuracy, value: 91.5}\n---\n# A model\n"
    )
    known = candidate(str(bert))
    assert (known.name, known.source, known.licence) == ("bert", str(bert), "apache-2.0")
    assert known.source_accuracy == pytest.approx(0.915)
    assert known.parameters == sum(p.numel() for p in tiny_models.make("bert").parameters())


@pytest.mark.parametrize(
    "text",
    [
        "---\n: [\n---\n",
        "---\nlicense: {a: b}\nmodel-index: 3\n---\n",
        "no front matter",
        "---\n",
        b"---\n\xff\xfe\n---",
    ],
)
def test_a_card_that_cannot_be_read_says_nothing(bert, text):
    (bert / "README.md").write_bytes(text if isinstance(text, bytes) else text.encode())
    known = candidate(str(bert))
    assert (known.licence, known.source_accuracy) == ("", None)


@pytest.mark.parametrize("value", ["nan", "-1", "101", "many", "[1]"])
def test_an_accuracy_that_is_none_is_not_taken(bert, value):
    front = f"model-index: [{{results: [{{metrics: [{{type: accuracy, value: {value}}}]}}]}}]"
    (bert / "README.md").write_text(f"---\n{front}\n---\n")
    assert candidate(str(bert)).source_accuracy is None


def test_statistics_of_norms_are_no_parameters(saved):
    expected = sum(p.numel() for p in tiny_models.make("resnet-basic").parameters())
    assert candidate(str(saved["resnet-basic"])).parameters == expected


def test_a_hub_id_is_a_candidate_of_unknown_size():
    known = candidate("owner/name")
    assert (known.name, known.source, known.parameters) == ("name", "owner/name", 0)


def test_a_head_of_another_model_that_is_not_linear_is_still_loaded(tmp_path):
    """Parts of a model that no anatomy file knows must not stop it from being loaded."""
    loaded = tiny_models.pretrained(tmp_path / "albert", "albert")
    assert loaded.anatomy.names == ("body", "head")
    assert isinstance(loaded.anatomy.head()[1], nn.Linear)
