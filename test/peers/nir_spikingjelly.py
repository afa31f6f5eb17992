"""Runs small networks in SpikingJelly, exports them to NIR by its exporter, and writes graphs, spikes and gradients as a fixture.

    PEERS=folder python3 test/peers/nir_spikingjelly.py        needs torch, h5py and the sources of SpikingJelly and nir in the folder

Written to test/fixtures/spikingjelly/nir.json: of each network the graph, the input [T, B, …], the spikes of the last neurons, and the
gradient of Σ spikes ⊙ seed with respect to the input. All neurons but the first network's have another v_reset than 0.
"""
import json
import os
import sys
import types
from pathlib import Path

import numpy as np
import torch
from torch import nn

FILE = Path(__file__).parent.parent / "fixtures/spikingjelly/nir.json"
SEED, T, B, DT = 11, 12, 2, 1e-4


def find_packages():
    peers = os.environ.get("PEERS")
    if not peers:
        sys.exit("nir_spikingjelly.py: expected PEERS, a folder with the sources of SpikingJelly and nir")
    for name in ["spikingjelly", "nir"]:
        found = [f.parent.parent for f in Path(peers).glob(f"*/{name}/__init__.py")]
        if not found:
            sys.exit(f"nir_spikingjelly.py: expected {name} below {peers}, found none")
        sys.path.insert(0, str(found[0]))

    class Missing(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})

    # The exporter traces modules by nirtorch. These networks are chains, which need no trace.
    for name in ["nirtorch", "torch.utils.tensorboard", "torch.utils.tensorboard.writer"]:
        sys.modules[name] = Missing(name)


find_packages()
import nir  # noqa: E402
from spikingjelly.activation_based import functional, layer, neuron  # noqa: E402
from spikingjelly.activation_based.nir_exchange.to_nir import _ModuleMapper  # noqa: E402

NETWORKS = {
    "lif": ([5], lambda: [layer.Linear(5, 8), neuron.LIFNode(v_threshold=0.6)]),
    "lif_decay_input": ([5], lambda: [layer.Linear(5, 8), neuron.LIFNode(tau=2.5, v_threshold=0.5, v_reset=-0.2)]),
    "lif_no_decay_input": (
        [5],
        lambda: [layer.Linear(5, 8, bias=False), neuron.LIFNode(tau=3.0, decay_input=False, v_reset=0.25)],
    ),
    "if": ([5], lambda: [layer.Linear(5, 8), neuron.IFNode(v_threshold=0.8, v_reset=-0.5)]),
    "parametric_lif": ([5], lambda: [layer.Linear(5, 8), neuron.ParametricLIFNode(init_tau=1.8, v_threshold=0.5, v_reset=0.1)]),
    "deep": (
        [1, 6, 6],
        lambda: [
            layer.Conv2d(1, 3, 3, padding=1),
            neuron.IFNode(v_threshold=0.6, v_reset=0.2),
            layer.AvgPool2d(2, 2),
            layer.Flatten(),
            layer.Linear(27, 4),
            neuron.LIFNode(tau=2.0, decay_input=False, v_threshold=0.1, v_reset=-0.2),
        ],
    ),
}


def exported(net, x):
    """The graph of a chain: every node by the exporter, for the shapes that the modules have seen."""
    mapper = _ModuleMapper.__new__(_ModuleMapper)
    mapper.dt, mapper.net, mapper.module_io_shape = DT, net, {}

    def see(module, inputs, output):
        mapper.module_io_shape[module] = {"input_shape": inputs[0].shape, "output_shape": output.shape}

    hooks = [module.register_forward_hook(see) for module in net]
    with torch.no_grad():
        net(x)
    functional.reset_net(net)
    for hook in hooks:
        hook.remove()
    return nir.NIRGraph.from_list(*[mapper.map(module) for module in net])


def tensor(values):
    array = np.asarray(values.detach() if torch.is_tensor(values) else values, dtype=np.float32)
    return {"shape": list(array.shape), "data": [float(f"{x:.9g}") for x in array.reshape(-1).tolist()]}


def plain(value):
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return tensor(value)
    if isinstance(value, (np.ndarray, list, tuple)):
        return [int(x) for x in value]
    return value.item() if isinstance(value, np.generic) else value


def described(node):
    fields = {name: plain(value) for name, value in node.to_dict().items() if name not in ("metadata", "shape")}
    return {**fields, "input_type": plain(node.input_type), "output_type": plain(node.output_type)}


def main():
    torch.manual_seed(SEED)
    networks = []
    for name, (shape, make) in NETWORKS.items():
        net = nn.Sequential(*make())
        functional.set_step_mode(net, "m")
        x = (torch.rand(T, B, *shape) * 4).requires_grad_()
        graph = exported(net, x)
        spikes = net(x)
        seed = torch.randn(spikes.shape)
        (spikes * seed).sum().backward()
        assert 0.05 < spikes.mean() < 0.95, f"{name}: {spikes.mean()}"
        networks.append({
            "name": name,
            "graph": {"nodes": {key: described(node) for key, node in graph.nodes.items()}, "edges": graph.edges},
            "input": tensor(x),
            "spikes": tensor(spikes),
            "seed": tensor(seed),
            "gradient": tensor(x.grad),
        })
    content = {
        "source": {"package": "spikingjelly", "torch": torch.__version__, "seed": SEED, "script": "nir_spikingjelly.py"},
        "case": "nir",
        "schema": "networks of SpikingJelly, exported to NIR: graph, input [T, B, ...], spikes, d(sum spikes * seed)/d input",
        "dt": DT,
        "networks": networks,
    }
    FILE.write_text(json.dumps(content, separators=(",", ":")) + "\n")


main()
