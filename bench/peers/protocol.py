"""The side of a peer in Python of the protocol in bench/support/peer.ts."""

import sys
import time

import data


def answer(title, workloads, prepare=lambda _: None):
    """Says who this is, then reads `workload steps` a line and answers with the milliseconds of one step, until an empty line or the end.

    `prepare` gets the name of the workload before the steps of a line, untimed. In a check, a workload takes its steps by `check`, which gives
    the gradients of the first of them and all losses.
    """
    print(title, flush=True)
    for line in sys.stdin:
        if line.isspace():
            break
        name, count = line.split()
        step, steps = workloads[name], int(count)
        data.open_case(name)
        prepare(name)
        start = time.perf_counter()
        if data.FOLDER is None:
            for _ in range(steps):
                step()
        else:
            data.close_case(name, *step.check(steps))
        print((time.perf_counter() - start) * 1000 / steps, flush=True)


# Turns of steps of which the fastest is wanted: so many at least, and as many as fill these seconds.
TURNS, SECONDS = 3, 0.5


def fastest(*steps):
    """The fastest of these steps, which take turns when a step is asked for the first time."""
    if len(steps) == 1:
        return steps[0]
    chosen = None

    def took(step):
        start = time.perf_counter()
        step()
        return time.perf_counter() - start

    def race():
        for step in steps:
            step()
        turns = []
        start = time.perf_counter()
        while len(turns) < TURNS or time.perf_counter() - start < SECONDS:
            turns.append([took(step) for step in steps])
        times = [min(column) for column in zip(*turns)]
        return steps[times.index(min(times))]

    def run():
        nonlocal chosen
        chosen = chosen or race()
        chosen()

    return run
