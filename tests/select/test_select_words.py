"""The cost of texts against transformers' own loss, text by text, and that no byte is free."""

import json
import math

import numpy as np
import pytest
import torch

import chat_worlds as worlds
import warmstart
from warmstart.base.errors import WarmstartError
from warmstart.models.load import load
from warmstart.select.words import BYTE, IGNORED, cuts, stretches_of, words_of

TEXTS = ["w1 w2 w3", "w7", "", "w5 w5 w5 w5 w9 w30 w31"]
BOTH = ("stories260k_llama", "babyllama105_char")


def cost(pretrained, texts):
    return words_of(pretrained, stretches_of(pretrained, texts))


@torch.no_grad()
def own_nats(model, ids):
    """transformers' summed loss of all tokens but the first; the first is given."""
    given = torch.tensor([ids])
    return float(model(input_ids=given, labels=given).loss) * (len(ids) - 1)


@pytest.mark.parametrize("name", ["gpt2", "llama", "gpt_neox"])
def test_each_text_costs_what_transformers_says_behind_the_token_that_ends_the_last_one(name):
    made = worlds.pretrained(name)
    found = cost(made, TEXTS)
    for text, (nats, size) in zip(TEXTS, found, strict=True):
        ids = made.processor(text, add_special_tokens=False)["input_ids"]
        expected = own_nats(made.module, [worlds.END, *ids]) if ids else 0.0
        assert nats == pytest.approx(expected, rel=1e-5)
        assert size == len(text)


def test_without_any_start_token_the_first_token_costs_a_guess_and_that_is_said():
    made = worlds.pretrained("gpt2")
    made.processor.eos_token, made.module.config.bos_token_id = None, None
    stretches = stretches_of(made, TEXTS)
    found = words_of(made, stretches)
    guess = math.log(made.module.get_input_embeddings().num_embeddings)
    assert found[1, 0] == pytest.approx(guess) and found[2, 0] == 0
    ids = made.processor(TEXTS[0], add_special_tokens=False)["input_ids"]
    assert found[0, 0] == pytest.approx(guess + own_nats(made.module, ids), rel=1e-5)
    assert [f.check for f in stretches.findings] == ["start_token"]


def test_what_tokens_do_not_say_costs_eight_bits_a_byte_beside_its_token():
    """é is unknown: two bytes. Two spaces come back as one: one byte."""
    made = worlds.pretrained("gpt2")
    unknown, known, spaced = cost(made, ["w1 é w2", "w1 w2", "w1  w2"])
    ids = [worlds.END, 6, worlds.UNKNOWN, 7]
    assert unknown[0] == pytest.approx(own_nats(made.module, ids) + 2 * BYTE, rel=1e-5)
    assert unknown[1] == len("w1 é w2".encode()) == known[1] + 3
    assert spaced[0] == pytest.approx(known[0] + BYTE, rel=1e-5)
    (finding,) = stretches_of(made, ["w1 é w2", "w1 w2"]).findings
    assert "do not say 2 of 13 bytes" in finding.what and finding.count == 1


@pytest.mark.parametrize("length", [1, 2, 9, 10, 11, 15, 16, 31, 200])
@pytest.mark.parametrize("limit", [1, 2, 5, 10])
def test_every_token_but_the_first_is_asked_for_once_with_enough_before_it(length, limit):
    row = list(range(100, 100 + length))
    found = cuts(row, limit)
    asked = [word for _, words in found for word in words if word != IGNORED]
    assert asked == row[1:]
    for read, words in found:
        assert len(read) == len(words) <= limit
        for place, word in enumerate(words):
            if word == IGNORED:
                continue
            assert read[place] == word - 1  # what stands before it
            assert place + 1 >= min(limit - limit // 2, word - 100)  # tokens that it can look back on


def test_a_text_longer_than_the_model_costs_what_its_stretches_cost():
    made = worlds.pretrained("gpt2")
    text = " ".join(f"w{n % 50}" for n in range(100))
    ids = [worlds.END, *made.processor(text, add_special_tokens=False)["input_ids"]]
    limit = 40
    expected, known = 0.0, 1
    with torch.no_grad():
        for begin in range(0, 100, limit // 2):
            part = torch.tensor([ids[begin : begin + limit]])
            logs = made.module(input_ids=part).logits[0].log_softmax(-1)
            for place, word in enumerate(ids[begin + 1 : begin + limit + 1]):
                if begin + 1 + place >= known:
                    expected -= float(logs[place, word])
                    known += 1
    assert known == 101
    assert cost(made, [text])[0, 0] == pytest.approx(expected, rel=1e-5)


def test_halves_of_surrogates_and_nothing_are_texts_too():
    found = cost(worlds.pretrained("gpt2"), ["w1 \ud800", None])
    assert np.isfinite(found).all() and found[1].tolist() == [0, 0]


@pytest.fixture(scope="module")
def stories(assets):
    lines = (assets / "data" / "tinystories_probe" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


@pytest.mark.models
@pytest.mark.parametrize("name", BOTH)
def test_real_models_cost_what_transformers_says_and_no_byte_is_missing(name, assets, stories):
    made = load(str(assets / "weights" / name), "chat")
    short = [text[:150] for text in stories]
    stretches = stretches_of(made, short)
    found = words_of(made, stretches)
    assert found[:, 1].sum() == len("".join(short).encode())
    for text, (nats, _), spelled in zip(short, found, stretches.spelled_N, strict=True):
        ids = made.processor(text)["input_ids"]  # with its own start token
        assert nats - spelled == pytest.approx(own_nats(made.module, ids), rel=1e-4)
        back = made.processor.decode(ids, skip_special_tokens=True)
        assert spelled == 0 or len(back) < len(text)


@pytest.mark.models
def test_models_of_different_tokenizers_are_ranked_from_python(assets, tmp_path):
    """A token of the one is a character, of the other a piece: nats a token would prefer the wrong one."""
    sources = [assets / "weights" / name for name in BOTH]
    data = assets / "data" / "tinystories_probe" / "test.jsonl"
    ranking = warmstart.rank(data, task="chat", models=sources, runs=tmp_path)
    assert ranking.score == "bits_per_byte"
    assert [s.candidate.name for s in ranking.scored] == list(BOTH)
    assert all(0.5 < -s.score.value < 2 and s.score.n == 21 for s in ranking.scored)
    assert any(r.rule == "lost_bytes" for r in ranking.reasons)
    (folder,) = (path for path in tmp_path.iterdir() if path.name != ".cache")
    assert warmstart.rank(folder) == ranking
    with pytest.raises(WarmstartError) as refusal:
        warmstart.run(folder)
    assert refusal.value.code == "task-from-python"


@pytest.fixture
def chats(tmp_path):
    """(file of conversations, two language models that lie beside it)"""
    path = tmp_path / "chats.jsonl"
    rows = [{"messages": messages} for messages in worlds.conversations(12)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path, [worlds.save(tmp_path / name, name) for name in ("gpt2", "llama")]


def test_conversations_are_read_as_what_is_said_in_them(chats, tmp_path):
    path, models = chats
    ranking = warmstart.rank(path, task="chat", models=models, runs=tmp_path / "runs")
    assert {s.candidate.name for s in ranking.scored} == {"gpt2", "llama"}
    said = ["\n\n".join(m["content"] for m in messages) for messages in worlds.conversations(12)]
    made = load(str(models[0]), "chat")
    nats, sizes = cost(made, said).T
    scored = next(s for s in ranking.scored if s.candidate.name == "gpt2")
    assert scored.score.value == pytest.approx(-nats.sum() / np.log(2) / sizes.sum(), rel=1e-5)


@pytest.mark.parametrize(
    "asked, code",
    [
        ({"models": ()}, "no-candidate"),
        ({"text": "words"}, "missing-column"),
        ({"score": "knn"}, "unfit-score"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused_with_advice(asked, code, chats, tmp_path):
    path, models = chats
    with pytest.raises(WarmstartError) as refusal:
        warmstart.rank(path, **{"task": "chat", "models": models, "runs": tmp_path / "runs", **asked})
    assert refusal.value.code == code and refusal.value.do
