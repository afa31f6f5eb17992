"""Tutorial 5's step: 784-1000-10, T 25, batch 128, summed cross-entropy of the output membrane, Adam.

`static`: the image is a current that does not change, and goes through the first layer once.
`poisson`: every step draws spikes from the image; all steps go through the first layer in one product.
"""

from torch import nn

from snn import Leaky, Training, mnist, poisson, serve

T, BATCH, BETA = 25, 128, 0.95

x, y = mnist(BATCH)
labels = y.repeat(T)


def training(hidden, encode):
    fc1, fc2 = nn.Linear(784, 1000), nn.Linear(1000, 10)
    out = Leaky(BETA)

    def loss():
        spikes, _ = hidden(fc1(encode()))
        _, membrane = out(fc2(spikes))
        return nn.functional.cross_entropy(membrane.reshape(T * BATCH, 10), labels, reduction="sum") / BATCH

    return Training([*fc1.parameters(), *fc2.parameters()], 5e-4, loss)


serve(
    static=training(Leaky(BETA, steps=T), lambda: x),
    poisson=training(Leaky(BETA), lambda: poisson(x, T)),
)
