"""The step of the toy trainer: 32-128-2, T 25, batch 128, Poisson input, reset to zero, sigmoid surrogate, Adam."""

import math

import numpy as np

import compiled
from compiled import BLOCK, f4, jit
from network import Network, random, serve

SLOPE = f4(10)


@jit
def count_spikes(currents, membranes, counts, beta):
    """The number of spikes [M] over time."""
    counts[:] = 0
    T, M = membranes.shape
    for start in range(0, M, BLOCK):
        stop = min(M, start + BLOCK)
        for t in range(T):
            for j in range(start, stop):
                before = membranes[t - 1, j] if t > 0 and membranes[t - 1, j] < f4(1) else f4(0)
                membranes[t, j] = beta * before + currents[t, j]
                counts[j] += f4(1) if membranes[t, j] >= f4(1) else f4(0)


@jit
def count_gradient(d_counts, membranes, gradient, beta):
    """The gradient of the currents [T, M] from that of the counts [M]."""
    T, M = membranes.shape
    carry = np.empty(BLOCK, f4)
    for start in range(0, M, BLOCK):
        carry[:] = 0
        for t in range(T - 1, -1, -1):
            for j in range(start, min(M, start + BLOCK)):
                e = math.exp(-SLOPE * abs(membranes[t, j] - f4(1)))
                kept = carry[j - start] if membranes[t, j] < f4(1) else f4(0)
                carry[j - start] = beta * kept + d_counts[j] * SLOPE * e / ((f4(1) + e) * (f4(1) + e))
                gradient[t, j] = carry[j - start]


class Toy(Network):
    def __init__(self):
        super().__init__((32, 128, 2), 25, 128, 0.95, 1e-3)
        self.rates = random.random((self.B, 32), f4)
        self.y = np.arange(self.B) % 2
        self.counts = np.empty(self.B * 128, f4)
        self.d_out = np.empty((self.B, 2), f4)

    def gradients(self):
        w1, b1, w2, b2 = self.parameters
        x = self.draw(self.rates)
        currents = x @ w1
        currents += b1
        count_spikes(currents.reshape(self.T, -1), self.membranes, self.counts, self.beta)
        mean = self.counts.reshape(self.B, -1) * f4(1 / self.T)
        loss = compiled.cross_entropy(mean @ w2 + b2, self.y, f4(1 / self.B), self.d_out)
        d_counts = (self.d_out @ w2.T) * f4(1 / self.T)
        count_gradient(d_counts.reshape(-1), self.membranes, self.gradient, self.beta)
        d = self.gradient.reshape(self.T * self.B, -1)
        return [x.T @ d, d.sum(0), mean.T @ self.d_out, self.d_out.sum(0)], loss


serve(step=Toy())
