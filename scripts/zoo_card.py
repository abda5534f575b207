"""The model card of a zoo folder: front matter that code can read, and what an honest reader must know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SOURCES = {  # name: (the data set, the pictures, what to use the model for)
    "letters": (
        "drawn letters",
        "Letters of the alphabet drawn as if by hand and reduced like a scan to 8 x 8 pixels with 17 grey\n"
        "levels. Letters only: no digit is among the pictures. A small letter that looks like its capital,\n"
        "but for its size or a dot, has no class of its own.",
        "A near source for scans of handwritten characters.",
    ),
    "textures": (
        "procedural textures",
        "Gratings, checkerboards, dots, noise of several colours, blobs and Voronoi cells, 32 x 32\n"
        "pixels and grey.",
        "A far source for scans of handwritten characters: good at its own task, it has seen no stroke.",
    ),
    "shuffled": (
        "drawn letters with shuffled names",
        "Letters drawn like those of the model `letters`, but every picture got the name of another\n"
        "one at random.",
        "A bad source on purpose: there was nothing to learn, so on held-out pictures it can only guess.\n"
        "It is here so that choosing a model by measurement has something to reject.",
    ),
}


@dataclass(frozen=True)
class Facts:
    """What the card says about a finished training."""

    source: str
    names: list[str]  # of the classes
    train: int  # pictures
    held_out: int  # pictures
    accuracy: float  # on the held-out pictures, 0 to 1
    parameters: int
    seed: int
    recipe: Any


def card(facts: Facts) -> str:
    """README.md of the folder."""
    dataset, pictures, use = SOURCES[facts.source]
    recipe = ", ".join(f"{name} {value:g}" for name, value in vars(facts.recipe).items())
    return f"""---
license: apache-2.0
library_name: transformers
pipeline_tag: image-classification
tags:
- warmstart-zoo
model-index:
- name: {facts.source}
  results:
  - task:
      type: image-classification
    dataset:
      name: {dataset}, held out
      type: warmstart/{facts.source}
    metrics:
    - type: accuracy
      value: {facts.accuracy:.4f}
---

# {facts.source}

A ResNet with {facts.parameters:,} parameters for pictures of 32 x 32 pixels, one of the tiny models that come
with warmstart.

**Trained on** {facts.train:,} pictures of {len(facts.names)} classes.
{pictures}

**Accuracy** on {facts.held_out:,} held-out pictures of the same kind: {facts.accuracy:.1%}
(guessing: {1 / len(facts.names):.1%}).

**Use.** {use}

**Training.** From random weights with AdamW: {recipe}.
Seed {facts.seed}. Weights are stored in half precision and load as float32. Build it again with
`python scripts/build_zoo.py {facts.source} --seed {facts.seed}`.

**Classes.** {", ".join(facts.names)}.

**Licence.** Apache-2.0, weights and pictures: every picture was drawn by the script.
"""
