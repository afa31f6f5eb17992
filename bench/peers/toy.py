"""The step of the toy trainer: 32-128-2, T 25, batch 128, Poisson input, reset to zero, sigmoid surrogate, Adam.

`published`: as such networks are usually written, with both layers and a refractory counter inside the time loop.
`step`: the same network as eager PyTorch runs it fastest.
"""

import torch
from torch import nn

from snn import serve, training

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


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(FEATURES, HIDDEN)
        self.fc2 = nn.Linear(HIDDEN, 2)


class Published(Net):
    def forward(self, x):
        v = torch.zeros(BATCH, HIDDEN)
        held = torch.zeros(BATCH, HIDDEN, dtype=torch.int64)
        total = 0
        for spikes_in in (torch.rand((T, *x.shape)) < x).float():
            free = (held <= 0).float()
            u = (BETA * v + self.fc1(spikes_in)) * free + v * (1 - free)
            s = Spike.apply(u)
            if REFRACTORY > 0:
                held = torch.where(s.bool(), REFRACTORY, (held - 1).clamp(min=0))
            v = torch.where(s.bool(), torch.zeros_like(u), u)
            total = total + self.fc2(s)
        return total / T


class Fast(Net):
    """One product for all steps, the output layer on the mean."""

    def forward(self, x):
        currents = self.fc1((torch.rand((T, *x.shape)) < x).float()).unbind(0)
        u = currents[0]
        s = Spike.apply(u)
        total = s
        for current in currents[1:]:
            u = torch.add(current, u.masked_fill(s.detach().bool(), 0), alpha=BETA)
            s = Spike.apply(u)
            total = total + s
        return self.fc2(total / T)


x = torch.rand(BATCH, FEATURES)
y = torch.randint(0, 2, (BATCH,))


def step_of(net):
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    return training(lambda: nn.functional.cross_entropy(net(x), y), optimizer)


serve(published=step_of(Published()), step=step_of(Fast()))
