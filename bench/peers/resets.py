"""Neurons that a spike sets to 0, in the two forms of eager.py and loops.py.

    j[t] = synapse·j[t−1] + I[t]      u[t] = v[t−1] + rate·(j[t] − v[t−1])      s[t] = 1 if u[t] ≥ threshold      v[t] = (1 − s[t])·u[t]

Without a rate, u[t] = v[t−1] + j[t]. `is_attached`: the gradient flows through the reset too. A surrogate is a function that writes one over its
derivative in place of the distance from the threshold.
"""

import torch

import loops
from loops import arctangent


def sigmoid(distance):
    """Of the sigmoid (alpha = 4): 4·σ(4d)·(1 − σ(4d)) = 2 / (1 + cosh(4d))."""
    return distance.mul_(4).cosh_().add_(1).mul_(0.5)


def super_spike(distance):
    """Of SuperSpike (alpha = 100)."""
    return distance.abs_().mul_(100).add_(1).square_()


class Settings:
    def __init__(self, surrogate=arctangent, rate=None, threshold=1, synapse=0, is_attached=True, steps=None):
        self.surrogate, self.rate, self.threshold = surrogate, rate, threshold
        self.synapse, self.is_attached, self.steps = synapse, is_attached, steps

    def moved(self, v, j, out=None):
        """The membrane from v, or from 0."""
        if v is not None:
            return torch.add(v, j, out=out) if self.rate is None else torch.lerp(v, j, self.rate, out=out)
        if self.rate is not None:
            return torch.mul(j, self.rate, out=out)
        return j if out is None else out.copy_(j)


class Fire(torch.autograd.Function):
    @staticmethod
    def forward(ctx, membrane, settings):
        distance = membrane - settings.threshold
        ctx.save_for_backward(distance)
        ctx.surrogate = settings.surrogate
        return (distance >= 0).float()

    @staticmethod
    def backward(ctx, grad):
        (distance,) = ctx.saved_tensors
        return grad / ctx.surrogate(distance), None


class Eager(Settings):
    """Spikes [T, ...] by autograd over the time steps, from currents [T, ...], or [...] that are the same in `steps` steps."""

    def __call__(self, currents):
        v = j = None
        spikes = []
        for current in currents.unbind(0) if self.steps is None else [currents] * self.steps:
            j = current if j is None or self.synapse == 0 else torch.add(current, j, alpha=self.synapse)
            membrane = self.moved(v, j)
            spike = Fire.apply(membrane, self)
            v = torch.addcmul(membrane, membrane, spike if self.is_attached else spike.detach(), value=-1)
            spikes.append(spike)
        return torch.stack(spikes)


class Loop(Settings, loops.Layer):
    """The same by one Function around the loop over time."""

    def reserve(self, shape):
        if shape != self.shape:
            self.v = torch.empty(shape[1:])
            self.jumps = torch.zeros(shape[1:]) if self.synapse else None
            super().reserve(shape)

    def __call__(self, currents):
        return ResetLoop.apply(currents, self)


class ResetLoop(torch.autograd.Function):
    @staticmethod
    def forward(ctx, currents, layer):
        ctx.layer = layer
        layer.reserve(currents.shape if layer.steps is None else (layer.steps, *currents.shape))
        currents = currents.unbind(0) if layer.steps is None else [currents] * layer.steps
        v = None
        for current, (membrane, spike) in zip(currents, layer.forwards):
            if layer.synapse:
                current = layer.jumps.mul_(layer.synapse if v is not None else 0).add_(current)
            layer.moved(v, current, membrane)
            torch.ge(membrane, layer.threshold, out=spike)
            v = torch.addcmul(membrane, membrane, spike, value=-1, out=layer.v)
        return layer.spikes.detach()

    @staticmethod
    def backward(ctx, given):
        layer = ctx.layer
        for membranes, gradient in layer.blocks:
            layer.surrogate(torch.sub(membranes, layer.threshold, out=gradient))
        later = None
        steps = zip(reversed(given.unbind(0)), layer.backwards, reversed(layer.forwards))
        for d_spike, step, (membrane, spike) in steps:
            if later is None:
                torch.div(d_spike, step, out=step)
            else:
                d_v = later if layer.rate is None else torch.mul(later, 1 - layer.rate)
                if layer.is_attached:
                    d_spike = torch.addcmul(d_spike, d_v, membrane, value=-1)
                torch.div(d_spike, step, out=step).add_(d_v).addcmul_(d_v, spike, value=-1)
            later = step
        if layer.rate is not None:
            layer.gradient.mul_(layer.rate)
        if layer.synapse:
            for step, later in zip(layer.backwards[1:], layer.backwards):
                step.add_(later, alpha=layer.synapse)
        return layer.gradient if layer.steps is None else layer.gradient.sum(0), None
