"""Conversations whose answers can be learned, tiny language models, and a tokenizer with a chat template."""

import copy
from functools import cache

import numpy as np
import torch
import transformers as tf
from tokenizers import Tokenizer, models, pre_tokenizers

import tiny_models
from warmstart.base.types import Phase, Plan
from warmstart.models.anatomy import anatomy_of
from warmstart.models.config import quiet
from warmstart.models.load import Pretrained
from warmstart.tasks.chat import Chat
from warmstart.tune.job import Split
from warmstart.tune.loop import tune

MARKS = ["[PAD]", "[UNK]", "<user>", "<assistant>", "<end>"]
PAD, UNKNOWN, USER, ASSISTANT, END = range(5)
TEMPLATE = (
    "{% for m in messages %}<{{ m['role'] }}> {{ m['content'] }} <end> {% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
CALM = dict(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)  # a GPT-2 without dropout


def tokenizer(template=TEMPLATE):
    """Words w0 to w59 and the marks of a chat, each a token."""
    known = {word: i for i, word in enumerate([*MARKS, *tiny_models.WORDS])}
    inner = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made = tf.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", eos_token="<end>", model_max_length=40
    )
    made.chat_template = template
    return made


def conversation(source):
    """Answers say each word of the question again, one further."""
    messages = []
    for _ in range(source.integers(1, 3)):
        asked = source.integers(0, 8, source.integers(1, 6))
        messages.append({"role": "user", "content": " ".join(f"w{n}" for n in asked)})
        messages.append({"role": "assistant", "content": " ".join(f"w{n + 30}" for n in asked)})
    return messages


def conversations(count, seed=0):
    source = np.random.default_rng(seed)
    return [conversation(source) for _ in range(count)]


@cache
def original(name, changes):
    return tiny_models.make_words(name, **dict(changes))


def pretrained(name="gpt2", template=TEMPLATE, **changes):
    module = copy.deepcopy(original(name, tuple(sorted((CALM if name == "gpt2" else {} | changes).items()))))
    return Pretrained(name, module, tokenizer(template), anatomy_of(module), "chat")


def save(folder, name="gpt2"):
    with quiet():
        tiny_models.make_words(name).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def split(model, rows, seed, task=None):
    inputs, targets, _ = (task or Chat()).encode(model, conversations(rows, seed))
    return Split(inputs, targets)


def splits(model, train=22, validation=10):
    return {"train": split(model, train, 1), "validation": split(model, validation, 2)}


def plan(*phases, **options):
    return Plan("test", "a model", "chat", phases, **{"batch": 8, "seed": 3, **options})


def phase(lr=1e-2, epochs=3, learn=("*",), **options):
    return Phase(tuple(learn), lr, epochs, **options)


def run(chosen, model=None, keeping=None, tell=None, task=None):
    """Train by the plan; returns the model and what `tune` returned."""
    model = model or pretrained()
    told = {} if tell is None else {"tell": tell}
    return model, tune(model, chosen, task or Chat(), splits(model), keeping, **told)


def own_loss(model, messages, answers_only=True):
    """The oracle: transformers' own loss of one conversation, summed; labels are laid by hand."""
    ids, labels, speaks = [], [], False
    for message in messages:
        words = [
            MARKS.index(f"<{message['role']}>"),
            *(int(w[1:]) + 5 for w in message["content"].split()),
            END,
        ]
        speaks = message["role"] == "assistant"
        ids += words
        labels += [-100, *words[1:]] if speaks else [-100] * len(words)
    ids, labels = torch.tensor([ids]), torch.tensor([labels if answers_only else ids])
    labels[0, 0] = -100
    count = int((labels != -100).sum())
    return model.module(input_ids=ids, labels=labels).loss * count, count
