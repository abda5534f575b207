"""Flags that several verbs share, said once."""

from typing import Annotated

import typer

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA", help="File, folder, hub id, or a run folder to go on with.", show_default=False
    ),
]
RunFolder = Annotated[
    str, typer.Argument(metavar="RUN", help="A run folder, or the plan.yaml in it.", show_default=False)
]
From = Annotated[
    list[str] | None,
    typer.Option(
        "--from", metavar="MODEL", help="A model to start from: folder, hub id or zoo:NAME. Repeat it."
    ),
]
Task = Annotated[str, typer.Option(help="The task, where looking at the columns gets it wrong.")]
Text = Annotated[str, typer.Option(help="Column with the text.")]
Label = Annotated[str, typer.Option(help="Column with the label.")]
Group = Annotated[str, typer.Option(help="Column whose equal values must stay on one side of the split.")]
Test = Annotated[str, typer.Option(help="File or folder with the test rows.")]
Rows = Annotated[int, typer.Option(min=0, help="Use at most this many rows to train and validate; 0 is all.")]
Strategy = Annotated[str, typer.Option(help="Follow this strategy instead of choosing one.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Any setting, as in phases.0.lr=1e-4 or seed=1. Repeat it."
    ),
]
Out = Annotated[str, typer.Option(help="Where run folders are made.")]
AllowChange = Annotated[
    bool,
    typer.Option("--allow-change", help="Go on though plan, data or model of a begun training were changed."),
]
CacheLimit = Annotated[
    str,
    typer.Option(
        "--cache-limit",
        metavar="SIZE",
        help="Most that OUT/.cache may hold, as in 20GB. Without: 20 GB, or half of what is free.",
    ),
]
Processes = Annotated[
    int, typer.Option(min=1, help="Train in this many processes of this machine; the result is the same.")
]
Shard = Annotated[
    bool, typer.Option("--shard", help="Each process holds but a part of weights, gradients and moments.")
]
Device = Annotated[
    str,
    typer.Option(metavar="NAME", help="cpu, cuda or cuda:1. Without: a GPU where there is one."),
]
Seeds = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Train plan and rivals with so many seeds and compare the means; 5 make a claim.",
    ),
]
Race = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="Also try the first N by short trainings, and rank them by what they came to.",
    ),
]
Probe = Annotated[
    list[str] | None,
    typer.Option(
        "--probe",
        metavar="NAME",
        help="labels, weights, random-labels: train on to tell what these bring or show. Repeat it.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="End with 3 if not worth it, 4 if it cannot be told.")
]
