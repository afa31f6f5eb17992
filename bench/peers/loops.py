"""Neurons by one autograd.Function around the whole loop over time, as somebody writes them in PyTorch who cares for speed.

Arrays over time and the views of their steps are kept from one step of training to the next, and operations write into them. Backward is a loop
by hand. It computes the derivative of the surrogate for many time steps in one operation, as far as the cache holds their arrays: a small layer
costs its calls, a large one its memory.
"""

import torch

ONE = torch.ones(())

# Values of an array in one operation backwards: half a megabyte.
BLOCK = 2**17


def arctangent(distance):
    """One over the derivative of the arctangent (alpha = 2), in place of the distance from the threshold."""
    return torch.addcmul(ONE, distance, distance, value=torch.pi**2, out=distance)


def fast_sigmoid(distance):
    """One over the derivative of the fast sigmoid (slope 25), in place of the distance from the threshold."""
    return distance.abs_().mul_(25).add_(1).square_()


class Layer:
    """Neurons and their arrays [T, ...]: membranes, spikes, and the gradient of the currents."""

    shape = None

    def reserve(self, shape):
        if shape == self.shape:
            return
        self.shape = shape
        self.membranes, self.spikes, self.gradient = (torch.empty(shape) for _ in range(3))
        self.forwards = list(zip(self.membranes.unbind(0), self.spikes.unbind(0)))
        self.backwards = list(reversed(self.gradient.unbind(0)))
        self.length = max(1, BLOCK // self.membranes[0].numel())
        self.blocks = list(zip(self.membranes.split(self.length), self.gradient.split(self.length)))


class LeakyLoop(torch.autograd.Function):
    @staticmethod
    def forward(ctx, currents, layer):
        ctx.set_materialize_grads(False)
        ctx.layer = layer
        if layer.steps is None:
            layer.reserve(currents.shape)
            currents = currents.unbind(0)
        else:
            layer.reserve((layer.steps, *currents.shape))
            currents = [currents] * layer.steps
        before = None
        for current, (membrane, spike) in zip(currents, layer.forwards):
            if before is None:
                membrane.copy_(current)
            else:
                torch.add(current, before[0], alpha=layer.beta, out=membrane).sub_(before[1])
            torch.gt(membrane, 1, out=spike)
            before = membrane, spike
        return layer.spikes.detach(), layer.membranes.detach()

    @staticmethod
    def backward(ctx, d_spikes, d_membranes):
        layer = ctx.layer
        if d_spikes is None:
            layer.gradient.copy_(d_membranes)
        else:
            for (membranes, gradient), given in zip(layer.blocks, d_spikes.split(layer.length)):
                torch.sub(membranes, 1, out=gradient)
                torch.div(given, layer.divisor(gradient), out=gradient)
            if d_membranes is not None:
                layer.gradient.add_(d_membranes)
        for step, later in zip(layer.backwards[1:], layer.backwards):
            step.add_(later, alpha=layer.beta)
        return layer.gradient if layer.steps is None else layer.gradient.sum(0), None


class Leaky(Layer):
    """Spikes and membranes [T, B, ...] of snnTorch's Leaky, from currents [T, B, ...], or [B, ...] that are the same in `steps` steps."""

    def __init__(self, beta, steps=None, divisor=arctangent):
        self.beta, self.steps, self.divisor = beta, steps, divisor

    def __call__(self, currents):
        return LeakyLoop.apply(currents, self)


class RecurrentLoop(torch.autograd.Function):
    @staticmethod
    def forward(ctx, currents, weight, bias, layer):
        ctx.layer = layer
        ctx.save_for_backward(weight)
        layer.reserve(currents.shape)
        back = weight.t()
        before = None
        for current, (membrane, spike) in zip((currents + bias).unbind(0), layer.forwards):
            if before is None:
                membrane.copy_(current)
            else:
                torch.addmm(current, before[1], back, out=membrane).add_(before[0], alpha=layer.beta).sub_(before[1])
            torch.gt(membrane, 1, out=spike)
            before = membrane, spike
        return layer.spikes.detach()

    @staticmethod
    def backward(ctx, d_spikes):
        layer = ctx.layer
        (weight,) = ctx.saved_tensors
        # The arrays of the gradient hold the divisors of the surrogate until their step comes.
        for membranes, gradient in layer.blocks:
            layer.divisor(torch.sub(membranes, 1, out=gradient))
        later = None
        for step, given in zip(layer.backwards, reversed(d_spikes.unbind(0))):
            if later is None:
                torch.div(given, step, out=step)
            else:
                torch.div(torch.addmm(given, later, weight), step, out=step).add_(later, alpha=layer.beta)
            later = step
        size = weight.shape[0]
        d_weight = layer.gradient[1:].reshape(-1, size).t() @ layer.spikes[:-1].reshape(-1, size)
        return layer.gradient, d_weight, layer.gradient.sum((0, 1)), None


class RecurrentLeaky(Layer):
    """Spikes [T, B, N] of Leaky neurons whose spikes come back by a linear layer, from currents [T, B, N]."""

    def __init__(self, recurrent, beta, divisor=arctangent):
        self.recurrent, self.beta, self.divisor = recurrent, beta, divisor

    def __call__(self, currents):
        return RecurrentLoop.apply(currents, self.recurrent.weight, self.recurrent.bias, self)
