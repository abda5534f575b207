"""warmstart tune: carry out a plan, without rivals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warmstart.cli import flags, frame

if TYPE_CHECKING:
    from warmstart.base.types import Run


def command(
    run: flags.RunFolder,
    allow_change: flags.AllowChange = False,
    cache_limit: flags.CacheLimit = "",
    processes: flags.Processes = 1,
    shard: flags.Shard = False,
    device: flags.Device = "auto",
    as_json: flags.Json = False,
) -> None:
    """Adapt and tune by the plan.yaml of a run folder. `warmstart prove` then compares it with its rivals."""
    from warmstart import process
    from warmstart.report import ticks
    from warmstart.street.folder import run_folder

    done = process.tune(
        run,
        tell=frame.listener(as_json),
        allow_change=allow_change,
        cache_limit=cache_limit,
        processes=processes,
        shard=shard,
        device=device,
    )
    if as_json:
        table = {k: v for k, v in vars(done).items() if k != "predictions"}
        frame.show_json(table)
        return
    cost = f"{done.steps:,} steps, {done.trained_parameters:,} parameters trained in {done.seconds:.1f} s"
    frame.show_lines(f"{done.name}: {cost}, validation accuracy {accuracy(done):.1%}")
    frame.show_lines(f"proofs: {ticks.tally(done.ticks)}")
    for proof in ticks.failed(done.ticks):
        frame.show_lines(f"failed: {ticks.said(proof)}")
    frame.show_lines(f"compare it with its rivals: warmstart prove {run_folder(run)}")


def accuracy(run: Run) -> float:
    """On the validation rows, of the weights that were kept."""
    said = run.predictions["validation"]
    return float((said.answers == said.truth).mean())
