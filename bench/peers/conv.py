"""The convolutional step: 12C5-MP2-64C5-MP2-10, T 50, batch 128, cross-entropy of the output spikes of every step, Adam.

The image is a current that does not change, and goes through the first convolution once. Eager PyTorch takes the second one a step at a time,
which the cache prefers to all steps at once; the form with one Function folds time into the batch, all at once or a step at a time,
whichever is faster here.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, max_pool2d

import loops
from eager import FastSigmoid
from snn import IS_LOOP, Training, mnist, serve

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
images, y = mnist(BATCH)
x = images.reshape(BATCH, 1, 28, 28)
labels = y.repeat(T)


def by_steps():
    first, second, out = Leaky(), Leaky(), Leaky()
    current = max_pool2d(conv1(x), 2)
    spikes = []
    for _ in range(T):
        hidden = second(max_pool2d(conv2(first(current)), 2))
        spikes.append(out(fc(hidden.flatten(1))))
    return cross_entropy(torch.cat(spikes), labels)


def multi_step(convolve):
    first = loops.Leaky(BETA, T, loops.fast_sigmoid)
    second, out = (loops.Leaky(BETA, divisor=loops.fast_sigmoid) for _ in range(2))

    def loss():
        spikes, _ = first(max_pool2d(conv1(x), 2))
        spikes, _ = second(convolve(spikes))
        spikes, _ = out(fc(spikes.flatten(2)))
        return cross_entropy(spikes.flatten(0, 1), labels)

    return loss


def folded(spikes):
    return max_pool2d(conv2(spikes.flatten(0, 1)), 2).unflatten(0, (T, BATCH))


def in_turn(spikes):
    return torch.stack([max_pool2d(conv2(spike), 2) for spike in spikes.unbind(0)])


losses = [multi_step(folded), multi_step(in_turn)] if IS_LOOP else [by_steps]
serve(step=Training([p for layer in (conv1, conv2, fc) for p in layer.parameters()], 1e-2, *losses))
