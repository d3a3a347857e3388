"""``genesis.data`` at the address that PyTorch has for it."""

import sys

import genesis.data

sys.modules[__name__] = genesis.data
