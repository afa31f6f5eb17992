"""Reads NIR files with the Python package `nir`, compares them with their description, and writes them again.

    PYTHONPATH=$PEERS/nir python3 test/nir/read_back.py FOLDER

FOLDER/NAME.nir is described by FOLDER/NAME.json: nodes, edges, metadata and version, with arrays as { dtype, shape, data }.
The package writes what it has read to FOLDER/again/NAME.nir.
"""

import json
import pathlib
import sys

import numpy as np

import nir
from nir.serialization import read_version

# A package that is not installed has no version, and its writer asks for one.
nir.version = getattr(nir, "version", "1.0.7")


def same(path, got, wanted):
    """Raises unless a value is the one that is described."""
    if isinstance(wanted, dict) and "dtype" in wanted:
        array = np.asarray(got)
        values = np.array(wanted["data"], dtype=wanted["dtype"]).reshape(wanted["shape"])
        assert array.dtype == values.dtype, f"{path}: {array.dtype}, expected {values.dtype}"
        assert array.shape == values.shape, f"{path}: {array.shape}, expected {values.shape}"
        assert array.tobytes() == values.tobytes(), f"{path}: {array}, expected {values}"
    elif isinstance(wanted, dict):
        assert sorted(got) == sorted(wanted), f"{path}: {sorted(got)}, expected {sorted(wanted)}"
        for name in wanted:
            same(f"{path}.{name}", got[name], wanted[name])
    elif isinstance(wanted, list) and wanted and isinstance(wanted[0], str):
        texts = [item.decode("utf8") for item in got]
        assert texts == wanted, f"{path}: {texts}, expected {wanted}"
    elif isinstance(wanted, list):
        assert np.asarray(got).tolist() == wanted, f"{path}: {got}, expected {wanted}"
    else:
        assert got == wanted, f"{path}: {got!r}, expected {wanted!r}"


def field(node, name):
    """A field of a node, by the name that it has in our graphs."""
    if name == "shape":
        return node.input_type["input"] if isinstance(node, nir.Input) else node.output_type["output"]
    if name == "input_shape" and isinstance(node, nir.Flatten):
        return node.input_type["input"]
    return getattr(node, name)


def compare(path, node, wanted):
    """Compares a node with its description, and gives how many values were compared."""
    compared = 1
    assert type(node).__name__ == wanted["type"], f"{path}: {type(node).__name__}, expected {wanted['type']}"
    same(f"{path}.metadata", node.metadata, wanted.get("metadata", {}))
    if wanted["type"] == "NIRGraph":
        assert sorted(node.nodes) == sorted(wanted["nodes"]), f"{path}: {sorted(node.nodes)}"
        assert [list(edge) for edge in node.edges] == wanted["edges"], f"{path}: {node.edges}"
        return compared + sum(compare(f"{path}.{name}", node.nodes[name], wanted["nodes"][name]) for name in node.nodes)
    for name in wanted.keys() - {"type", "metadata"}:
        same(f"{path}.{name}", field(node, name), wanted[name])
        compared += 1
    return compared


def main():
    folder = pathlib.Path(sys.argv[1])
    again = folder / "again"
    again.mkdir(exist_ok=True)
    compared = {}
    for path in sorted(folder.glob("*.nir")):
        wanted = json.loads(path.with_suffix(".json").read_text())
        graph = nir.read(path)
        assert read_version(path) == wanted.pop("version"), f"{path.stem}: version {read_version(path)}"
        compared[path.stem] = compare(path.stem, graph, wanted)
        nir.write(again / path.name, graph)
    print(json.dumps(compared))


main()
