"""Loops that Numba compiles: neurons [T, M] over time, spikes as lists, losses and Adam. Arrays come from the caller and are overwritten."""

import math

import numpy as np
from numba import njit

f4 = np.float32
jit = njit(fastmath=True, cache=True)

# Neurons whose arrays over time stay in the second-level cache.
BLOCK = 1024


@jit
def leaky(currents, membranes, spikes, beta):
    """snnTorch's Leaky from currents [T, M], or [1, M] that are the same in all steps."""
    T, M = membranes.shape
    for start in range(0, M, BLOCK):
        stop = min(M, start + BLOCK)
        for t in range(T):
            row = currents[t if currents.shape[0] > 1 else 0]
            for j in range(start, stop):
                before = beta * membranes[t - 1, j] - spikes[t - 1, j] if t > 0 else f4(0)
                membranes[t, j] = before + row[j]
                spikes[t, j] = f4(1) if membranes[t, j] > f4(1) else f4(0)


@jit
def leaky_gradient(d_spikes, membranes, gradient, beta):
    """The gradient of the currents from that of the spikes [T, M], or [1, M] that is the same in all steps; arctangent, alpha = 2.

    Into gradient [T, M], or summed over time into gradient [1, M].
    """
    T, M = membranes.shape
    carry = np.empty(BLOCK, f4)
    for start in range(0, M, BLOCK):
        stop = min(M, start + BLOCK)
        carry[:] = 0
        if gradient.shape[0] == 1:
            gradient[0, start:stop] = 0
        for t in range(T - 1, -1, -1):
            given = d_spikes[t if d_spikes.shape[0] > 1 else 0]
            for j in range(start, stop):
                x = f4(math.pi) * (membranes[t, j] - f4(1))
                carry[j - start] = beta * carry[j - start] + given[j] / (f4(1) + x * x)
            if gradient.shape[0] == 1:
                for j in range(start, stop):
                    gradient[0, j] += carry[j - start]
            else:
                for j in range(start, stop):
                    gradient[t, j] = carry[j - start]


@jit
def decayed(gradient, beta):
    """The gradient of the currents from that of the membranes [T, M], in its place."""
    for t in range(gradient.shape[0] - 2, -1, -1):
        for j in range(gradient.shape[1]):
            gradient[t, j] += beta * gradient[t + 1, j]


@jit
def fire(uniforms, rates):
    """Spikes in the place of uniforms [T, M]: 1 below the rates [M]."""
    for t in range(uniforms.shape[0]):
        for j in range(uniforms.shape[1]):
            uniforms[t, j] = f4(1) if uniforms[t, j] < rates[j] else f4(0)


@jit
def add_rows(z, x, w, bias):
    """z [R, N] = x [R, K] · w [K, N] + bias, of which only the rows of w are added where x is not 0."""
    for r in range(x.shape[0]):
        for j in range(z.shape[1]):
            z[r, j] = bias[j]
        for k in range(x.shape[1]):
            value = x[r, k]
            if value != f4(0):
                for j in range(z.shape[1]):
                    z[r, j] += value * w[k, j]


@jit
def cross_entropy(z, y, scale, gradient):
    """The sum over rows [R, K] of the cross-entropy with labels y, which repeat, times scale; its gradient."""
    loss = 0.0
    for r in range(z.shape[0]):
        label = y[r % y.size]
        most = z[r].max()
        total = f4(0)
        for c in range(z.shape[1]):
            gradient[r, c] = math.exp(z[r, c] - most)
            total += gradient[r, c]
        loss += scale * (math.log(total) + most - z[r, label])
        for c in range(z.shape[1]):
            gradient[r, c] *= scale / total
        gradient[r, label] -= scale
    return loss


@jit
def adam(w, gradient, m, v, lr, step):
    """A step of Adam on flat arrays."""
    rate = f4(lr / (1 - 0.9**step))
    scale = f4(1 / math.sqrt(1 - 0.999**step))
    for i in range(w.size):
        m[i] = f4(0.9) * m[i] + f4(0.1) * gradient[i]
        v[i] = f4(0.999) * v[i] + f4(0.001) * gradient[i] * gradient[i]
        w[i] -= rate * m[i] / (math.sqrt(v[i]) * scale + f4(1e-8))
