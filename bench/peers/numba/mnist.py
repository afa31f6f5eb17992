"""Tutorial 5's step: 784-1000-10, T 25, batch 128, summed cross-entropy of the output membrane, Adam.

`static`: the image is a current that does not change, and goes through the first layer once. `poisson`: every step draws spikes from the image,
which go through the first layer by a dense product or by adding the rows of the weights that they choose, whichever is faster here.
"""

import numpy as np

import data
import compiled
from compiled import f4
from network import Network, serve
from protocol import fastest


class Tutorial(Network):
    """A subclass gives the input [R, 784], its currents [R, 1000], and where their gradient goes."""

    def __init__(self):
        super().__init__((784, 1000, 10), 25, 128, 0.95, 5e-4)
        self.x, self.y = data.mnist(self.B)
        self.out_membranes, self.out_spikes, self.d_out = (np.empty((self.T, self.B * 10), f4) for _ in range(3))

    def gradients(self):
        _, _, w2, b2 = self.parameters
        x, currents = self.currents()
        compiled.leaky(currents.reshape(-1, self.B * 1000), self.membranes, self.spikes, self.beta)
        spikes = self.spikes.reshape(self.T * self.B, -1)
        compiled.leaky((spikes @ w2 + b2).reshape(self.T, -1), self.out_membranes, self.out_spikes, self.beta)
        d_out = self.d_out.reshape(self.T * self.B, -1)
        loss = compiled.cross_entropy(self.out_membranes.reshape(d_out.shape), self.y, f4(1 / self.B), d_out)
        compiled.decayed(self.d_out, self.beta)
        gradient = self.gradient[: len(x) // self.B]
        compiled.leaky_gradient((d_out @ w2.T).reshape(self.T, -1), self.membranes, gradient, self.beta)
        d = gradient.reshape(len(x), -1)
        return [x.T @ d, d.sum(0), spikes.T @ d_out, d_out.sum(0)], loss


class Static(Tutorial):
    def currents(self):
        w1, b1, _, _ = self.parameters
        return self.x, self.x @ w1 + b1


class Poisson(Tutorial):
    def __init__(self):
        super().__init__()
        self.made = np.empty((self.T * self.B, 1000), f4)
        self.multiply = fastest(self.dense, self.by_rows)

    def dense(self):
        w1, b1, _, _ = self.parameters
        np.matmul(self.spikes_in, w1, out=self.made)
        self.made += b1

    def by_rows(self):
        w1, b1, _, _ = self.parameters
        compiled.add_rows(self.made, self.spikes_in, w1, b1)

    def currents(self):
        self.spikes_in = self.draw(self.x)
        self.multiply()
        return self.spikes_in, self.made


serve(static=Static(), poisson=Poisson())
