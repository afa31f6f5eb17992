"""The recurrent step: 700-256-20, T 100, batch 64, 2 % input spikes, cross-entropy of the mean output membrane, Adam.

The layers before and after the recurrent one take all steps in one product. Every turn trains on a new batch.
"""

import torch
from torch import nn

from snn import Spike, leaky, serve, training

T, BATCH, CLASSES, BETA = 100, 64, 20, 0.95

fc1, recurrent, fc2 = nn.Linear(700, 256), nn.Linear(256, 256), nn.Linear(256, CLASSES)
optimizer = torch.optim.Adam([p for layer in (fc1, recurrent, fc2) for p in layer.parameters()], lr=1e-3)
y = torch.arange(BATCH) % CLASSES


def draw(_):
    global x
    x = (torch.rand(T, BATCH, 700) < 0.02).float()


def loss():
    # From no spikes: the first step still has the bias of the recurrent layer.
    first, *rest = fc1(x).unbind(0)
    membrane = first + recurrent.bias
    spike = Spike.apply(membrane)
    spikes = [spike]
    for current in rest:
        membrane = torch.add(current + recurrent(spike), membrane, alpha=BETA) - spike.detach()
        spike = Spike.apply(membrane)
        spikes.append(spike)
    _, membrane = leaky(fc2(torch.stack(spikes)).unbind(0), BETA)
    return nn.functional.cross_entropy(membrane.mean(0), y)


serve(prepare=draw, step=training(loss, optimizer))
