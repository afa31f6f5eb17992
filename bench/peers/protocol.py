"""The side of a peer in Python of the protocol in bench/support/peer.ts."""

import sys
import time


def answer(title, workloads, prepare=lambda _: None):
    """Says who this is, then reads `workload steps` a line and answers with the milliseconds of one step.

    `prepare` gets the name of the workload before the steps of a line, untimed.
    """
    print(title, flush=True)
    for line in sys.stdin:
        name, count = line.split()
        step, steps = workloads[name], int(count)
        prepare(name)
        start = time.perf_counter()
        for _ in range(steps):
            step()
        print((time.perf_counter() - start) * 1000 / steps, flush=True)
