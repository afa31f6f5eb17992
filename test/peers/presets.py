"""Neurons of snnTorch, Norse, SpikingJelly and BindsNET with their defaults, for test/fixtures/PEER/presets.json.

    PEERS=FOLDER python3 test/peers/presets.py        needs torch and the sources of the packages in the folder

Each class is made with the arguments that it requires and starts from its own state; shorter runs have further arguments that change
this state. Functions of a step have no state of their own, so `state` of an entry is the one that they start from. Membranes of BindsNET
are counted from rest. Inputs are drawn until all spikes stay the same where the input is larger or smaller by 2e-5 of itself, and
gradients where it is by 1e-6.
"""

import importlib
import json
import os
import sys
import types
from pathlib import Path

import torch

FIXTURES = Path(__file__).parent.parent / "fixtures"
SOURCES = {
    "snntorch": ("0.9.4", "634fc22385ec5581998e62787bbe39b53662140f"),
    "norse": ("1.1.0-31", "065a3b45cf13bc8156d18987380f6d26c09f08a2"),
    "spikingjelly": ("git", "afb132264a8cbe38d0f221dcef04053e6ba134d3"),
    "bindsnet": ("0.3.3", "34ee2920cf3b605a8d29e777ad6af1bf4bd04036"),
}
T, B, N = 100, 2, 2
SHORT = 20
SPIKES = ["spk", "z", "s"]
# Outputs in the loss, of the entries that have them, each with the same weights in all entries.
WEIGHED = {"snntorch": ["spk", "mem"], "norse": ["z", "v", "out"], "spikingjelly": ["spk", "v"]}


def find_packages():
    peers = os.environ.get("PEERS")
    if not peers:
        sys.exit("presets.py: expected PEERS, a folder with the sources of snnTorch, Norse, SpikingJelly and BindsNET")
    for name in SOURCES:
        found = [f.parent for f in Path(peers).glob(f"*/{name}/__init__.py")]
        if not found:
            sys.exit(f"presets.py: expected {name} below {peers}, found none")
        sys.path.insert(0, str(found[0].parent))
        if name != "bindsnet":
            continue
        # Without its __init__, which imports data sets and plots.
        for part in ["bindsnet", "bindsnet.network"]:
            sys.modules[part] = types.ModuleType(part)
            sys.modules[part].__path__ = [str(found[0].parent.joinpath(*part.split(".")))]

    class Missing(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})

    # What the packages import, and these neurons do not need.
    for name in ["nir", "nirtorch", "torch.utils.tensorboard", "torch.utils.tensorboard.writer"]:
        sys.modules[name] = Missing(name)


find_packages()
import snntorch as snn  # noqa: E402
import norse.torch as norse  # noqa: E402
from norse.torch.functional import coba_lif, izhikevich, tsodyks_makram  # noqa: E402
from spikingjelly.activation_based import neuron as spikingjelly  # noqa: E402

bindsnet = importlib.import_module("bindsnet.network.nodes")

# Each of these returns a run of a class: from the current to the names of the outputs, the outputs of each step, and the parameters
# that the class learns.


def of_snntorch(name, *states, **arguments):
    def run(x):
        layer = getattr(snn, name)(**arguments)
        state, steps = [], []
        for now in x:
            spk, *state = layer(now, *state)
            steps.append((spk, *state))
        return ("spk", *states), steps, dict(layer.named_parameters())

    return {"class": name, "arguments": arguments}, run


def of_norse(name, out, *states, step=None, state=None, p=None, **arguments):
    def run(x):
        given = {key: getattr(izhikevich, value) for key, value in arguments.items()}
        if p:
            given["p"] = parameters(**{key: torch.tensor(value) for key, value in p.items()})
        cell = step or getattr(norse, name)(**given)
        now = state and state(*(torch.full(x.shape[1:], value) for value in START[name].values()))
        steps = []
        for current in x:
            z, now = cell(current, now)
            steps.append((z, *(getattr(now, key) for key in states)))
        return (out, *states), steps, {}

    parameters = p and getattr(norse, name.replace("Cell", "Parameters"))
    start = {"state": START[name]} if state else {}
    return {"class": name, "arguments": {**arguments, **(p or {})}, **start}, run


def of_spikingjelly(name, *states, **arguments):
    def run(x):
        node = getattr(spikingjelly, name)(**arguments)
        if not isinstance(node, spikingjelly.BaseNode):
            return ("v",), [(v,) for v in node(x)], {}
        steps = [(node(now), *(getattr(node, key) for key in states)) for now in x]
        return ("spk", *states), steps, dict(node.named_parameters())

    return {"class": name, "arguments": arguments}, run


def of_bindsnet(name, rest, *states):
    def run(x):
        nodes = getattr(bindsnet, name)(n=N)
        nodes.set_batch_size(x.shape[1])
        nodes.compute_decays(1.0)
        zero = {"v": getattr(nodes, rest).double()}
        steps = []
        for now in x:
            nodes.forward(now.clone())
            steps.append((nodes.s.double(), *(getattr(nodes, key).double() - zero.get(key, 0) for key in states)))
        return ("s", *states), steps, {}

    return {"class": name, "arguments": {"n": N}}, run


START = {"coba_lif_feed_forward_step": {"v": -20.0, "g_e": 0.0, "g_i": 0.0}, "stp_step": {"u": 0.0, "x": 1.0}}
COBA = {"step": coba_lif.coba_lif_feed_forward_step, "state": coba_lif.CobaLIFFeedForwardState}
STP = {
    "step": lambda z, s: tsodyks_makram.stp_step(z, s, tsodyks_makram.TsodyksMakramParameters()),
    "state": tsodyks_makram.TsodyksMakramState,
}

# With the mean and the standard deviation of the input, and the number of steps where it is not T.
RUNS = {
    "snntorch": [
        (of_snntorch("Leaky", "mem", beta=0.9), 0.2, 0.5),
        (of_snntorch("Leaky", "mem", beta=1.0), 0.15, 0.5),
        (of_snntorch("Synaptic", "syn", "mem", alpha=0.7, beta=0.8), 0.1, 0.4),
        (of_snntorch("Lapicque", "mem", beta=0.7), 1, 2),
        (of_snntorch("Alpha", "syn_exc", "syn_inh", "mem", alpha=0.9, beta=0.8), 1, 1),
    ],
    "norse": [
        (of_norse("LIFBoxCell", "z", "v"), 1.5, 4),
        (of_norse("LIFCell", "z", "i", "v"), 0.4, 1),
        (of_norse("LICell", "out", "i", "v"), 0, 1),
        (of_norse("LIBoxCell", "out", "v"), 0, 1),
        (of_norse("IAFCell", "z", "v"), 0.15, 0.5),
        (of_norse("LSNNCell", "z", "i", "v", "b"), 3, 4),
        (of_norse("LIFAdExCell", "z", "i", "v", "a"), 0.4, 1),
        (of_norse("IzhikevichCell", "z", "v", "u", spiking_method="tonic_spiking"), 40, 30),
        (of_norse("LIFExCell", "z", "i", "v"), 0.3, 1),
        (of_norse("coba_lif_feed_forward_step", "z", "v", "g_e", "g_i", **COBA), 0.4, 0.5),
        (of_norse("stp_step", "out", "u", "x", **STP), 0.2, 0),
        (of_norse("LIFBoxCell", "z", "v", p={"v_leak": 0.25, "v_reset": -0.125}), 1.5, 4, SHORT),
        (of_norse("LIFCell", "z", "i", "v", p={"v_leak": 0.25, "v_reset": -0.125}), 0.4, 1, SHORT),
        (of_norse("IAFCell", "z", "v", p={"v_reset": 0.25}), 0.15, 0.5, SHORT),
    ],
    "spikingjelly": [
        (of_spikingjelly("LIFNode", "v"), 0.7, 1),
        (of_spikingjelly("IFNode", "v"), 0.15, 0.5),
        (of_spikingjelly("ParametricLIFNode", "v"), 0.7, 1),
        (of_spikingjelly("QIFNode", "v"), 0.5, 0.5),
        (of_spikingjelly("EIFNode", "v"), 0.1, 1),
        (of_spikingjelly("KLIFNode", "v"), 0.7, 1),
        (of_spikingjelly("IzhikevichNode", "v", "w"), 0.5, 0.5),
        (of_spikingjelly("CUBALIFNode", "c", "v"), 0, 0.3),
        (of_spikingjelly("NonSpikingLIFNode", "v"), 0, 1),
        (of_spikingjelly("LIFNode", "v", v_reset=0.25), 0.7, 1, SHORT),
        (of_spikingjelly("LIFNode", "v", v_reset=None), 0.7, 1, SHORT),
        (of_spikingjelly("IFNode", "v", v_reset=0.25), 0.15, 0.5, SHORT),
        (of_spikingjelly("ParametricLIFNode", "v", v_reset=0.25), 0.7, 1, SHORT),
        (of_spikingjelly("QIFNode", "v", v_rest=0.25, v_reset=-0.25), 0.5, 0.5, SHORT),
        (of_spikingjelly("QIFNode", "v", v_rest=0.25, v_reset=None), 0, 0.5, SHORT),
        (of_spikingjelly("EIFNode", "v", v_rest=0.25, v_reset=-0.25), 0.1, 1, SHORT),
        (of_spikingjelly("KLIFNode", "v", v_reset=0.25), 0.7, 1, SHORT),
        (of_spikingjelly("IzhikevichNode", "v", "w", v_reset=0.25, a=0.5, b=0.125), 0.5, 0.5, SHORT),
        (of_spikingjelly("CUBALIFNode", "c", "v", v_reset=0.25), 0, 0.3, SHORT),
    ],
    "bindsnet": [
        (of_bindsnet("IFNodes", "reset", "v"), 3, 6),
        (of_bindsnet("LIFNodes", "rest", "v"), 3, 6),
        (of_bindsnet("CurrentLIFNodes", "rest", "i", "v"), 1.5, 3),
        (of_bindsnet("AdaptiveLIFNodes", "rest", "v", "theta"), 4, 6),
    ],
}


def tensor(t):
    data = [float(f"{x:.9g}") for x in t.detach().flatten().tolist()]
    return {"shape": list(t.shape), "data": [int(x) if x == int(x) else x for x in data]}


def short(t):
    """The values with few digits in the file."""
    return (t * 100).round() / 100


def over_time(run, x):
    names, steps, parameters = run(x)
    return {name: torch.stack([step[i] for step in steps]) for i, name in enumerate(names)}, parameters


def spikes_of(run, x):
    outputs, _ = over_time(run, x)
    return next((outputs[key].detach() for key in SPIKES if key in outputs), torch.zeros(0))


def gradients_of(run, x, upstream):
    x = x.detach().requires_grad_()
    outputs, parameters = over_time(run, x)
    sum((outputs[key] * w[: len(x)]).sum() for key, w in upstream.items() if key in outputs).backward()
    return {"input": x.grad, **{key: p.grad for key, p in parameters.items()}}


def is_decided(run, x, upstream):
    """Whether rounding decides neither a spike nor a gradient."""
    spikes = spikes_of(run, x)
    if not all(torch.equal(spikes, spikes_of(run, x * factor)) for factor in (1 - 2e-5, 1 + 2e-5)):
        return False
    if upstream is None:
        return True
    own, *others = (gradients_of(run, x * factor, upstream)["input"] for factor in (1, 1 - 1e-6, 1 + 1e-6))
    return all((other - own).abs().max() < 5e-5 * own.abs().max() for other in others)


def entry_of(upstream, made, run, mean, deviation, steps=T):
    # AdaptiveLIFNodes have one theta for all samples.
    samples = 1 if made["class"] == "AdaptiveLIFNodes" else B
    for seed in range(1000):
        torch.manual_seed(seed)
        drawn = torch.randn(steps, samples, N) * deviation + mean if deviation else torch.rand(steps, samples, N) < mean
        x = short(drawn.float())
        if is_decided(run, x, upstream):
            break
    else:
        sys.exit(f"presets.py: expected an input that decides the spikes of {made}, found none")
    print(f"{made}: seed {seed}, {spikes_of(run, x).mean().item():.2f} spikes a step")
    name = ", ".join([made["class"], *(f"{key} {value}" for key, value in made["arguments"].items() if key != "n")])
    outputs, _ = over_time(run, x)
    entry = {"name": name, **made, "input": tensor(x), "outputs": {key: tensor(t) for key, t in outputs.items()}}
    if upstream is not None:
        entry["grads"] = {key: tensor(grad) for key, grad in gradients_of(run, x, upstream).items()}
    return entry


torch.set_num_threads(1)
for peer, runs in RUNS.items():
    torch.manual_seed(0)
    # BindsNET has no gradients.
    upstream = None if peer == "bindsnet" else {key: short(torch.randn(T, B, N)) for key in WEIGHED[peer]}
    version, commit = SOURCES[peer]
    source = {"package": peer, "version": version, "commit": commit, "torch": torch.__version__, "script": "presets.py"}
    content = {"source": source, "upstream": {key: tensor(w) for key, w in (upstream or {}).items()}}
    content["entries"] = [entry_of(upstream, *neuron, *drawn) for neuron, *drawn in runs]
    (FIXTURES / peer / "presets.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")
