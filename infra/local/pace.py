"""How slow this machine is now, so that nothing is given up because others work on it.

What is waited for takes longer on a busy machine, by how much nobody knows beforehand: a step of
known size is measured once, when something is first waited for.
"""

import subprocess
import sys
import time
from functools import cache

STEP = "import http.server, json, ssl, urllib.request"
STEP_S = 0.15  # what starting Python with these takes on a machine that does nothing else
SLOWEST = 30.0
# Load comes and goes: twice what was measured, and three times where nothing was felt.
ROOM, LEAST = 2.0, 3.0


@cache
def factor() -> float:
    """How many times as long as on an idle machine things may take, from LEAST to SLOWEST."""
    began_s = time.monotonic()
    subprocess.run([sys.executable, "-I", "-c", STEP], check=True)
    took_s = time.monotonic() - began_s
    return min(SLOWEST, max(LEAST, ROOM * took_s / STEP_S))


def slowness() -> float:
    """How many times slower this machine is than one where nothing was felt: 1 there."""
    return factor() / LEAST


def patient(seconds: float) -> float:
    """How long to wait here for what takes an idle machine `seconds` at most."""
    return seconds * factor()
