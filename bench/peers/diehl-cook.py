"""BindsNET's DiehlAndCook2015 with the settings of its example eth_mnist.py: an image of MNIST is shown for 250 steps of 1 ms, and learned.

Its sources are in $PEERS/bindsnet. Modules are imported by their paths: the package itself would ask for what the network has no use for.
An image a step; the spikes of the pixels are drawn in the step, as the example's loader does.
"""

import os
import sys
import types

import torch

from snn import mnist, serve

T, INTENSITY = 250, 128.0


def package():
    """The package without its __init__, which imports plots, games and image files."""
    for folder in (["bindsnet", "bindsnet"], ["bindsnet"]):
        path = os.path.join(os.environ.get("PEERS", "/nowhere"), *folder)
        if os.path.isdir(os.path.join(path, "network")):
            module = types.ModuleType("bindsnet")
            module.__path__ = [path]
            sys.modules["bindsnet"] = module
            return
    sys.exit("$PEERS, a folder with the sources of bindsnet")


package()
del sys.argv[1]  # the name of the peer
import bindsnet.network  # noqa: E402, F401  its modules and those of bindsnet.learning import each other
from bindsnet.encoding.encodings import poisson  # noqa: E402
from bindsnet.models.models import DiehlAndCook2015  # noqa: E402

images, _ = mnist(1000)


def learner(neurons):
    """A function that learns the next image."""
    network = DiehlAndCook2015(
        n_inpt=784, n_neurons=neurons, exc=22.5, inh=120, dt=1.0, norm=78.4, theta_plus=0.05, inpt_shape=(1, 28, 28)
    )
    now = {"image": 0}

    def step():
        image = images[now["image"]]
        now["image"] = (now["image"] + 1) % len(images)
        spikes = poisson(INTENSITY * image.view(1, 28, 28), time=T, dt=1.0)
        network.run(inputs={"X": spikes.view(T, 1, 1, 28, 28)}, time=T)
        network.reset_state_variables()

    return step


with torch.no_grad():
    serve(title="BindsNET", **{"100": learner(100), "400": learner(400)})
