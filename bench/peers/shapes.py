"""Networks by their sizes, a list in JSON as the argument: fully connected, recurrent, convolutional.

Each trains by the cross-entropy of the mean output membrane, with Adam, on spikes that every turn draws anew. Layers before and after
recurrent neurons take all steps in one product. Convolutions take all steps at once or one at a time, whichever is faster here.
"""

import json
import sys

import torch
from torch import nn
from torch.nn.functional import cross_entropy, max_pool2d

from snn import Spike, fastest, leaky, serve, training

BETA, CLASSES = 0.95, 10

networks = {network["name"]: network for network in json.loads(sys.argv[1])}


def draw(name):
    """The spikes of a turn, of one network at a time."""
    global x
    network = networks[name]
    pixels = [network["pixels"]] * 2 if network["kind"] == "conv" else []
    x = (torch.rand(network["T"], network["batch"], network["widths"][0], *pixels) * 100 < network["percent"]).float()


def readout(fc, spikes):
    return leaky(fc(spikes).unbind(0), BETA)[1].mean(0)


def fc_of(network):
    inputs, hidden = network["widths"]
    fc1, fc2 = nn.Linear(inputs, hidden), nn.Linear(hidden, CLASSES)
    return [fc1, fc2], [lambda: readout(fc2, leaky(fc1(x).unbind(0), BETA)[0])]


def recurrent_of(network):
    inputs, hidden = network["widths"]
    fc1, recurrent, fc2 = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, CLASSES)

    def forward():
        first, *rest = fc1(x).unbind(0)
        membrane = first + recurrent.bias
        spike = Spike.apply(membrane)
        spikes = [spike]
        for current in rest:
            membrane = torch.add(current + recurrent(spike), membrane, alpha=BETA) - spike.detach()
            spike = Spike.apply(membrane)
            spikes.append(spike)
        return readout(fc2, torch.stack(spikes))

    return [fc1, recurrent, fc2], [forward]


def conv_of(network):
    inputs, first, second = network["widths"]
    pixels, kernel = network["pixels"], network["kernel"]
    side = ((pixels - kernel + 1) // 2 - kernel + 1) // 2
    conv1, conv2 = nn.Conv2d(inputs, first, kernel), nn.Conv2d(first, second, kernel)
    fc = nn.Linear(second * side * side, CLASSES)

    def whole():
        spikes = x
        for conv in (conv1, conv2):
            currents = max_pool2d(conv(spikes.flatten(0, 1)), 2).unflatten(0, x.shape[:2])
            spikes, _ = leaky(currents.unbind(0), BETA)
        return readout(fc, spikes.flatten(2))

    def by_steps():
        states = [None, None]
        spikes = []
        for frame in x.unbind(0):
            for i, conv in enumerate((conv1, conv2)):
                membrane = max_pool2d(conv(frame), 2)
                if states[i] is not None:
                    before, spike = states[i]
                    membrane = torch.add(membrane, before, alpha=BETA) - spike.detach()
                frame = Spike.apply(membrane)
                states[i] = membrane, frame
            spikes.append(frame)
        return readout(fc, torch.stack(spikes).flatten(2))

    return [conv1, conv2, fc], [whole, by_steps]


KINDS = {"fc": fc_of, "recurrent": recurrent_of, "conv": conv_of}


def step_of(network):
    layers, ways = KINDS[network["kind"]](network)
    optimizer = torch.optim.Adam([p for layer in layers for p in layer.parameters()], lr=1e-3)
    labels = torch.arange(network["batch"]) % CLASSES
    steps = [training(lambda forward=forward: cross_entropy(forward(), labels), optimizer) for forward in ways]
    return fastest(*steps) if len(steps) > 1 else steps[0]


serve(prepare=draw, **{name: step_of(network) for name, network in networks.items()})
