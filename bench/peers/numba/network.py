"""Networks of two layers in Numba: loops by hand, and products of NumPy on OpenBLAS where they are dense."""

import math

import numba
import numpy as np

import data
import compiled
from protocol import answer

f4 = np.float32
random = np.random.Generator(np.random.SFC64(0))


class Network:
    """A network I-H-O with Adam. A subclass gives the gradients of its parameters and its loss."""

    def __init__(self, sizes, T, B, beta, lr):
        self.sizes, self.T, self.B, self.beta, self.lr = sizes, T, B, f4(beta), lr
        I, H, O = sizes
        self.parameters = [self.uniform(n, *shape) for n, shape in ((I, (I, H)), (I, (H,)), (H, (H, O)), (H, (O,)))]
        self.moments = [(np.zeros(w.size, f4), np.zeros(w.size, f4)) for w in self.parameters]
        self.membranes, self.spikes, self.gradient = (np.empty((T, B * H), f4) for _ in range(3))
        self.count = 0

    def uniform(self, n, *shape):
        """Parameters as PyTorch draws them, for n inputs."""
        return ((random.random(shape) * 2 - 1) / math.sqrt(n)).astype(f4)

    def draw(self, rates):
        """Spikes [T·B, I] by rates [B, I], or those of a check."""
        given = data.case_spikes((self.T, *rates.shape))
        if given is None:
            given = random.random((self.T, rates.size), f4)
            compiled.fire(given, rates.reshape(-1))
        return given.reshape(-1, rates.shape[1])

    def __call__(self):
        gradients, loss = self.gradients()
        self.count += 1
        for w, gradient, (m, v) in zip(self.parameters, gradients, self.moments):
            compiled.adam(w.reshape(-1), np.ascontiguousarray(gradient).reshape(-1), m, v, self.lr, self.count)
        return gradients, loss

    def check(self, steps):
        """From the parameters of the case: the gradients of the first step, and the losses of all. Weights are [out, in] there."""
        for w, values in zip(self.parameters, data.case_parameters([w.size for w in self.parameters])):
            w[:] = values.reshape(w.T.shape).T
        taken = [self() for _ in range(steps)]
        return [gradient.T for gradient in taken[0][0]], [loss for _, loss in taken]


def serve(**workloads):
    answer(f"Numba {numba.__version__}", workloads)
