"""Tutorial 5's step: 784-1000-10, T 25, batch 128, summed cross-entropy of the output membrane, Adam.

`static`: the image is a current that does not change, and goes through the first layer once.
`poisson`: every step draws spikes from the image; all steps go through the first layer in one product.
"""

import torch
from torch import nn

from snn import leaky, mnist, serve, training

T, BATCH, BETA = 25, 128, 0.95

x, y = mnist(BATCH)
labels = y.repeat(T)


def step_of(currents):
    fc1, fc2 = nn.Linear(784, 1000), nn.Linear(1000, 10)
    optimizer = torch.optim.Adam([*fc1.parameters(), *fc2.parameters()], lr=5e-4)

    def loss():
        spikes, _ = leaky(currents(fc1), BETA)
        _, membrane = leaky(fc2(spikes).unbind(0), BETA)
        return nn.functional.cross_entropy(membrane.reshape(T * BATCH, 10), labels, reduction="sum") / BATCH

    return training(loss, optimizer)


def static(fc1):
    return [fc1(x)] * T


def poisson(fc1):
    return fc1((torch.rand(T, BATCH, 784) < x).float()).unbind(0)


serve(static=step_of(static), poisson=step_of(poisson))
