"""Deep networks of the literature, T 4, Adam: SEW-ResNet-18, Norse's network for CIFAR-10, SpikingJelly's CSNN, a Spikformer.

All in the multi-step form: a layer takes all time steps at once, time is folded into the batch of convolutions, products and normalisations.
The image is a current that does not change, and goes through the first convolution once.
"""

import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy, max_pool2d

import resets
from snn import IS_LOOP, Training, mnist, numbers, serve

T, CLASSES = 4, 10
SHAPES = {"sew": (8, 3, 32, 32), "cifar": (8, 3, 32, 32), "spikformer": (16, 3, 32, 32)}

images = {}


def draw(name):
    if name in SHAPES and name not in images:
        images[name] = numbers(SHAPES[name])


def reset(steps=None, **options):
    return (resets.Loop if IS_LOOP else resets.Eager)(steps=steps, **options)


def folded(layer, x):
    """A layer over [T·B, ...] on x [T, B, ...]."""
    return layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class Spiking(nn.Module):
    """A convolution without bias, normalisation over time and batch, neurons. The first layer of a network takes images [B, C, H, W]."""

    def __init__(self, inputs, outputs, kernel, stride=1, is_first=False, **options):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.is_first = is_first
        self.neurons = reset(T if is_first else None, **options)

    def currents(self, x):
        return self.norm(self.conv(x))

    def forward(self, x):
        return self.neurons(self.currents(x) if self.is_first else folded(self.currents, x))


class SewBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(Spiking(inputs, outputs, 3, stride), Spiking(outputs, outputs, 3))
        self.shortcut = nn.Sequential()
        if inputs != outputs or stride != 1:
            self.shortcut = Spiking(inputs, outputs, 1, stride)

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class SewResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Spiking(3, 64, 7, 2, is_first=True)
        widths = [64, 64, 128, 256, 512]
        strides = [1, 2, 2, 2]
        blocks = [
            block
            for inputs, outputs, stride in zip(widths, widths[1:], strides)
            for block in (SewBlock(inputs, outputs, stride), SewBlock(outputs, outputs, 1))
        ]
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(512, CLASSES)

    def forward(self, x):
        maps = folded(lambda spikes: max_pool2d(spikes, 3, 2, 1), self.stem(x))
        last = folded(lambda spikes: adaptive_avg_pool2d(spikes, 1), self.blocks(maps))
        return self.head(last.flatten(2)).mean(0)


class NorseCifar(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [3, 64, 128, 256, 256]
        self.convs = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False) for inputs, outputs in zip(widths, widths[1:])
        )
        self.head = nn.Linear(4096, CLASSES, bias=False)
        cell = dict(surrogate=resets.super_spike, rate=0.1, threshold=0.4, synapse=0.8)
        self.neurons = [reset(None if i > 0 else T, **cell) for i in range(4)]

    def forward(self, x):
        spikes = self.neurons[0](self.convs[0](x))
        for conv, neurons in zip(self.convs[1:], self.neurons[1:]):
            spikes = folded(lambda maps: max_pool2d(maps, 2), neurons(folded(conv, spikes)))
        membrane, current, membranes = torch.zeros(()), 0, []
        for jump in self.head(spikes.flatten(2)).unbind(0):
            current = current * 0.8 + jump
            membrane = membrane + 0.1 * (current - membrane)
            membranes.append(membrane)
        return torch.stack(membranes).max(0).values


class Csnn(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = Spiking(1, channels, 3, is_first=True)
        self.second = Spiking(channels, channels, 3)
        hidden = channels * 4 * 4
        self.fc1 = nn.Linear(channels * 7 * 7, hidden, bias=False)
        self.fc2 = nn.Linear(hidden, CLASSES, bias=False)
        self.neurons = [reset(), reset()]

    def forward(self, x):
        maps = folded(lambda spikes: max_pool2d(spikes, 2), self.first(x))
        maps = folded(lambda spikes: max_pool2d(spikes, 2), self.second(maps))
        hidden, out = self.neurons
        return out(self.fc2(hidden(self.fc1(maps.flatten(2))))).mean(0)


LEAKY = dict(surrogate=resets.sigmoid, rate=0.5, is_attached=False)


class Projected(nn.Module):
    """A linear layer without bias for each token, normalisation, neurons: [T, B, N, in] → [T, B, N, out]."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.norm = nn.BatchNorm1d(outputs)
        self.neurons = reset(**LEAKY)

    def forward(self, x):
        return self.neurons(self.norm(self.linear(x.flatten(0, 2))).unflatten(0, x.shape[:3]))


class SpikformerBlock(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.heads = heads
        self.qkv = Projected(size, 3 * size)
        self.attention = reset(threshold=0.5, **LEAKY)
        self.projection = Projected(size, size)
        self.mlp = nn.Sequential(Projected(size, 4 * size), Projected(4 * size, size))

    def attend(self, qkv):
        q, k, v = qkv.unflatten(-1, (3, self.heads, -1)).permute(3, 0, 1, 4, 2, 5)
        attended = self.attention((q @ (k.transpose(-2, -1) @ v)) * 0.125)
        return attended.transpose(2, 3).flatten(3)

    def forward(self, x):
        x = x + self.projection(self.attend(self.qkv(x)))
        return x + self.mlp(x)


class Spikformer(nn.Module):
    def __init__(self, size, heads, depth):
        super().__init__()
        widths = [3, size // 8, size // 4, size // 2, size]
        self.stem = nn.ModuleList(
            Spiking(inputs, outputs, 3, is_first=inputs == 3, **LEAKY) for inputs, outputs in zip(widths, widths[1:])
        )
        self.position = Spiking(size, size, 3, **LEAKY)
        self.blocks = nn.Sequential(*[SpikformerBlock(size, heads) for _ in range(depth)])
        self.head = nn.Linear(size, CLASSES)

    def forward(self, x):
        for i, layer in enumerate(self.stem):
            x = layer(x)
            if i >= 2:
                x = folded(lambda spikes: max_pool2d(spikes, 3, 2, 1), x)
        tokens = (x + self.position(x)).flatten(3).transpose(-2, -1)
        return self.head(self.blocks(tokens).mean((0, 2)))


def smoothed(outputs, y):
    return cross_entropy(outputs, y, label_smoothing=0.2, reduction="sum")


def on_colours(name, model, lr, loss=cross_entropy):
    y = torch.arange(SHAPES[name][0]) % CLASSES
    return Training(model.parameters(), lr, lambda: loss(model(images[name]), y))


def digits(batch):
    model = Csnn(128)
    x, y = mnist(batch)
    return Training(model.parameters(), 1e-3, lambda: cross_entropy(model(x.reshape(batch, 1, 28, 28)), y))


serve(
    prepare=draw,
    sew=on_colours("sew", SewResNet18(), 1e-3),
    cifar=on_colours("cifar", NorseCifar(), 2e-3, smoothed),
    csnn=digits(32),
    spikformer=on_colours("spikformer", Spikformer(128, 4, 2), 5e-4),
)
