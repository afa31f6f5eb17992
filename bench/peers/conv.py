"""The convolutional step: 12C5-MP2-64C5-MP2-10, T 50, batch 128, cross-entropy of the output spikes of every step, Adam.

The image is a current that does not change, and goes through the first convolution once; the second one takes a step
at a time, which the cache prefers to all steps at once.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, max_pool2d

from snn import FastSigmoid, mnist, serve, training

T, BATCH, BETA = 50, 128, 0.5


class Leaky:
    """snnTorch's Leaky, a step at a time."""

    def __init__(self):
        self.membrane = None

    def __call__(self, current):
        if self.membrane is None:
            self.membrane = current
        else:
            self.membrane = torch.add(current, self.membrane, alpha=BETA) - self.spike.detach()
        self.spike = FastSigmoid.apply(self.membrane)
        return self.spike


conv1, conv2, fc = nn.Conv2d(1, 12, 5), nn.Conv2d(12, 64, 5), nn.Linear(1024, 10)
optimizer = torch.optim.Adam([p for layer in (conv1, conv2, fc) for p in layer.parameters()], lr=1e-2)
images, y = mnist(BATCH)
x = images.reshape(BATCH, 1, 28, 28)
labels = y.repeat(T)


def loss():
    first, second, out = Leaky(), Leaky(), Leaky()
    current = max_pool2d(conv1(x), 2)
    spikes = []
    for _ in range(T):
        hidden = second(max_pool2d(conv2(first(current)), 2))
        spikes.append(out(fc(hidden.flatten(1))))
    return cross_entropy(torch.cat(spikes), labels)


serve(step=training(loss, optimizer))
