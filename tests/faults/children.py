"""Work in child processes that are forks of a parent in which torch is loaded: 0.1 s instead of 5 each."""

import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from pathlib import Path

import torch

SOAK = int(os.environ.get("WARMSTART_SOAK", "1"))  # how many times as many faults as at each commit


def fork(work) -> int:
    """A child that does `work` and ends with 0, or with 1 and its traceback; returns its process number."""
    child = os.fork()
    if child:
        return child
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        torch.set_num_threads(1)
        work()
        os._exit(0)
    except KeyboardInterrupt:
        os._exit(6)
    except BaseException:  # nothing of a child may go on as if it were the parent
        os.write(2, traceback.format_exc().encode())
        os._exit(1)


def ended(child: int) -> int:
    """Waits for the child: its exit code, or minus the number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def answer_of(work):
    """What `work` returns in a child, through JSON."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "answer.json"
        code = ended(fork(lambda: out.write_text(json.dumps(work()))))
        assert code == 0, f"the child ended with {code}"
        return json.loads(out.read_text())


def killed_after(work, seconds: float) -> bool:
    """Kill a child that does `work` once it has computed for so many seconds; was it still at work?

    The clock is its own, and stands while others compute. Like SIGKILL, SIGPROF ends a process unheard.
    """

    def timed():
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, max(1e-3, seconds))
        work()

    return ended(fork(timed)) == -signal.SIGPROF


def seconds_of(work) -> float:
    """What a child computes for to do `work`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer_of(work)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def on_audit(wanted, act) -> None:
    """Call `act(n)` at the n-th audited event (open, rename, ...) for which `wanted(event, args)`."""
    seen = 0

    def audit(event, args):
        nonlocal seen
        if wanted(event, args):
            seen += 1
            act(seen)

    sys.addaudithook(audit)
