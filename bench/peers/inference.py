"""Images through tutorial 5's network: 784-1000-10, T 25, spikes of the output counted.

`batch`, `many`: 1 or 128 images go through the first layer once, the output layer takes all steps in one product.
`stream`: every step of one image is computed and read before the next one comes.
"""

import torch
from torch import nn

from snn import mnist, serve

T, BETA = 25, 0.95

images, _ = mnist(128)
x = images[:1]
fc1, fc2 = nn.Linear(784, 1000), nn.Linear(1000, 10)


def advance(current, membrane, spike):
    """The next membrane and spikes, both in place."""
    membrane.mul_(BETA).add_(current).sub_(spike)
    torch.gt(membrane, 1, out=spike)


def batch(x):
    size = len(x)

    @torch.no_grad()
    def step():
        membrane = torch.zeros(size, 1000)
        hidden = torch.zeros(T, size, 1000)
        current = fc1(x)
        before = torch.zeros(size, 1000)
        for spike in hidden.unbind(0):
            membrane.mul_(BETA).add_(current).sub_(before)
            torch.gt(membrane, 1, out=spike)
            before = spike
        membrane, spike, counts = torch.zeros(size, 10), torch.zeros(size, 10), torch.zeros(size, 10)
        for current in fc2(hidden).unbind(0):
            advance(current, membrane, spike)
            counts.add_(spike)
        return counts.tolist()

    return step


@torch.no_grad()
def stream():
    hidden = torch.zeros(1, 1000), torch.zeros(1, 1000)
    out = torch.zeros(1, 10), torch.zeros(1, 10)
    counts = [0.0] * 10
    for _ in range(T):
        advance(fc1(x), *hidden)
        advance(fc2(hidden[1]), *out)
        counts = [count + spike for count, spike in zip(counts, out[1][0].tolist())]
    return counts


serve(batch=batch(x), many=batch(images), stream=stream)
