"""Neurons of the field, T 25, batch 128, 1000 neurons: forward, and backward from the mean over time to the current.

Each neuron has the equations of the package that it comes from, written as eager PyTorch runs them fastest.
"""

import torch

from snn import serve

T, BATCH, N = 25, 128, 1000


def surrogate(derivative, fires):
    """A spike with this derivative."""

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return fires(x).float()

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return derivative(x).mul_(grad)

    return Spike.apply


def positive(x):
    return x > 0


def sigmoid_slope(x):
    s = torch.sigmoid(4 * x)
    return s * (1 - s) * 4


# snnTorch, Norse, SpikingJelly.
atan = surrogate(lambda x: x.mul(torch.pi).square_().add_(1).reciprocal_(), positive)
super_spike = surrogate(lambda x: x.abs().mul_(100).add_(1).square_().reciprocal_(), positive)
sigmoid = surrogate(sigmoid_slope, lambda x: x >= 0)

upstream = torch.rand(BATCH, N)


def zeros(value=0.0):
    return torch.full((BATCH, N), value)


def currents(scale, shift=0.0):
    return (torch.rand(T, BATCH, N) * scale + shift).requires_grad_()


def synaptic(current):
    """snnTorch's Synaptic, alpha 0.9, beta 0.95, reset by subtraction one step late."""
    i, v = zeros(), zeros()
    spike = zeros()
    for x in current.unbind(0):
        i = torch.add(x, i, alpha=0.9)
        v = torch.add(i, v, alpha=0.95) - spike.detach()
        spike = atan(v - 1)
        yield spike


def alpha(current):
    """snnTorch's Alpha, alpha 0.9, beta 0.8, all of its three states reset to zero one step late."""
    a, b = 0.9, 0.8
    k = torch.log(torch.tensor(a)) / (torch.log(torch.tensor(b)) - torch.log(torch.tensor(a))) + 1
    excitatory, inhibitory = zeros(), zeros()
    spike = zeros()
    for x in current.unbind(0):
        kept = 1 - spike.detach()
        excitatory = torch.add(x, excitatory, alpha=a) * kept
        inhibitory = torch.sub(inhibitory * b, x) * kept
        v = (excitatory + inhibitory) * k
        spike = atan(v - 1)
        yield spike


def adaptive(current):
    """An adaptive threshold after Bellec et al., as in bench/peers/neurons.py."""
    v, a = zeros(), zeros()
    for x in current.unbind(0):
        u = torch.add(x, v, alpha=0.95)
        spike = super_spike(torch.sub(u - 1, a, alpha=1.8))
        v = u - spike.detach()
        a = torch.add(spike, a, alpha=0.97)
        yield spike


def adex(current):
    """Norse's LIFAdExCell with its defaults, dt 1 ms: a current that decays, an exponential upstroke, adaptation."""
    dt_mem, dt_ada, keep, delta = 0.1, 0.002, 0.8, 0.5
    v, i, w = zeros(), zeros(), zeros()
    for x in current.unbind(0):
        i = i + x
        u = v + (torch.exp((v - 1) / delta) * delta - v + i - w) * dt_mem
        w = w + (v * 4 - w) * dt_ada
        spike = super_spike(u - 1)
        v = (1 - spike) * u
        i = i * keep
        w = torch.add(w, spike, alpha=0.02)
        yield spike


def izhikevich(current):
    """Norse's IzhikevichCell, a quarter of a millisecond, tonic spiking."""
    a, b, c, d, dt = 0.02, 0.2, -65.0, 6.0, 0.25
    v, u = zeros(-65.0), zeros(-13.0)
    for x in current.unbind(0):
        next_v = v + ((v * 0.04 + 5) * v + 140 - u + x) * dt
        next_u = u + (v * b - u) * (a * dt)
        spike = super_spike(next_v - 30)
        v = (1 - spike) * next_v + spike * c
        u = torch.add(next_u, spike, alpha=d)
        yield spike


def conductance(current):
    """Norse's CobaLIFCell, fed forward, dt 0.1: excitatory and inhibitory conductances from the sign of the input."""
    dt, keep = 0.1, 1 - 0.1 * 0.2
    v, excite, inhibit = zeros(-20.0), zeros(), zeros()
    for x in current.unbind(0):
        excite = excite + torch.relu(x)
        inhibit = inhibit + torch.relu(-x)
        excite = excite * keep
        inhibit = inhibit * keep
        flow = (-20 - v) * 0.25 + excite * (60 - v) + inhibit * (-100 - v)
        u = torch.add(v, flow, alpha=dt * 5)
        spike = super_spike(u + 10)
        v = (1 - spike) * u - spike * 70
        yield spike


weight = torch.zeros((), requires_grad=True)


def plif(current):
    """SpikingJelly's ParametricLIFNode, tau 2 at the start, hard reset."""
    rate = weight.sigmoid()
    v = zeros()
    for x in current.unbind(0):
        h = v + (x - v) * rate
        spike = sigmoid(h - 1)
        v = h * (1 - spike)
        yield spike


def step(neuron, current):
    def run():
        current.grad = None
        weight.grad = None
        torch.stack(list(neuron(current))).mean(0).backward(upstream)

    return run


serve(
    synaptic=step(synaptic, currents(0.1)),
    alpha=step(alpha, currents(0.5)),
    adaptive=step(adaptive, currents(0.25)),
    adex=step(adex, currents(1.0)),
    izhikevich=step(izhikevich, currents(20.0)),
    conductance=step(conductance, currents(2.0, -0.5)),
    plif=step(plif, currents(2.0)),
)
