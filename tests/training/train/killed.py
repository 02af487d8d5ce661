"""Runs a command of training in processes that are killed, one after another, until one ends by itself.

    python -m tests.training.train.killed SEED COMMAND...

SEED: of the moments at which SIGKILL comes; 0 for none. Prints how many were killed. Forked, so that what they import
is imported once; nothing is computed before.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Sequence

# Whatever a stage imports.
import training.evaluate.evaluate
import training.evaluate.labs_on_real_ecgs
import training.label_curve.curve
import training.release.bundle
import training.release.examples
import training.train.finetune  # noqa: F401
from training.__main__ import main

FIRST, GROWS = 1.5, 1.4  # s that the first lives at most; each a little longer, or a slow machine would never end


def killed(arguments: Sequence[str], seed: int) -> int:
    moments, longest, count = random.Random(seed), FIRST, 0
    while True:
        child = os.fork()
        if child == 0:
            os._exit(main(list(arguments)))
        end = time.monotonic() + (moments.uniform(0.1, longest) if seed else 3600)
        while time.monotonic() < end:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                if status:
                    raise SystemExit(f"{arguments} ended with {status} after {count} kills.")
                return count
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        count, longest = count + 1, longest * GROWS


if __name__ == "__main__":
    print("killed", killed(sys.argv[2:], int(sys.argv[1])))
