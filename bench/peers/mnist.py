"""Tutorial 5's step in the best eager PyTorch we know: 784-1000-10, T 25, batch 128, Adam.

The static input goes through the first layer once, the output layer takes all steps in one product, and the loss sums
over time in one cross-entropy. Argument: the IDX file of the training images, then that of the labels.
Reads a number of steps a line, answers with the milliseconds of one step.
"""

import sys
import time

import numpy
import torch
from torch import nn

T, BATCH = 25, 128
BETA, THRESHOLD = 0.95, 1.0


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x > 0).float()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (1 + (torch.pi * x).pow_(2))


def leaky(current, steps):
    mem = torch.zeros(current.shape[-2:])
    spike = torch.zeros(current.shape[-2:])
    spikes, mems = [], []
    for t in range(steps):
        mem = BETA * mem + (current[t] if current.dim() == 3 else current) - THRESHOLD * spike.detach()
        spike = Spike.apply(mem - THRESHOLD)
        spikes.append(spike)
        mems.append(mem)
    return torch.stack(spikes), torch.stack(mems)


def read(path, header, count):
    return numpy.fromfile(path, dtype=numpy.uint8, count=header + count)[header:]


torch.set_num_threads(1)
torch.manual_seed(0)
x = torch.tensor(read(sys.argv[1], 16, 784 * BATCH).reshape(BATCH, 784)).float() / 255
y = torch.tensor(read(sys.argv[2], 8, BATCH)).long()
fc1, fc2 = nn.Linear(784, 1000), nn.Linear(1000, 10)
optimizer = torch.optim.Adam([*fc1.parameters(), *fc2.parameters()], lr=5e-4)
labels = y.repeat(T)


def step():
    spikes, _ = leaky(fc1(x), T)
    _, membrane = leaky(fc2(spikes), T)
    loss = nn.functional.cross_entropy(membrane.reshape(T * BATCH, 10), labels, reduction="sum") / BATCH
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


for line in sys.stdin:
    steps = int(line)
    start = time.perf_counter()
    for _ in range(steps):
        step()
    print((time.perf_counter() - start) * 1000 / steps, flush=True)
