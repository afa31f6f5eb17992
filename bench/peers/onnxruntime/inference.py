"""Images through tutorial 5's network in onnxruntime on the CPU: 784-1000-10, T 25, spikes of the output counted, B 1 and 128.

The head is a product in each step or one for all steps, whichever is faster here. bench/peers/onnx writes the models.
"""

import os
import subprocess

import onnxruntime

import data
from protocol import answer, fastest

PROGRAM = os.path.join(os.path.dirname(__file__), "..", "onnx", "inference.mjs")


def session_of(form, batch):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    options.inter_op_num_threads = 1
    model = subprocess.check_output([os.environ["NODE"], PROGRAM, form, str(batch)])
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class Inference:
    def __init__(self, batch):
        x, _ = data.mnist(batch)
        sessions = [session_of(form, batch) for form in ("steps", "once")]
        self.runs = [lambda session=session: session.run(["counts"], {"x": x})[0] for session in sessions]
        self.step = fastest(*self.runs)

    def __call__(self):
        self.step()

    def check(self, _):
        """The counts of both forms."""
        return [run() for run in self.runs], []


answer(f"onnxruntime {onnxruntime.__version__}", {"batch": Inference(1), "many": Inference(128)})
