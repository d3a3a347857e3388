"""The device passes the kit, and so do the kernels for the other kind of hardware."""

from __future__ import annotations

from genesis_opencl._memory import Pool
from genesis_opencl._unit import Unit, units
from genesis_opencl.backend import OpenCLBackend

from genesis.testing import check_backend, check_plugin, parametrize


@parametrize(check_backend("opencl"))
def test_backend(check):
    check()


@parametrize(check_plugin("genesis-opencl"))
def test_plugin(check):
    check()


class OtherKind(OpenCLBackend):
    """On a CPU with the kernels for a GPU, and the other way round."""

    name = "opencl_other"

    def _open(self, index):
        usual = units()[index]
        unit = Unit(usual.device, usual.context, serial=not usual.serial)
        place = self._places[index] = unit, Pool(unit)
        return place


#: what has texts of its own for each kind, or divides its work by it
DIFFERENT = ("map/layout", "map/broadcast", "reduce", "matmul", "gather", "scatter", "random")


@parametrize([check for check in check_backend(OtherKind) if check.name.startswith(DIFFERENT)])
def test_kernels_of_the_other_kind(check):
    check()
