"""warmstart prove: rivals, evidence, report."""

import typer

from warmstart.cli import flags, frame


def command(
    run: flags.RunFolder,
    allow_change: flags.AllowChange = False,
    cache_limit: flags.CacheLimit = "",
    processes: flags.Processes = 1,
    shard: flags.Shard = False,
    device: flags.Device = "auto",
    seeds: flags.Seeds = 0,
    probes: flags.Probe = None,
    as_json: flags.Json = False,
    exit_code: flags.ExitCode = False,
) -> None:
    """Train the rivals of a run folder's plan, compare them on the test rows and write the report."""
    from warmstart import process
    from warmstart.report.terminal import summary

    result = process.prove(
        run,
        tell=frame.listener(as_json),
        allow_change=allow_change,
        cache_limit=cache_limit,
        processes=processes,
        shard=shard,
        device=device,
        seeds=seeds,
        probes=tuple(probes or ()),
    )
    if as_json:
        frame.show_json(result)
    else:
        frame.show(summary(result))
    if exit_code:
        raise typer.Exit(frame.VERDICT_CODES[result.verdict])
