"""Families of a peer one after the other in one process, which loads their packages once.

The argument is the folder of their programs. A line names a family and its arguments, a list in JSON; an empty one ends the family before.
"""

import json
import os
import runpy
import sys

folder = sys.argv[1]
sys.path.insert(0, folder)
print("families", flush=True)
for line in sys.stdin:
    if not line.isspace():
        family, *sys.argv[1:] = json.loads(line)
        runpy.run_path(os.path.join(folder, f"{family}.py"))
