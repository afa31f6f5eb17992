"""An adaptive neuron, T 25, batch 128, 1000 neurons: forward, and backward from the mean over time to the current, beta and rho."""

import torch

from eager import Spike
from snn import serve

T, BATCH, N, KAPPA = 25, 128, 1000, 1.8

current = (torch.rand(T, BATCH, N) * 0.25).requires_grad_()
upstream = torch.rand(BATCH, N)
beta = torch.tensor(0.95, requires_grad=True)
rho = torch.tensor(0.97, requires_grad=True)


def step():
    for leaf in (current, beta, rho):
        leaf.grad = None
    v = torch.zeros(BATCH, N)
    a = torch.zeros(BATCH, N)
    spikes = []
    for i in current.unbind(0):
        u = v * beta + i
        # The spike is that of a threshold of 1.
        s = Spike.apply(torch.sub(u, a, alpha=KAPPA))
        v = u - s.detach()
        a = a * rho + s
        spikes.append(s)
    torch.stack(spikes).mean(0).backward(upstream)


serve(adaptive=step)
