"""Epochs of training over batches of 128 images in an order that is drawn for each: tutorial 5's network on MNIST, T 25, and a network with
convolutions, 12C5-MP2-64C5-MP2-10, T 25, whose classes are read from the rates of its last neurons.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, max_pool2d

from eager import FastSigmoid
from snn import Leaky, mnist, serve, take

T, BATCH = 25, 128


def epoch(count, layers, loss, lr):
    """Steps over all whole batches of the first `count` images, as one function."""
    images, labels = mnist(count)
    optimizer = torch.optim.Adam([p for layer in layers for p in layer.parameters()], lr=lr)

    def run():
        order = torch.randperm(count)
        for start in range(0, count - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            take(lambda x=images[chosen], y=labels[chosen]: loss(x, y), optimizer)

    return run


def dense():
    fc1, fc2 = nn.Linear(784, 1000), nn.Linear(1000, 10)
    hidden, out = Leaky(0.95, steps=T), Leaky(0.95)

    def loss(x, y):
        spikes, _ = hidden(fc1(x))
        _, membrane = out(fc2(spikes))
        return cross_entropy(membrane.reshape(T * BATCH, 10), y.repeat(T), reduction="sum") / BATCH

    return epoch(60_000, [fc1, fc2], loss, 5e-4)


class Neurons:
    """Leaky neurons of beta 0.5 that subtract the threshold where they fire, a step at a time."""

    rest = None

    def __call__(self, current):
        membrane = current if self.rest is None else torch.add(current, self.rest, alpha=0.5)
        spikes = FastSigmoid.apply(membrane)
        self.rest = membrane - spikes.detach()
        return spikes


def convolutions():
    conv1, conv2, fc = nn.Conv2d(1, 12, 5), nn.Conv2d(12, 64, 5), nn.Linear(1024, 10)

    def loss(x, y):
        first, second = Neurons(), Neurons()
        current = max_pool2d(conv1(x.reshape(BATCH, 1, 28, 28)), 2)
        spikes = sum(second(max_pool2d(conv2(first(current)), 2)) for _ in range(T))
        return cross_entropy(fc(spikes.flatten(1) / T), y)

    return epoch(6000, [conv1, conv2, fc], loss, 1e-2)


serve(mnist=dense(), conv=convolutions())
