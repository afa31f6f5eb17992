"""The toy step in eager PyTorch: 32-128-2, T 25, batch 128, Poisson input, hard reset, sigmoid surrogate, Adam.

Reads a number of steps a line, answers with the milliseconds of one step.
"""

import sys
import time

import torch
from torch import nn

T, BATCH, FEATURES, HIDDEN = 25, 128, 32, 128
BETA, THRESHOLD, SLOPE = 0.95, 1.0, 10.0


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
    """The input layer takes all steps in one product, as does the output layer on the mean."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(FEATURES, HIDDEN)
        self.fc2 = nn.Linear(HIDDEN, 2)

    def forward(self, x):
        spikes_in = (torch.rand((T,) + x.shape) < x).float()
        current = self.fc1(spikes_in)
        v = torch.zeros(x.shape[0], HIDDEN)
        total = torch.zeros(x.shape[0], HIDDEN)
        for t in range(T):
            u = BETA * v + current[t]
            s = Spike.apply(u)
            v = u * (1 - s.detach())
            total = total + s
        return self.fc2(total / T)


torch.set_num_threads(1)
torch.manual_seed(0)
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
x = torch.rand(BATCH, FEATURES)
y = torch.randint(0, 2, (BATCH,))


def step():
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(x), y).backward()
    optimizer.step()


for line in sys.stdin:
    steps = int(line)
    start = time.perf_counter()
    for _ in range(steps):
        step()
    print((time.perf_counter() - start) * 1000 / steps, flush=True)
