"""What the machine can do at most: square matrix products, for some seconds, in float32 or bfloat16."""

from __future__ import annotations

import torch

from benchmarks.span import asked, begun, report

SIDES = {"cpu": 2048, "cuda": 8192}
SECONDS = 3.0


def main() -> None:
    work, out, given = asked("bf16")
    torch.set_num_threads(work.threads)
    side, dtype = SIDES[work.device], torch.bfloat16 if given.bf16 else torch.float32
    one, other = (torch.randn(side, side, dtype=dtype, device=work.device) for _ in "ab")
    made = one @ other  # the first product sets up what the others use
    clock, enough = ("cpu", SECONDS * work.threads) if work.device == "cpu" else ("wall", SECONDS)
    span, count = begun(work.device), 0
    while span.end()[clock] < enough:
        torch.mm(one, other, out=made)
        count += 1
    report(out, **span.end(), amount=2.0 * side**3 * count)


if __name__ == "__main__":
    main()
