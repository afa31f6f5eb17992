"""Quantized states of snnTorch, for test/fixtures/snntorch/state_quant.json.

    PEERS=FOLDER python3 test/peers/state_quant.py > test/fixtures/snntorch/state_quant.json

FOLDER holds the sources of snnTorch in a folder whose name ends in "snntorch". Values that lie in the middle between two levels are
left out: there a rounding decides.
"""

import glob
import json
import os
import sys
import types

peers = os.environ.get("PEERS")
if not peers:
    sys.exit("state_quant.py: expected the folder of the peers in $PEERS")
found = glob.glob(os.path.join(peers, "*snntorch"))
if not found:
    sys.exit(f"state_quant.py: no folder *snntorch in {peers}")
sys.path.insert(0, found[0])
for name in ("torchvision", "pandas", "matplotlib", "nir", "nirtorch"):  # imported by the peer, not used here
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)

import torch
import snntorch as snn
from snntorch.functional import quant

torch.manual_seed(0)


def tensor(t):
    return {"shape": list(t.shape), "data": [float(f"{x:.9g}") for x in t.detach().flatten().tolist()]}


def short(t):
    """The values with few digits in the file."""
    return (t * 256).round() / 256


def far_from_middles(x, function):
    levels = function.__closure__[0].cell_contents
    middles = (levels[1:] + levels[:-1]) / 2
    return x[(x[:, None] - middles).abs().min(1)[0] > 1e-5]


OPTIONS = [
    *({"num_bits": bits} for bits in (1, 2, 4, 8)),
    {"num_bits": 3, "threshold": 2.5, "lower_limit": 0.5, "upper_limit": 0.1},
    {"num_bits": 4, "lower_limit": 0.2, "upper_limit": 0.0},
    *({"num_bits": bits, "uniform": False} for bits in (1, 2, 3, 4, 5, 6)),
    *({"num_bits": bits, "uniform": False, "thr_centered": False} for bits in (1, 2, 4)),
    {"num_bits": 3, "uniform": False, "threshold": 1.5, "lower_limit": 0.3, "upper_limit": 0.4, "multiplier": 0.6},
]

levels = []
for options in OPTIONS:
    function = quant.state_quant(**options)
    theta = options.get("threshold", 1)
    spread = short(torch.linspace(-2 * theta, 2 * theta, 25) + 0.01 * torch.rand(25))
    x = far_from_middles(spread, function).requires_grad_()
    z = function(x)
    upstream = short(torch.randn(len(x)))
    (z * upstream).sum().backward()
    name = "levels: " + ", ".join(f"{key} {value}" for key, value in options.items())
    entry = {"name": name, "options": options, "input": tensor(x), "outputs": {"z": tensor(z)}}
    levels.append({**entry, "upstream": {"z": tensor(upstream)}, "grads": {"input": tensor(x.grad)}})


def run(name, neuron, kwargs, options, states):
    layer = getattr(snn, neuron)(**kwargs, state_quant=quant.state_quant(**options))
    current = short(1.2 * torch.randn(10, 2, 4)).requires_grad_()
    state = [torch.zeros(2, 4) for _ in states]
    outputs = {key: [] for key in ("spk", *states)}
    for now in current:
        spk, *state = layer(now, *state)
        for key, value in zip(outputs, (spk, *state)):
            outputs[key].append(value)
    outputs = {key: torch.stack(value) for key, value in outputs.items()}
    upstream = {key: short(torch.randn(value.shape)) for key, value in outputs.items()}
    sum((outputs[key] * upstream[key]).sum() for key in outputs).backward()
    return {
        "name": name,
        "class": neuron,
        "kwargs": kwargs,
        "options": options,
        "input": tensor(current),
        "outputs": {key: tensor(value) for key, value in outputs.items()},
        "upstream": {key: tensor(value) for key, value in upstream.items()},
        "grads": {"input": tensor(current.grad)},
    }


neurons = [
    *(
        run(f"leaky, {reset}, 4 bits", "Leaky", {"beta": 0.9, "reset_mechanism": reset}, {"num_bits": 4, "lower_limit": 0.5}, ["mem"])
        for reset in ("subtract", "zero", "none")
    ),
    run("leaky, dense, 3 bits", "Leaky", {"beta": 0.8}, {"num_bits": 3, "uniform": False}, ["mem"]),
    run("leaky, threshold 2, 8 bits", "Leaky", {"beta": 0.9, "threshold": 2.0}, {"num_bits": 8, "threshold": 2.0}, ["mem"]),
    run("synaptic, 5 bits", "Synaptic", {"alpha": 0.7, "beta": 0.8}, {"num_bits": 5, "lower_limit": 1.0, "upper_limit": 1.0}, ["syn", "mem"]),
]

source = {"snntorch": snn.__version__, "torch": torch.__version__}
json.dump({"source": source, "levels": levels, "neurons": neurons}, sys.stdout, separators=(",", ":"))
print()
