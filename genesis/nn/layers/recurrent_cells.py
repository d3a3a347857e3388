"""``RNNCell``, ``LSTMCell`` and ``GRUCell``: one step of a recurrent layer."""

from __future__ import annotations

import math
from typing import Any

import genesis
from genesis import empty
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor
from genesis.nn import init
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter
from genesis.ops import recurrent
from genesis.ops._autocast import FULL, LOWER, listed


class RNNCellBase(Module):
    """The weights of a cell: ``weight_ih``, ``weight_hh``, ``bias_ih`` and ``bias_hh``.

    Args:
        input_size: features of the input.
        hidden_size: features of the hidden state.
        bias: whether there are biases.
        num_chunks: how many gates there are.
        device, dtype: of the parameters.
    """

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty(rows, input_size, device=device, dtype=dtype))
        self.weight_hh = Parameter(empty(rows, hidden_size, device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            made = Parameter(empty(rows, device=device, dtype=dtype)) if bias else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        kind = self.__dict__.get("nonlinearity", "tanh")
        return text if kind == "tanh" else f"{text}, nonlinearity={kind}"

    def reset_parameters(self) -> None:
        """Draw every parameter from U(-1/√hidden_size, 1/√hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0.0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _prepared(self, input: Tensor, hx: Any, states: int) -> tuple[Tensor, list[Tensor], bool]:
        """Input and states with a batch axis, and whether there was one."""
        name = self._get_name()
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: expected input to be 1D or 2D, got {input.dim()}D instead")
        batched = input.dim() == 2
        given = () if hx is None else (hx,) if states == 1 else tuple(hx)
        for h in given:
            if h.dim() not in (1, 2):
                raise ValueError(f"{name}: expected hidden to be 1D or 2D, got {h.dim()}D instead")
        if not batched:
            input, given = input.unsqueeze(0), tuple([h.unsqueeze(0) for h in given])
        if not given:
            zeros = genesis.zeros(input.shape[0], self.hidden_size, dtype=input.dtype, device=input.device)
            given = (zeros,) * states
        if input.shape[1] != self.input_size:
            raise RuntimeError(
                f"input has inconsistent input_size: got {input.shape[1]}, expected {self.input_size}"
            )
        for h in given:
            if tuple(h.shape) != (input.shape[0], self.hidden_size):
                raise RuntimeError(
                    f"{name}: expected hidden of shape {(input.shape[0], self.hidden_size)}, "
                    f"got {tuple(h.shape)}"
                )
        return input, list(given), batched

    def _bias(self) -> Tensor | None:
        return None if self.bias_ih is None or self.bias_hh is None else self.bias_ih + self.bias_hh

    def _one(self, out: Tensor, batch: int) -> Tensor:
        """The new hidden state from the result of a sequence of length 1."""
        state: Tensor = recurrent.parts(out, batch, batch, self.hidden_size)[0]
        return state


class RNNCell(RNNCellBase):
    """``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``.

    Args:
        input_size, hidden_size, bias, device, dtype: see ``RNNCellBase``.
        nonlinearity: ``"tanh"`` or ``"relu"``.

    Example:
        >>> nn.RNNCell(10, 20)(genesis.randn(3, 10)).shape
        (3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next hidden state, from (batch, input_size) and (batch, hidden_size), or without a batch."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"unknown nonlinearity: {self.nonlinearity}")
        input, (h,), batched = self._prepared(input, hx, 1)
        n = input.shape[0]
        out = recurrent.rnn(
            input, h, self.weight_ih, self.weight_hh, self._bias(),
            batch_sizes=(n,), reverse=False, nonlinearity=self.nonlinearity,
        )  # fmt: skip
        out = self._one(out, n)
        return out if batched else out.squeeze(0)


class GRUCell(RNNCellBase):
    """One step of a ``GRU``.

    Args:
        input_size, hidden_size, bias, device, dtype: see ``RNNCellBase``.

    Example:
        >>> nn.GRUCell(10, 20)(genesis.randn(3, 10)).shape
        (3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    @listed(cpu=FULL, cuda=LOWER)
    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next hidden state, from (batch, input_size) and (batch, hidden_size), or without a batch."""
        input, (h,), batched = self._prepared(input, hx, 1)
        n = input.shape[0]
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        keep = recurrent.keeps(input, h, *weights)
        out = self._one(recurrent.gru(input, h, *weights, batch_sizes=(n,), reverse=False, keep=keep), n)
        return out if batched else out.squeeze(0)


class LSTMCell(RNNCellBase):
    """One step of an ``LSTM``.

    Args:
        input_size, hidden_size, bias, device, dtype: see ``RNNCellBase``.

    Example:
        >>> h, c = nn.LSTMCell(10, 20)(genesis.randn(3, 10))
        >>> h.shape, c.shape
        ((3, 20), (3, 20))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    @listed(cpu=FULL, cuda=LOWER)
    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """The next hidden and cell state.

        Args:
            input: (batch, input_size) or (input_size,).
            hx: hidden and cell state (batch, hidden_size) or (hidden_size,); zeros when None.
        """
        input, states, batched = self._prepared(input, hx, 2)
        n, bias = input.shape[0], self._bias()
        keep = recurrent.keeps(input, *states, self.weight_ih, self.weight_hh, bias)
        out = recurrent.lstm(
            input, *states, self.weight_ih, self.weight_hh, bias, None,
            batch_sizes=(n,), reverse=False, keep=keep,
        )  # fmt: skip
        h, _, c = recurrent.parts(out, n, n, self.hidden_size, self.hidden_size)
        return (h, c) if batched else (h.squeeze(0), c.squeeze(0))
