"""warmstart tune: carry out a plan, without rivals."""

from warmstart.cli import flags, frame


def command(
    run: flags.RunFolder, allow_change: flags.AllowChange = False, as_json: flags.Json = False
) -> None:
    """Adapt and tune by the plan.yaml of a run folder. `warmstart prove` then compares it with its rivals."""
    from warmstart import process
    from warmstart.street.folder import run_folder

    done = process.tune(run, tell=frame.listener(as_json), allow_change=allow_change)
    last = done.history[-1]
    if as_json:
        table = {k: v for k, v in vars(done).items() if k != "predictions"}
        frame.show_json(table)
        return
    cost = f"{done.steps:,} steps, {done.trained_parameters:,} parameters trained in {done.seconds:.1f} s"
    frame.show_lines(f"{done.name}: {cost}, last validation accuracy {last['validation_accuracy']:.1%}")
    frame.show_lines(f"compare it with its rivals: warmstart prove {run_folder(run)}")
