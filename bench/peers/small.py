"""The small step: 20-64-2, T 20, batch 64, cross-entropy of the mean output spikes, Adam."""

import torch
from torch import nn

from snn import leaky, serve, training

T, BATCH, BETA = 20, 64, 0.9

fc1, fc2 = nn.Linear(20, 64), nn.Linear(64, 2)
optimizer = torch.optim.Adam([*fc1.parameters(), *fc2.parameters()], lr=1e-3)
x = (torch.rand(T, BATCH, 20) < torch.rand(BATCH, 20)).float()
y = torch.arange(BATCH) % 2


def loss():
    hidden, _ = leaky(fc1(x).unbind(0), BETA)
    spikes, _ = leaky(fc2(hidden).unbind(0), BETA)
    return nn.functional.cross_entropy(spikes.mean(0), y)


serve(step=training(loss, optimizer))
