"""Processes that help to train: started when the first training begins, told which, sent home at the end.

Each is `python -m warmstart` with the variables that torchrun sets, so that torchrun can start them as well.
They read the run folder like the first process and take part in its trainings (street/helping.py).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import torch

import warmstart
from warmstart.base.errors import WarmstartError
from warmstart.base.launched import launched
from warmstart.models.device import AUTO as ANYWHERE
from warmstart.models.device import CPU as PROCESSORS
from warmstart.models.device import choose
from warmstart.tune.crew import ALONE, Crew, Lost, join, leave

HOME = "null"  # the order that ends a helper
COMING = 300.0  # seconds in which helpers must have come
SEEN = 5.0  # seconds in which one that failed has said why
GOING = 2.0  # seconds in which they go by themselves
EVER = timedelta(days=365)  # they wait for an order; that nobody is there any more they see at once
LOOPBACK = {"linux": "lo", "darwin": "lo0"}


DISTRIBUTED: Any = torch.distributed  # whose names mypy does not see


class Hands:
    """The processes that train together with this one; of one process there are none."""

    def __init__(self, processes: int = 1, shard: bool = False) -> None:
        there = launched()
        if there is not None and (there.rank or processes not in (1, there.size)):
            raise WarmstartError(
                f"process {there.rank + 1} of {there.size} started together asks for {processes}",
                "let torchrun alone say how many, and let its process 0 alone call warmstart",
                "usage",
            )
        self.size, self.shard = processes if there is None else there.size, shard
        if self.size < 1 or (shard and self.size == 1):
            raise WarmstartError(
                f"processes = {self.size}{', shard' if shard else ''}",
                "write a number from 1; sharding needs several, as in --processes 2 --shard",
                "usage",
            )
        self.launched, self.crew = there is not None, ALONE
        self.store: Any = None
        self.helpers: list[subprocess.Popen[bytes]] = []

    def device(self, wanted: str) -> str:
        """Where models compute: several processes share their gradients through processors, so far."""
        if self.size == 1:
            return str(choose(wanted))
        if wanted not in (ANYWHERE, PROCESSORS):
            raise WarmstartError(
                f"{self.size} processes on {wanted!r}: several processes train on CPUs alone so far",
                "leave out --device, or --processes",
                "usage",
            )
        return PROCESSORS

    def __enter__(self) -> Hands:
        return self

    def __exit__(self, *error: object) -> None:
        """Those that torchrun started wait on: the command line sends them home."""
        if self.store is not None and not self.launched:
            self.close()

    @contextmanager
    def at(self, order: Mapping[str, Any]) -> Iterator[Crew]:
        """All of them take part in the training that this order describes.

        WarmstartError where one of them fails or ends: none is left waiting.
        """
        if self.size == 1:
            yield ALONE
            return
        before = torch.get_num_threads()
        threads = before if self.launched else max(1, before // self.size)
        torch.set_num_threads(threads)
        try:
            self.call()
            self.tell(json.dumps({**order, "shard": self.shard, "threads": threads}))
            self.gather()
            yield self.crew
        except (Lost, RuntimeError) as error:  # libraries give Lost no name of its own
            told = self.trouble(SEEN)
            self.close()
            if told is None and not isinstance(error, Lost):
                raise
            raise (told or silent(error)) from error
        except BaseException:
            self.close()
            raise
        finally:
            torch.set_num_threads(before)

    def call(self) -> None:
        """Start the others, unless they are there, and wait until they are."""
        if self.store is not None:
            return
        self.store = launched_store() if self.launched else self.start()
        until = time.monotonic() + COMING
        while not self.store.check([f"here {rank}" for rank in range(1, self.size)]):
            told = self.trouble(0)
            if told is not None or time.monotonic() > until:
                raise told or silent(Lost("they did not come"))
            time.sleep(0.02)

    def gather(self) -> None:
        """Connect with those that have been told of their first training."""
        if not self.crew.alone:
            return
        with nullcontext() if self.launched else loopback():
            self.crew = join(group_of(self.store), 0, self.size, self.shard)

    def start(self) -> Any:
        """Helpers on this machine, and the store through which they are told; nothing listens to outside."""
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(self.size)
            host, port = listening.getsockname()
            handle = listening.detach()
        store = DISTRIBUTED.TCPStore(host, port, None, True, wait_for_workers=False, master_listen_fd=handle)
        common = {
            "WORLD_SIZE": str(self.size),
            "MASTER_ADDR": host,
            "MASTER_PORT": str(port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",  # the store is there already
            "TORCH_CPP_LOG_LEVEL": "ERROR",
            "PYTHONPATH": os.pathsep.join([package(), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "OMP_NUM_THREADS": str(torch.get_num_threads()),
        }
        for rank in range(1, self.size):
            self.helpers.append(
                subprocess.Popen(
                    [sys.executable, "-P", "-m", "warmstart"],
                    env={**os.environ, **common, "RANK": str(rank)},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C goes to the first process, and all stop at the same step
                )
            )
        return store

    def tell(self, order: str) -> None:
        self.store.set(f"order {self.store.add('orders', 1) - 1}", order)

    def trouble(self, seconds: float) -> WarmstartError | None:
        """What one of the others died of, if one did so or does within these seconds."""
        until = time.monotonic() + seconds
        while self.store is not None:
            for rank in range(1, self.size):
                found = self.trouble_of(rank)
                if found is not None:
                    return found
            if time.monotonic() >= until:
                break
            time.sleep(0.02)
        return None

    def trouble_of(self, rank: int) -> WarmstartError | None:
        code = self.helpers[rank - 1].poll() if self.helpers else None
        who = f"process {rank + 1} of {self.size}"
        if self.store.check([f"trouble {rank}"]):
            said = json.loads(self.store.get(f"trouble {rank}"))
            if said["code"] == "our-fault":
                raise RuntimeError(f"{who}: {said['wrong']}")
            return WarmstartError(f"{who}: {said['wrong']}", said["do"], said["code"], said["exit_code"])
        if code is None:
            return None
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return WarmstartError(f"{who} ended {how}", GO_ON, "process-ended", 5)

    def close(self) -> None:
        """Send the others home, and end those that do not go."""
        leave()
        with suppress(RuntimeError):
            if self.store is not None:
                self.tell(HOME)
        until = time.monotonic() + GOING
        for helper in self.helpers:
            try:
                helper.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                helper.kill()
                helper.wait()
        self.store, self.helpers, self.crew = None, [], ALONE


GO_ON = "go on where it was: run the same command on the run folder, with any number of processes"


def silent(error: BaseException) -> WarmstartError:
    return WarmstartError(
        f"the processes that train together lost each other ({error})", GO_ON, "process-lost", 5
    )


def package() -> str:
    """The folder from which this very warmstart was imported."""
    return str(Path(warmstart.__file__).parents[1])


def group_of(store: Any) -> Any:
    return DISTRIBUTED.PrefixStore("group", store)


@contextmanager
def loopback() -> Iterator[None]:
    """Meanwhile gloo listens on this machine alone."""
    name, before = "GLOO_SOCKET_IFNAME", os.environ.get("GLOO_SOCKET_IFNAME")
    os.environ[name] = before or LOOPBACK.get(sys.platform, "")
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


@cache
def launched_store() -> Any:
    """The store of those that were started together."""
    store = next(iter(DISTRIBUTED.rendezvous("env://")))[0]
    store.set_timeout(EVER)
    return store


def dismiss() -> None:
    """Send home those that torchrun started, after as many orders as they were given."""
    with suppress(RuntimeError):
        store = launched_store()
        store.set(f"order {store.add('orders', 0)}", HOME)
