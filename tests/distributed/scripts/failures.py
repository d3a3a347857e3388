"""One rank fails in a way that is named on the command line; the others must not wait for it."""

import os
import signal
import sys
from datetime import timedelta

import genesis
import genesis.distributed as dist

dist.init_process_group("mpi", timeout=timedelta(seconds=2 if sys.argv[1] == "sleeps" else 600))
x = genesis.ones(3)
dist.all_reduce(x)
if dist.get_rank() == 1:
    match sys.argv[1]:
        case "raises":
            raise KeyError("this is the cause")
        case "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exits":
            sys.exit(7)
        case "ends":
            sys.exit()
        case "sleeps":
            import time

            time.sleep(60)
dist.all_reduce(x)
print("not reached")
