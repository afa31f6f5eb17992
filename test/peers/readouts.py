"""Maxima over time whose steps tie, by PyTorch, for test/fixtures/torch/readouts.json.

    python3 test/peers/readouts.py > test/fixtures/torch/readouts.json        needs torch

A spiking layer and a leaky readout that is silent in its first steps: the largest membrane of an output that never rises above 0 is
the 0 of all these steps. `max(0).values` gives its gradient to the first of them, `amax(0)` an equal share to each.
"""

import json
import sys

import torch

torch.manual_seed(0)
T, B, INPUTS, HIDDEN, OUTPUTS = 12, 3, 4, 8, 3
BETA, THRESHOLD, SLOPE = 0.875, 1.0, 4.0


def tensor(t):
    return {"shape": list(t.shape), "data": [float(f"{x:.9g}") for x in t.detach().flatten().tolist()]}


def short(t):
    """The values with few digits in the file."""
    return (t * 64).round() / 64


class Spike(torch.autograd.Function):
    """1 where x ≥ 0, with the derivative of a fast sigmoid."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return (x >= 0).float()

    @staticmethod
    def backward(context, upstream):
        (x,) = context.saved_tensors
        return upstream / (SLOPE * x.abs() + 1) ** 2


def network(x, w1, w2):
    """The membranes of the readout, [T, B, OUTPUTS]."""
    v, m, membranes = torch.zeros(B, HIDDEN), torch.zeros(B, OUTPUTS), []
    for now in x:
        u = BETA * v + now @ w1.T
        s = Spike.apply(u - THRESHOLD)
        v = u * (1 - s.detach())
        m = BETA * m + s @ w2.T
        membranes.append(m)
    return torch.stack(membranes)


MAXIMA = {"first": lambda v: v.max(0).values, "share": lambda v: v.amax(0)}


def entry(ties):
    leaves = {"x": X.clone(), "w1": W1.clone(), "w2": W2.clone()}
    for leaf in leaves.values():
        leaf.requires_grad_()
    membrane = network(**leaves)
    largest = MAXIMA[ties](membrane)
    tied = ((membrane == largest).sum(0) > 1).sum().item()
    loss = torch.nn.functional.cross_entropy(largest, torch.tensor(LABELS))
    loss.backward()
    return {
        "name": f"largest membrane, ties {ties}",
        "op": "largest",
        "attrs": {"ties": ties, "tied": tied, "labels": LABELS, "beta": BETA, "threshold": THRESHOLD, "slope": SLOPE},
        "inputs": {name: tensor(leaf) for name, leaf in leaves.items()},
        "outputs": {"membrane": tensor(membrane), "largest": tensor(largest), "loss": tensor(loss)},
        "upstream": {"loss": {"shape": [], "data": [1]}},
        "grads": {name: tensor(leaf.grad) for name, leaf in leaves.items()},
    }


X = short(0.5 * torch.rand(T, B, INPUTS))
W1 = short(0.75 * torch.rand(HIDDEN, INPUTS))
W2 = short(0.5 * torch.randn(OUTPUTS, HIDDEN) - 0.25)
LABELS = [0, 1, 2]

content = {"source": {"torch": torch.__version__}, "entries": [entry(ties) for ties in MAXIMA]}
json.dump(content, sys.stdout, separators=(",", ":"))
print()
