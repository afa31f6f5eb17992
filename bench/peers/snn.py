"""What the PyTorch peers share: neurons in the form that $TORCH_FORM names, steps of training, and the protocol.

`eager`, by default: autograd over the time steps (eager.py). `loop`: one Function around all of them (loops.py).
"""

import os

import torch

import data
from protocol import answer, fastest

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.manual_seed(0)

IS_LOOP = os.environ.get("TORCH_FORM") == "loop"

if IS_LOOP:
    from loops import Leaky, RecurrentLeaky
else:
    from eager import Leaky, RecurrentLeaky


def mnist(count):
    """The first images [count, 784] and labels of MNIST."""
    images, labels = data.mnist(count)
    return torch.from_numpy(images), torch.from_numpy(labels)


def poisson(rates, steps):
    """Spikes [T, ...] that are drawn by rates [...], or those of a check."""
    shape = (steps, *rates.shape)
    given = data.case_spikes(shape)
    if given is not None:
        return torch.from_numpy(given)
    drawn = torch.rand(shape)
    return torch.lt(drawn, rates, out=drawn)


def numbers(shape):
    """Numbers in [0, 1) that are drawn, or those of a check."""
    given = data.case_spikes(shape)
    return torch.rand(shape) if given is None else torch.from_numpy(given)


def take(loss, optimizer):
    """A step of training; gives the loss."""
    optimizer.zero_grad()
    value = loss()
    value.backward()
    optimizer.step()
    return value


class Training:
    """Steps of training by Adam on a loss: the fastest of the ways to compute it, and in a loop of Adam with and without `fused`."""

    def __init__(self, parameters, lr, *losses):
        self.parameters = list(parameters)
        self.losses = losses
        fused = [False, True] if IS_LOOP else [False]
        self.optimizers = [torch.optim.Adam(self.parameters, lr, fused=each) for each in fused]
        ways = [(loss, optimizer) for loss in losses for optimizer in self.optimizers]
        self.step = fastest(*[lambda way=way: take(*way) for way in ways])

    def __call__(self):
        self.step()

    def check(self, steps):
        """From the parameters of the case: the gradients of the first step, and the losses of all."""
        sizes = [parameter.numel() for parameter in self.parameters]
        with torch.no_grad():
            for parameter, values in zip(self.parameters, data.case_parameters(sizes)):
                parameter.copy_(torch.from_numpy(values).reshape(parameter.shape))
        gradients, losses = None, []
        for _ in range(steps):
            losses.append(take(self.losses[0], self.optimizers[-1]).item())
            gradients = gradients or [parameter.grad.numpy().copy() for parameter in self.parameters]
        return gradients, losses


def serve(prepare=lambda _: None, title=None, **workloads):
    """Answers for these workloads, functions of one step; `prepare` gets the name before the steps of a line, untimed."""
    on = f"PyTorch {torch.__version__}" + (", loop" if IS_LOOP else "")
    answer(on if title is None else f"{title} on {on}", workloads, prepare)
