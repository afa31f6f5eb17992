"""The small step: 20-64-2, T 20, batch 64, cross-entropy of the mean output spikes, Adam."""

import torch
from torch import nn

from snn import Leaky, Training, poisson, serve

T, BATCH, BETA = 20, 64, 0.9

fc1, fc2 = nn.Linear(20, 64), nn.Linear(64, 2)
hidden, out = Leaky(BETA), Leaky(BETA)
rates = torch.rand(BATCH, 20)
x = None
y = torch.arange(BATCH) % 2


def draw(_):
    global x
    if x is None:
        x = poisson(rates, T)


def loss():
    spikes, _ = out(fc2(hidden(fc1(x))[0]))
    return nn.functional.cross_entropy(spikes.mean(0), y)


serve(prepare=draw, step=Training([*fc1.parameters(), *fc2.parameters()], 1e-3, loss))
