"""Costs of small networks as NeuroBench counts them, for test/fixtures/neurobench/costs.json.

    PEERS=FOLDER python3 test/peers/neurobench.py > test/fixtures/neurobench/costs.json

FOLDER holds the sources of NeuroBench and snnTorch, in folders whose names end in "neurobench" and "snntorch". Weights and inputs are
multiples of 1/8 and decays 1/2, so that all sums are exact and spikes do not depend on their order.
"""

import glob
import json
import os
import sys
import types

peers = os.environ.get("PEERS")
if not peers:
    sys.exit("neurobench.py: expected the folder of the peers in $PEERS")
for name in ("neurobench", "snntorch"):
    found = glob.glob(os.path.join(peers, f"*{name}"))
    if not found:
        sys.exit(f"neurobench.py: no folder *{name} in {peers}")
    sys.path.insert(0, found[0])
for name in ("torchvision", "torchmetrics", "pandas", "matplotlib"):  # imported by the peers, not used here
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)

import torch
from torch import nn

# The package of the metrics imports detection metrics too; its modules are loaded without it.
import neurobench

for package in ("metrics", "metrics.workload", "metrics.static"):
    module = types.ModuleType(f"neurobench.{package}")
    module.__path__ = [os.path.join(neurobench.__path__[0], *package.split("."))]
    sys.modules[f"neurobench.{package}"] = module

import snntorch as snn
from neurobench.metrics.static.connection_sparsity import ConnectionSparsity
from neurobench.metrics.static.footprint import Footprint
from neurobench.metrics.static.parameter_count import ParameterCount
from neurobench.metrics.workload.activation_sparsity import ActivationSparsity
from neurobench.metrics.workload.synaptic_operations import SynapticOperations
from neurobench.models import SNNTorchModel, TorchModel
from neurobench.version import __version__ as version

torch.manual_seed(3)


def eighths(*shape, zeros=0.3):
    values = torch.randint(-8, 12, shape) / 8
    return torch.where(torch.rand(shape) < zeros, torch.zeros(shape), values)


def weighted(layer):
    with torch.no_grad():
        layer.weight.copy_(eighths(*layer.weight.shape))
        if layer.bias is not None:
            layer.bias.copy_(eighths(*layer.bias.shape) / 4)
    return layer


def leaky():
    return snn.Leaky(beta=0.5, threshold=1.0, init_hidden=True)


class Steps(nn.Module):
    """Layers one after the other, one time step a call; the last gives spikes and membrane."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x, None


class RecurrentSteps(nn.Module):
    """A recurrent layer between two linear ones."""

    def __init__(self, features, hidden, classes):
        super().__init__()
        self.first = weighted(nn.Linear(features, hidden))
        self.hidden = snn.RLeaky(beta=0.5, threshold=1.0, linear_features=hidden, init_hidden=True)
        weighted(self.hidden.recurrent)
        self.last = weighted(nn.Linear(hidden, classes))
        self.out = leaky()

    def forward(self, x):
        return self.out(self.last(self.hidden(self.first(x)))), None


def golden(t):
    return {"shape": list(t.shape), "data": [float(v) for v in t.flatten()]}


def case(name, wrapper, net, batches):
    model = wrapper(net)
    model.register_hooks()
    operations, sparsity = SynapticOperations(), ActivationSparsity()
    total = sum(len(x) for x in batches)
    result = {"activationSparsity": 0.0}
    for x in batches:
        preds = model(x)
        result["synapticOperations"] = operations(model, preds, (x, None))
        result["activationSparsity"] += sparsity(model, preds, (x, None)) * len(x) / total
        model.reset_hooks()
    model.cleanup_hooks()
    result["connectionSparsity"] = ConnectionSparsity()(model)
    result["footprint"] = Footprint()(model)
    result["parameterCount"] = ParameterCount()(model)
    weights = {key: golden(value) for key, value in net.named_parameters()}
    return {"name": name, "weights": weights, "batches": [golden(x) for x in batches], "result": result}


def spikes(*shape, rate=0.4):
    return (torch.rand(shape) < rate).float()


graded = spikes(3, 5, 6)
graded[:, 1] *= 0.5  # a step of other values than 0 and 1, in each sample
graded[0, 3, 2] = -1
graded[1, 4] = 0

entries = [
    case(
        "convolutions with ReLU",
        TorchModel,
        nn.Sequential(
            weighted(nn.Conv2d(1, 4, 3, padding=1)),
            nn.ReLU(),
            weighted(nn.Conv2d(4, 6, 3, stride=2, groups=2)),
            nn.ReLU(),
            nn.Flatten(),
            weighted(nn.Linear(6 * 9, 5)),
        ),
        [eighths(3, 1, 8, 8), spikes(2, 1, 8, 8)],
    ),
    case("linear layers with Leaky", SNNTorchModel, Steps(weighted(nn.Linear(6, 8)), leaky(), weighted(nn.Linear(8, 3)), leaky()), [graded, spikes(2, 5, 6)]),
    case(
        "convolutions with Leaky and a mean",
        SNNTorchModel,
        Steps(
            weighted(nn.Conv2d(2, 4, 3, padding=1, bias=False)),
            leaky(),
            nn.AvgPool2d(2),
            weighted(nn.Conv2d(4, 4, 2, dilation=2)),
            leaky(),
            nn.Flatten(),
            weighted(nn.Linear(4 * 4, 3)),
            leaky(),
        ),
        [spikes(2, 4, 2, 8, 8), spikes(1, 4, 2, 8, 8, rate=0.1)],
    ),
    case("a recurrent layer, RLeaky", SNNTorchModel, RecurrentSteps(6, 7, 3), [spikes(3, 6, 6)]),
]
source = {"package": "neurobench", "version": version, "torch": torch.__version__, "snntorch": snn.__version__, "script": "neurobench.py"}
schema = "entries[]: weights by name, batches of inputs [B, ...] or, with time, [B, T, ...], and the results of NeuroBench over all batches"
json.dump({"source": source, "case": "costs", "schema": schema, "entries": entries}, sys.stdout)
