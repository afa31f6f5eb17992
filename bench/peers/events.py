"""tonic's functions on NumPy, on a recording of an event camera: `events.py tonic FILE WIDTH HEIGHT`.

The file holds the columns of the recording behind each other: t as float64, x and y as uint16, p as uint8. The sources of tonic are in
$PEERS/tonic. Its modules are imported by their paths: the package itself would ask for what its functions have no use for.
"""

import os
import sys
import types

import numpy as np

from protocol import answer

path = os.path.join(os.environ["PEERS"], "tonic", "tonic")
if not os.path.isdir(path):
    sys.exit("$PEERS, a folder with the sources of tonic")
package = types.ModuleType("tonic")
package.__path__ = [path]
sys.modules["tonic"] = package
try:
    import typing_extensions  # noqa: F401
except ImportError:
    import typing

    sys.modules["typing_extensions"] = typing
from tonic import functional, transforms  # noqa: E402

_, _, name, width, height = sys.argv
size = (int(width), int(height), 2)
with open(name, "rb") as file:
    data = file.read()
n = len(data) // 13
# A structure of 64-bit integers, as most of tonic's data sets have it.
events = np.zeros(n, dtype=[("x", int), ("y", int), ("t", int), ("p", int)])
events["t"] = np.frombuffer(data, np.float64, n)
events["x"] = np.frombuffer(data, np.uint16, n, 8 * n)
events["y"] = np.frombuffer(data, np.uint16, n, 10 * n)
events["p"] = np.frombuffer(data, np.uint8, n, 12 * n)
frames = functional.to_frame_numpy(events, size, n_time_bins=16)


def hot():
    pixels = functional.identify_hot_pixel(events, 60)
    return functional.drop_pixel_numpy(events, pixels)


# Functions that write into their argument get a copy, as in tonic's transforms.
workloads = {
    "frames": lambda: functional.to_frame_numpy(events, size, n_time_bins=20),
    "voxels": lambda: functional.to_voxel_grid_numpy(events.copy(), size, 10),
    "timesurface": lambda: functional.to_timesurface_numpy(events, size, dt=15000, tau=50000),
    "averaged": lambda: functional.to_averaged_timesurface_numpy(events, size, 10, 5, 1000, 100, "exp"),
    "binary": lambda: functional.to_bina_rep_numpy(frames, 2, 8),
    "denoise": lambda: functional.denoise_numpy(events, 10000),
    "refractory": lambda: functional.refractory_period_numpy(events, 1000),
    "hot": hot,
    "drop": lambda: functional.drop_event_numpy(events, 0.5),
    "dropTime": lambda: functional.drop_by_time_numpy(events, 0.2),
    "dropArea": lambda: functional.drop_by_area_numpy(events, size, 0.2),
    "crop": lambda: functional.crop_numpy(events, size, (128, 128)),
    "downsample": lambda: transforms.Downsample(spatial_factor=0.5)(events),
    "flip": lambda: transforms.RandomFlipLR(size, 1.0)(events),
    "reverse": lambda: transforms.RandomTimeReversal(1.0)(events),
    "timeJitter": lambda: functional.time_jitter_numpy(events.copy(), 100, True, True),
    "jitter": lambda: functional.spatial_jitter_numpy(events.copy(), size, 1, 1, 0, True),
    "noise": lambda: functional.uniform_noise_numpy(events, size, 10000),
    "merge": lambda: transforms.MergePolarities()(events),
}
answer(f"tonic on NumPy {np.__version__}", workloads)
