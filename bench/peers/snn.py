"""What the PyTorch peers share: the neuron, written as eager PyTorch runs it fastest, and the protocol.

The input of a layer is multiplied for all steps at once; one step of neurons is an addition, a subtraction and the
spikes. `unbind` has one backward node for all steps, where indexing has one a step, as large as the whole sequence.
"""

import os
import sys
import time

import numpy
import torch

from protocol import answer

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.manual_seed(0)


class Spiking(torch.autograd.Function):
    """1 where the membrane is above 1; a subclass has the derivative in its place backwards."""

    @staticmethod
    def forward(ctx, membrane):
        distance = membrane - 1
        ctx.save_for_backward(distance)
        return (distance > 0).float()


class Spike(Spiking):
    """The derivative of the arctangent (alpha = 2)."""

    @staticmethod
    def backward(ctx, grad):
        (distance,) = ctx.saved_tensors
        return grad / distance.mul(torch.pi).square_().add_(1)


class FastSigmoid(Spiking):
    """The derivative of the fast sigmoid (slope 25)."""

    @staticmethod
    def backward(ctx, grad):
        (distance,) = ctx.saved_tensors
        return grad / distance.abs().mul_(25).add_(1).square_()


def leaky(currents, beta):
    """Spikes and membrane [T, B, N] of snnTorch's Leaky, from T currents [B, N]."""
    membrane = currents[0]
    spike = Spike.apply(membrane)
    spikes, membranes = [spike], [membrane]
    for current in currents[1:]:
        membrane = torch.add(current, membrane, alpha=beta) - spike.detach()
        spike = Spike.apply(membrane)
        spikes.append(spike)
        membranes.append(membrane)
    return torch.stack(spikes), torch.stack(membranes)


def mnist(count):
    """The first images [count, 784] and labels of the IDX files that the arguments name."""

    def read(path, header, size):
        return torch.from_numpy(numpy.fromfile(path, dtype=numpy.uint8, count=header + size)[header:])

    images, labels = sys.argv[1:3]
    return read(images, 16, 784 * count).reshape(count, 784).float() / 255, read(labels, 8, count).long()


def training(loss, optimizer):
    """A step of training, as a function."""

    def step():
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def fastest(*steps):
    """The fastest of these steps, which is found when it is first taken."""
    chosen = None

    def took(step):
        step()
        start = time.perf_counter()
        step()
        return time.perf_counter() - start

    def run():
        nonlocal chosen
        if chosen is None:
            chosen = min(steps, key=took)
        chosen()

    return run


def serve(prepare=lambda _: None, title=None, **workloads):
    """Answers for these workloads, functions of one step; `prepare` gets the name before the steps of a line, untimed."""
    on = f"PyTorch {torch.__version__}"
    answer(on if title is None else f"{title} on {on}", workloads, prepare)
