"""What plugin authors test with: a kit of checks for each contract, the device `ref`, and a suite of tests.

from genesis.testing import check_optimizer, parametrize

@parametrize(check_optimizer("Lion", {"lr": 1e-3}))
def test_lion(check):
    check()
"""

from __future__ import annotations

from genesis._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from genesis.testing._check import Check as Check
    from genesis.testing._check import parametrize as parametrize
    from genesis.testing._close import assert_close as assert_close
    from genesis.testing.backend_checks import Sample as Sample
    from genesis.testing.backend_checks import check_backend as check_backend
    from genesis.testing.backend_checks import check_kernel as check_kernel
    from genesis.testing.communicator_checks import check_communicator as check_communicator
    from genesis.testing.optimizer_checks import check_optimizer as check_optimizer
    from genesis.testing.plugin_checks import check_plugin as check_plugin
    from genesis.testing.scheduler_checks import check_scheduler as check_scheduler

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Check": "genesis.testing._check:Check",
        "assert_close": "genesis.testing._close:assert_close",
        "Sample": "genesis.testing.backend_checks:Sample",
        "check_backend": "genesis.testing.backend_checks:check_backend",
        "check_communicator": "genesis.testing.communicator_checks:check_communicator",
        "check_kernel": "genesis.testing.backend_checks:check_kernel",
        "check_optimizer": "genesis.testing.optimizer_checks:check_optimizer",
        "check_plugin": "genesis.testing.plugin_checks:check_plugin",
        "check_scheduler": "genesis.testing.scheduler_checks:check_scheduler",
        "parametrize": "genesis.testing._check:parametrize",
    },
)
