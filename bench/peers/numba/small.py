"""The small step: 20-64-2, T 20, batch 64, cross-entropy of the mean output spikes, Adam."""

import numpy as np

import compiled
from compiled import f4
from network import Network, random, serve


class Small(Network):
    def __init__(self):
        super().__init__((20, 64, 2), 20, 64, 0.9, 1e-3)
        self.rates = random.random((self.B, 20), f4)
        self.x = None
        self.y = np.arange(self.B) % 2
        self.out_membranes, self.out_spikes, self.d_out = (np.empty((self.T, self.B * 2), f4) for _ in range(3))
        self.d_mean = np.empty((self.B, 2), f4)

    def gradients(self):
        w1, b1, w2, b2 = self.parameters
        if self.x is None:
            self.x = self.draw(self.rates)
        rows = self.T * self.B
        compiled.leaky((self.x @ w1 + b1).reshape(self.T, -1), self.membranes, self.spikes, self.beta)
        spikes = self.spikes.reshape(rows, -1)
        compiled.leaky((spikes @ w2 + b2).reshape(self.T, -1), self.out_membranes, self.out_spikes, self.beta)
        mean = self.out_spikes.mean(0).reshape(self.B, -1)
        loss = compiled.cross_entropy(mean, self.y, f4(1 / self.B), self.d_mean)
        d_spikes = self.d_mean.reshape(1, -1) / f4(self.T)
        compiled.leaky_gradient(d_spikes, self.out_membranes, self.d_out, self.beta)
        d_out = self.d_out.reshape(rows, -1)
        compiled.leaky_gradient((d_out @ w2.T).reshape(self.T, -1), self.membranes, self.gradient, self.beta)
        d = self.gradient.reshape(rows, -1)
        return [self.x.T @ d, d.sum(0), spikes.T @ d_out, d_out.sum(0)], loss


serve(step=Small())
