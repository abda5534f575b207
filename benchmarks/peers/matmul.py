"""What the machine can do at most: square matrix products, for some seconds, in float32 or bfloat16."""

from __future__ import annotations

import torch

from benchmarks.span import Span, asked, report

SIDE = 2048
SECONDS = 3.0


def main() -> None:
    work, out, given = asked("bf16")
    torch.set_num_threads(work.threads)
    one, other = (
        torch.randn(SIDE, SIDE, dtype=torch.bfloat16 if given.bf16 else torch.float32) for _ in "ab"
    )
    made = one @ other  # the first product sets up what the others use
    span, count = Span(), 0
    while span.end()["cpu"] < SECONDS * work.threads:
        torch.mm(one, other, out=made)
        count += 1
    report(out, **span.end(), amount=2.0 * SIDE**3 * count)


if __name__ == "__main__":
    main()
