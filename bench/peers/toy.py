"""The step of the toy trainer: 32-128-2, T 25, batch 128, Poisson input, reset to zero, sigmoid surrogate, Adam.

`published`: as such networks are usually written, with both layers and a refractory counter inside the time loop.
`step`: the same network as PyTorch runs it fastest, one product for all steps, the output layer on the mean.
"""

import torch
from torch import nn

from loops import Layer
from snn import IS_LOOP, Training, poisson, serve

T, BATCH, FEATURES, HIDDEN = 25, 128, 32, 128
BETA, THRESHOLD, SLOPE, REFRACTORY = 0.95, 1.0, 10.0, 0


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u):
        ctx.save_for_backward(u)
        return (u >= THRESHOLD).float()

    @staticmethod
    def backward(ctx, grad):
        (u,) = ctx.saved_tensors
        s = torch.sigmoid(SLOPE * (u - THRESHOLD))
        return grad * SLOPE * s * (1 - s)


def published(fc1, fc2):
    v = torch.zeros(BATCH, HIDDEN)
    held = torch.zeros(BATCH, HIDDEN, dtype=torch.int64)
    total = 0
    for spikes_in in (torch.rand((T, *x.shape)) < x).float():
        free = (held <= 0).float()
        u = (BETA * v + fc1(spikes_in)) * free + v * (1 - free)
        s = Spike.apply(u)
        if REFRACTORY > 0:
            held = torch.where(s.bool(), REFRACTORY, (held - 1).clamp(min=0))
        v = torch.where(s.bool(), torch.zeros_like(u), u)
        total = total + fc2(s)
    return total / T


def count_eager(currents):
    """The number of spikes [B, N] over time."""
    first, *rest = currents.unbind(0)
    u = first
    s = Spike.apply(u)
    total = s
    for current in rest:
        u = torch.add(current, u.masked_fill(s.detach().bool(), 0), alpha=BETA)
        s = Spike.apply(u)
        total = total + s
    return total


class CountLoop(torch.autograd.Function):
    """The same with one Function for all steps."""

    @staticmethod
    def forward(ctx, currents, layer):
        ctx.layer = layer
        layer.reserve(currents.shape)
        # Where the neuron is silent there is a 1, by which a product keeps the membrane and resets it elsewhere.
        before = None
        for current, (u, silent) in zip(currents.unbind(0), layer.forwards):
            if before is None:
                u.copy_(current)
            else:
                torch.add(current, torch.mul(*before, out=layer.kept), alpha=BETA, out=u)
            torch.lt(u, THRESHOLD, out=silent)
            before = u, silent
        return T - layer.spikes.sum(0)

    @staticmethod
    def backward(ctx, grad):
        layer = ctx.layer
        grad = grad * SLOPE
        for u, gradient in layer.blocks:
            s = torch.sub(u, THRESHOLD, out=gradient).mul_(SLOPE).sigmoid_()
            torch.addcmul(s, s, s, value=-1, out=gradient).mul_(grad)
        silent = reversed(layer.spikes[:-1].unbind(0))
        for step, later, silent in zip(layer.backwards[1:], layer.backwards, silent):
            step.addcmul_(later, silent, value=BETA)
        return layer.gradient, None


x = torch.rand(BATCH, FEATURES)
y = torch.arange(BATCH) % 2
layer = Layer()
layer.kept = torch.empty(BATCH, HIDDEN)


def count_loop(currents):
    return CountLoop.apply(currents, layer)


def fast(fc1, fc2):
    count = count_loop if IS_LOOP else count_eager
    return fc2(count(fc1(poisson(x, T))) / T)


def training(network):
    layers = nn.Linear(FEATURES, HIDDEN), nn.Linear(HIDDEN, 2)
    parameters = [p for layer in layers for p in layer.parameters()]
    return Training(parameters, 1e-3, lambda: nn.functional.cross_entropy(network(*layers), y))


serve(published=training(published), step=training(fast))
