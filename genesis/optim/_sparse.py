"""SparseAdam, which there is no use for here; it says so."""

from __future__ import annotations

from typing import Any, NoReturn

from genesis.optim._optimizer import Optimizer


class SparseAdam(Optimizer):
    """Not implemented: it is for sparse gradients, and Genesis has dense ones only.

    Raises:
        NotImplementedError: Always; it says what to use.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            "SparseAdam is for sparse gradients, as of nn.Embedding(sparse=True), and Genesis has dense ones "
            "only: use genesis.optim.Adam. They differ on rows that got no gradient: Adam goes on along its "
            "averages there, and SparseAdam would do nothing"
        )
