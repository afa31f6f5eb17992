"""Networks by their sizes, a list in JSON as the argument: fully connected, recurrent, convolutional.

Each trains by the cross-entropy of the mean output membrane, with Adam, on spikes that every turn draws anew. Layers before and after
recurrent neurons take all steps in one product. Eager PyTorch takes convolutions for all steps at once or one at a time, whichever is faster
here; the form with one Function folds time into their batch.
"""

import json
import sys

import torch
from torch import nn
from torch.nn.functional import cross_entropy, max_pool2d

from eager import Spike
from snn import IS_LOOP, Leaky, RecurrentLeaky, Training, poisson, serve

BETA, CLASSES = 0.95, 10

networks = {network["name"]: network for network in json.loads(sys.argv[1])}


def draw(name):
    """The spikes of a turn, of one network at a time."""
    global x
    network = networks[name]
    pixels = [network["pixels"]] * 2 if network["kind"] == "conv" else []
    x = poisson(torch.full((network["batch"], network["widths"][0], *pixels), network["percent"] / 100), network["T"])


class Readout(nn.Linear):
    """The mean over time of the membranes of output neurons."""

    def __init__(self, inputs):
        super().__init__(inputs, CLASSES)
        self.neurons = Leaky(BETA)

    def forward(self, spikes):
        return self.neurons(super().forward(spikes))[1].mean(0)


def fc_of(network):
    inputs, hidden = network["widths"]
    fc, readout, neurons = nn.Linear(inputs, hidden), Readout(hidden), Leaky(BETA)
    return [fc, readout], [lambda: readout(neurons(fc(x))[0])]


def recurrent_of(network):
    inputs, hidden = network["widths"]
    fc, recurrent, readout = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden), Readout(hidden)
    neurons = RecurrentLeaky(recurrent, BETA)
    return [fc, recurrent, readout], [lambda: readout(neurons(fc(x)))]


def conv_of(network):
    inputs, first, second = network["widths"]
    pixels, kernel = network["pixels"], network["kernel"]
    side = ((pixels - kernel + 1) // 2 - kernel + 1) // 2
    convs = nn.Conv2d(inputs, first, kernel), nn.Conv2d(first, second, kernel)
    layers = [(conv, Leaky(BETA)) for conv in convs]
    readout = Readout(second * side * side)

    def whole():
        spikes = x
        for conv, neurons in layers:
            currents = max_pool2d(conv(spikes.flatten(0, 1)), 2).unflatten(0, x.shape[:2])
            spikes, _ = neurons(currents)
        return readout(spikes.flatten(2))

    def by_steps():
        states = [None, None]
        spikes = []
        for frame in x.unbind(0):
            for i, conv in enumerate(convs):
                membrane = max_pool2d(conv(frame), 2)
                if states[i] is not None:
                    before, spike = states[i]
                    membrane = torch.add(membrane, before, alpha=BETA) - spike.detach()
                frame = Spike.apply(membrane)
                states[i] = membrane, frame
            spikes.append(frame)
        return readout(torch.stack(spikes).flatten(2))

    return [*convs, readout], [whole] if IS_LOOP else [whole, by_steps]


KINDS = {"fc": fc_of, "recurrent": recurrent_of, "conv": conv_of}


def training(network):
    layers, ways = KINDS[network["kind"]](network)
    labels = torch.arange(network["batch"]) % CLASSES
    losses = [lambda forward=forward: cross_entropy(forward(), labels) for forward in ways]
    return Training([p for layer in layers for p in layer.parameters()], 1e-3, *losses)


class Steps:
    """The steps of a network, which is made when its turn comes and freed when that of another one does."""

    turn = None, None

    def __init__(self, network):
        self.network = network

    def training(self):
        if Steps.turn[0] is not self:
            Steps.turn = None, None
            Steps.turn = self, training(self.network)
        return Steps.turn[1]

    def __call__(self):
        self.training()()

    def check(self, steps):
        return self.training().check(steps)


serve(prepare=draw, **{name: Steps(network) for name, network in networks.items()})
