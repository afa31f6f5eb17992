"""Pair STDP on given spikes, 1000 neurons before and behind, by the learning rule of a package whose sources $PEERS holds.

`plasticity.py bindsnet` runs PostPre on a Connection, `plasticity.py spikingjelly` the function of STDPLearner for one step.
Both import modules of the package by their paths: the package itself would ask for what a learning rule has no use for.
"""

import os
import sys
import types

import torch

from snn import serve

N, T, RATE = 1000, 100, 0.01
A_PLUS, A_MINUS, TAU = 0.01, 0.012, 20.0

spikes = torch.rand(2, T, 1, N) < RATE
now = {"t": 0}


def missing(name):
    sys.exit(f"$PEERS, a folder with the sources of {name}")


def package(name, *folders):
    """An empty package with the modules of these folders."""
    for folder in folders:
        path = os.path.join(os.environ.get("PEERS", "/nowhere"), *folder)
        if os.path.isdir(path):
            module = types.ModuleType(name)
            module.__path__ = [path]
            sys.modules[name] = module
            return
    missing(name)


def following():
    """The spikes of the next step, before and behind."""
    t = now["t"]
    now["t"] = (t + 1) % T
    return spikes[0, t], spikes[1, t]


def bindsnet():
    package("bindsnet", ["bindsnet", "bindsnet"], ["bindsnet"])
    path = sys.modules["bindsnet"].__path__[0]
    for part in ("network", "learning"):
        module = types.ModuleType(f"bindsnet.{part}")
        module.__path__ = [os.path.join(path, part)]
        sys.modules[f"bindsnet.{part}"] = module
    from bindsnet.learning.learning import NoOp, PostPre
    from bindsnet.network.nodes import Input
    from bindsnet.network.topology import Connection

    sys.modules["bindsnet.learning"].NoOp = NoOp
    source, target = (Input(n=N, traces=True, traces_additive=True, tc_trace=TAU) for _ in range(2))
    for nodes in (source, target):
        nodes.compute_decays(1.0)
        nodes.set_batch_size(1)
    connection = Connection(source, target, w=torch.rand(N, N), wmin=0.0, wmax=1.0, update_rule=PostPre, nu=(A_MINUS, A_PLUS))
    rule = connection.update_rule

    def step():
        before, behind = following()
        source.forward(before)
        target.forward(behind)
        rule.update(learning=True)

    return step


def spikingjelly():
    package("spikingjelly", ["spikingjelly", "spikingjelly"], ["spikingjelly"])
    board = types.ModuleType("torch.utils.tensorboard")
    board.SummaryWriter = object
    sys.modules["torch.utils.tensorboard"] = board
    from spikingjelly.activation_based.learning import stdp_linear_single_step

    layer = torch.nn.Linear(N, N, bias=False)
    torch.nn.init.uniform_(layer.weight)
    floats = spikes.float()
    traces = {"before": None, "behind": None}
    plus, minus = (lambda w: torch.full_like(w, A_PLUS)), (lambda w: torch.full_like(w, A_MINUS))

    def step():
        t = now["t"]
        now["t"] = (t + 1) % T
        before, behind, change = stdp_linear_single_step(
            layer, floats[0, t], floats[1, t], traces["before"], traces["behind"], TAU, TAU, minus, plus
        )
        traces.update(before=before, behind=behind)
        layer.weight.data.add_(change).clamp_(0, 1)

    return step


with torch.no_grad():
    serve(title={"bindsnet": "BindsNET", "spikingjelly": "SpikingJelly"}[sys.argv[1]], stdp={"bindsnet": bindsnet, "spikingjelly": spikingjelly}[sys.argv[1]]())
