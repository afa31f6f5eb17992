"""Trains one small network in snnTorch, Norse and SpikingJelly, and writes its state dict with inputs and spikes as fixtures.

    PEERS=folder python3 test/peers/weights.py        needs torch, safetensors and the sources of the packages in the folder

The task: oriented bars of 8 × 8 pixels in noise, four classes, spikes of 10 steps. Written to test/fixtures/weights: NAME.safetensors, the
state dict as `safetensors.torch.save_file` writes it, and NAME-run.safetensors, inputs [T, B, 64] and the spikes of every layer.
The samples are those of a test batch whose spikes all stay the same where weights are 1e-4 larger or smaller.
"""
import os
import sys
import types
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parent.parent / "fixtures/weights"
T, CLASSES, SAMPLES = 10, 4, 6


def find_packages():
    peers = os.environ.get("PEERS")
    if not peers:
        sys.exit("weights.py: expected PEERS, a folder with the sources of snnTorch, Norse and SpikingJelly")
    for name in ["snntorch", "norse", "spikingjelly"]:
        found = [f.parent.parent for f in Path(peers).glob(f"*/{name}/__init__.py")]
        if not found:
            sys.exit(f"weights.py: expected {name} below {peers}, found none")
        sys.path.insert(0, str(found[0]))

    class Missing(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})

    # What the packages import, and these networks do not need.
    for name in ["nir", "nirtorch", "torch.utils.tensorboard", "torch.utils.tensorboard.writer"]:
        sys.modules[name] = Missing(name)


find_packages()
import norse.torch as norse  # noqa: E402
import snntorch as snn  # noqa: E402
from spikingjelly.activation_based import functional, layer, neuron  # noqa: E402


def batch(size):
    """Inputs [T, B, 64] of zeros and ones, and labels [B]."""
    y = torch.randint(CLASSES, (size,))
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    place = [rows, columns, (rows - columns) % 8, (rows + columns) % 8]
    at = torch.randint(8, (size,))
    image = torch.stack([(place[k] == i).float() for k, i in zip(y.tolist(), at.tolist())]) * 0.75 + 0.08
    return (torch.rand(T, size, 8, 8) < image).float().flatten(2), y


class SnnTorch(nn.Module):
    """Leaky with a learned decay, batch normalisation through time, Synaptic with fixed decays, RLeaky."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 24)
        self.bntt = snn.BatchNormTT1d(24, T)
        self.lif1 = snn.Leaky(beta=0.85, threshold=0.9, learn_beta=True)
        self.fc2 = nn.Linear(24, 16)
        self.lif2 = snn.Synaptic(alpha=0.6, beta=0.7, reset_mechanism="zero", learn_threshold=True)
        self.fc3 = nn.Linear(16, CLASSES)
        self.lif3 = snn.RLeaky(beta=torch.full((CLASSES,), 0.8), linear_features=CLASSES, threshold=1.1)

    def forward(self, x):
        m1 = self.lif1.reset_mem()
        i2, m2 = self.lif2.reset_mem()
        s3, m3 = self.lif3.reset_mem()
        out = {"lif1": [], "lif2": [], "lif3": []}
        for t in range(T):
            s1, m1 = self.lif1(self.bntt[t](self.fc1(x[t])), m1)
            s2, i2, m2 = self.lif2(self.fc2(s1), i2, m2)
            s3, m3 = self.lif3(self.fc3(s2), s3, m3)
            for name, s in zip(out, [s1, s2, s3]):
                out[name].append(s)
        return {name: torch.stack(s) for name, s in out.items()}


class Norse(nn.Module):
    """LIF cells, recurrent LIF cells, and a leaky integrator with weights as the readout."""

    def __init__(self):
        super().__init__()
        lif = norse.LIFParameters(v_th=torch.as_tensor(0.3), alpha=10.0)
        self.net = norse.SequentialState(
            nn.Linear(64, 24),
            norse.LIFCell(lif),
            norse.LIFRecurrentCell(24, 16, lif),
            norse.LILinearCell(16, CLASSES),
        )

    def forward(self, x):
        out = {"1": [], "2": [], "membrane": []}
        hooks = [self.net[int(i)].register_forward_hook(lambda _m, _i, o, i=i: out[i].append(o[0])) for i in "12"]
        state = None
        for t in range(T):
            v, state = self.net(x[t], state)
            out["membrane"].append(v)
        for hook in hooks:
            hook.remove()
        return {name: torch.stack(s) for name, s in out.items()}


class SpikingJelly(nn.Module):
    """Convolution, batch normalisation, learned time constants, pooling, a recurrent container."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            layer.Conv2d(1, 6, 3, padding=1, bias=False),
            layer.BatchNorm2d(6),
            neuron.ParametricLIFNode(),
            layer.MaxPool2d(2),
            layer.Flatten(),
            layer.Linear(96, 16),
            layer.LinearRecurrentContainer(neuron.LIFNode(tau=2.5, v_reset=None), 16, 16),
            layer.Linear(16, CLASSES),
            neuron.IFNode(),
        )
        functional.set_step_mode(self.net, "m")
        # The container runs its neurons step by step.
        self.net[6].sub_module.step_mode = "s"

    def forward(self, x):
        functional.reset_net(self.net)
        out = {}
        x = x.reshape(T, -1, 1, 8, 8)
        for i, each in enumerate(self.net):
            x = each(x)
            if i in (2, 6, 8):
                out[str(i)] = x
        return out


def scores(out):
    return out["membrane"].amax(0) if "membrane" in out else list(out.values())[-1].sum(0)


def train(name, make, steps, lr):
    torch.manual_seed(3)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr)
    for _ in range(steps):
        x, y = batch(64)
        loss = nn.functional.cross_entropy(scores(model(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        x, y = batch(400)
        out = model(x)
        accuracy = (scores(out).argmax(-1) == y).float().mean().item()
        spiking = [key for key in out if key != "membrane"]
        isFixed = torch.ones(400, dtype=torch.bool)
        for factor in [1 + 1e-4, 1 - 1e-4]:
            before = {key: p.clone() for key, p in model.named_parameters()}
            for p in model.parameters():
                if p.ndim > 1:
                    p.mul_(factor)
            other = model(x)
            for key in spiking:
                isFixed &= (other[key] == out[key]).flatten(2).all(-1).all(0)
            for key, p in model.named_parameters():
                p.copy_(before[key])
        kept = isFixed.nonzero().flatten()[:SAMPLES]
        run = {"input": x[:, kept].to(torch.uint8), "labels": y[kept].to(torch.uint8)}
        for key, values in out.items():
            run[f"out.{key}"] = values[:, kept].to(torch.uint8 if key in spiking else torch.float32)
    FOLDER.mkdir(parents=True, exist_ok=True)
    state = {key: value.detach().clone().contiguous() for key, value in model.state_dict().items()}
    save_file(state, FOLDER / f"{name}.safetensors")
    save_file({key: value.contiguous() for key, value in run.items()}, FOLDER / f"{name}-run.safetensors")
    rates = ", ".join(f"{key} {out[key].mean():.2f}" for key in spiking)
    print(f"{name}: accuracy {accuracy:.3f} after {steps} steps, rates {rates}, {int(isFixed.sum())} of 400 samples qualify")


train("snntorch", SnnTorch, 150, 5e-3)
train("norse", Norse, 200, 5e-3)
train("spikingjelly", SpikingJelly, 150, 1e-2)
