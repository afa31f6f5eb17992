"""Neurons by autograd over the time steps, written as eager PyTorch runs them fastest.

The input of a layer is multiplied for all steps at once; one step of neurons is an addition, a subtraction and the
spikes. `unbind` has one backward node for all steps, where indexing has one a step, as large as the whole sequence.
"""

import torch


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


class Leaky:
    """Spikes and membranes [T, B, ...] of snnTorch's Leaky, from currents [T, B, ...], or [B, ...] that are the same in `steps` steps."""

    def __init__(self, beta, steps=None):
        self.beta, self.steps = beta, steps

    def __call__(self, currents):
        currents = currents.unbind(0) if self.steps is None else [currents] * self.steps
        membrane = currents[0]
        spike = Spike.apply(membrane)
        spikes, membranes = [spike], [membrane]
        for current in currents[1:]:
            membrane = torch.add(current, membrane, alpha=self.beta) - spike.detach()
            spike = Spike.apply(membrane)
            spikes.append(spike)
            membranes.append(membrane)
        return torch.stack(spikes), torch.stack(membranes)


class RecurrentLeaky:
    """Spikes [T, B, N] of Leaky neurons whose spikes come back by a linear layer, from currents [T, B, N]."""

    def __init__(self, recurrent, beta):
        self.recurrent, self.beta = recurrent, beta

    def __call__(self, currents):
        # From no spikes: the first step still has the bias of the recurrent layer.
        first, *rest = currents.unbind(0)
        membrane = first + self.recurrent.bias
        spike = Spike.apply(membrane)
        spikes = [spike]
        for current in rest:
            membrane = torch.add(current + self.recurrent(spike), membrane, alpha=self.beta) - spike.detach()
            spike = Spike.apply(membrane)
            spikes.append(spike)
        return torch.stack(spikes)
