"""Trains a network of snnTorch in two processes, which average their gradients by gloo (torch's DistributedDataParallel).

  python3 larger.py FOLDER      reads start.safetensors and data.safetensors there; writes trained.safetensors and answers.safetensors

The sources of snnTorch are in $PEERS/snntorch. scripts/larger.mjs is the other half, and says what is compared.
"""

import json
import os
import sys

try:
    import torch
    import torch.distributed as dist
    from torch import nn
    from torch.nn.parallel import DistributedDataParallel

    sys.path.insert(0, os.path.join(os.environ.get("PEERS", "/nowhere"), "snntorch"))
    import snntorch as snn
except ImportError as error:
    sys.exit(f"skipped: {error}")

PROCESSES = 2
BATCH = 64  # of each process
STEPS = 40


def load(path):
    """The float32 arrays of a safetensors file."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        values = torch.frombuffer(bytearray(file.read()), dtype=torch.float32)
    header.pop("__metadata__", None)
    part = lambda entry: values[entry["data_offsets"][0] // 4 : entry["data_offsets"][1] // 4].reshape(entry["shape"])
    return {name: part(entry) for name, entry in header.items()}


def save(path, arrays):
    header, at = {}, 0
    for name, array in arrays.items():
        end = at + 4 * array.numel()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            file.write(array.contiguous().float().numpy().tobytes())


class Net(nn.Module):
    """The network of larger.mjs: the names of its fields are the names in the file."""

    def __init__(self, inputs, hidden, classes):
        super().__init__()
        self.fc1, self.lif1 = nn.Linear(inputs, hidden), snn.Leaky(beta=0.9)
        self.fc2, self.lif2 = nn.Linear(hidden, classes), snn.Leaky(beta=0.9)

    def forward(self, x, timesteps):
        """A constant current x [B, inputs]; spikes of both layers and the membranes of the first, [T, B, N]."""
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        hidden, membranes, outputs = [], [], []
        for _ in range(timesteps):
            spk, mem1 = self.lif1(self.fc1(x), mem1)
            hidden.append(spk)
            membranes.append(mem1)
            spk, mem2 = self.lif2(self.fc2(spk), mem2)
            outputs.append(spk)
        return torch.stack(hidden), torch.stack(membranes), torch.stack(outputs)


def train(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=PROCESSES)
    data, start = load(f"{folder}/data.safetensors"), load(f"{folder}/start.safetensors")
    timesteps = int(data["timesteps"])
    net = Net(data["x"].shape[1], start["fc1.weight"].shape[0], start["fc2.weight"].shape[0])
    net.load_state_dict(start, strict=False)  # decays and thresholds are those of the constructor
    shared = DistributedDataParallel(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    mine, labels = data["x"][rank::PROCESSES], data["y"][rank::PROCESSES].long()
    for step in range(STEPS):
        at = torch.arange(step * BATCH, (step + 1) * BATCH) % len(mine)
        _, _, outputs = shared(mine[at], timesteps)
        loss = nn.functional.cross_entropy(outputs.sum(0), labels[at])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if rank == 0 and step % 10 in (0, 9):
            print(f"step {step + 1}: loss {loss:.3f}", flush=True)
    if rank == 0:
        with torch.no_grad():
            hidden, membranes, outputs = net(data["test"], timesteps)
        save(f"{folder}/answers.safetensors", {"hidden": hidden, "membranes": membranes, "outputs": outputs})
        save(f"{folder}/trained.safetensors", {name: value.detach() for name, value in net.named_parameters()})
    dist.destroy_process_group()


if __name__ == "__main__":
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.multiprocessing.spawn(train, args=(os.path.abspath(sys.argv[1]),), nprocs=PROCESSES)
