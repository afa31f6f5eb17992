"""Inputs of the peers in Python: images of MNIST, and the case of a check.

A case is what bench/peers/first-steps.test.ts wrote for a workload: its parameters in their order and, where the network reads drawn spikes
or images, these. $BENCH_CHECK names the folder of cases, $BENCH_CHECK_AS the ending of the files that this peer adds to it.
"""

import os
import sys

import numpy

FOLDER = os.environ.get("BENCH_CHECK")

_case = None


def mnist(count):
    """The first images [count, 784] in [0, 1] and labels of the IDX files that the arguments name."""

    def read(path, header, size):
        return numpy.fromfile(path, dtype=numpy.uint8, count=header + size)[header:]

    images, labels = sys.argv[1:3]
    pixels = read(images, 16, 784 * count).reshape(count, 784).astype(numpy.float32)
    return pixels / numpy.float32(255), read(labels, 8, count).astype(numpy.int64)


def open_case(name):
    """Makes the case of this workload the one that is read from here on; without $BENCH_CHECK there is none."""
    global _case
    _case = None if FOLDER is None else numpy.fromfile(os.path.join(FOLDER, name), dtype=numpy.float32)


def case_parameters(sizes):
    """The parameters of the case, flat, one array for each size."""
    ends = numpy.cumsum(sizes)
    return numpy.split(_case[: ends[-1]], ends[:-1])


def case_spikes(shape):
    """The spikes or images of the case, or None where there is no case."""
    return None if _case is None else _case[-int(numpy.prod(shape)) :].reshape(shape)


def close_case(name, gradients, losses):
    """Writes what a check found: the gradients of the first step, in the order of the parameters, and the losses of all steps."""
    arrays = [numpy.asarray(values, dtype=numpy.float32).reshape(-1) for values in (*gradients, losses)]
    numpy.concatenate(arrays).tofile(os.path.join(FOLDER, f"{name}.{os.environ['BENCH_CHECK_AS']}"))
