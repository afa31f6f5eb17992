"""The recurrent step: 700-256-20, T 100, batch 64, 2 % input spikes, cross-entropy of the mean output membrane, Adam.

The layers before and after the recurrent one take all steps in one product. Every turn trains on a new batch.
"""

import torch
from torch import nn

from snn import Leaky, RecurrentLeaky, Training, poisson, serve

T, BATCH, CLASSES, BETA = 100, 64, 20, 0.95

fc1, recurrent, fc2 = nn.Linear(700, 256), nn.Linear(256, 256), nn.Linear(256, CLASSES)
hidden, out = RecurrentLeaky(recurrent, BETA), Leaky(BETA)
rates = torch.full((BATCH, 700), 0.02)
y = torch.arange(BATCH) % CLASSES


def draw(_):
    global x
    x = poisson(rates, T)


def loss():
    _, membrane = out(fc2(hidden(fc1(x))))
    return nn.functional.cross_entropy(membrane.mean(0), y)


parameters = [p for layer in (fc1, recurrent, fc2) for p in layer.parameters()]
serve(prepare=draw, step=Training(parameters, 1e-3, loss))
