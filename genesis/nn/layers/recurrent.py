"""``RNN``, ``LSTM`` and ``GRU``: layers over whole sequences."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import genesis
from genesis import empty, ops
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor
from genesis.nn import init
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter
from genesis.nn.utils.rnn import PackedSequence
from genesis.ops import recurrent
from genesis.ops._autocast import casts

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """What ``RNN``, ``LSTM`` and ``GRU`` share: the weights, and the walk over layers and directions.

    Args:
        mode: ``"RNN_TANH"``, ``"RNN_RELU"``, ``"LSTM"`` or ``"GRU"``.
        input_size: features of the input.
        hidden_size: features of the hidden state.
        num_layers: layers on top of each other; each takes what the one below gives.
        bias: whether there are ``bias_ih_l*`` and ``bias_hh_l*``.
        batch_first: input and output are (batch, steps, features) instead of (steps, batch, features).
        dropout: probability of dropping an output of all layers but the last, in training.
        bidirectional: also run from the end to the beginning; the outputs stand side by side.
        proj_size: project the hidden state of an LSTM to this many features; 0 for none.
        device, dtype: of the parameters.
    """

    mode: str

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
            raise ValueError(f"dropout should be a number in range [0, 1], got {dropout!r}")
        for name, value, kind in (
            ("bias", bias, bool),
            ("batch_first", batch_first, bool),
            ("input_size", input_size, int),
            ("hidden_size", hidden_size, int),
            ("num_layers", num_layers, int),
        ):
            if not isinstance(value, kind):
                raise TypeError(f"{name} should be of type {kind.__name__}, got {type(value).__name__}")
            if kind is int and value <= 0:
                raise ValueError(f"{name} must be greater than zero, got {value}")
        if not 0 <= proj_size < hidden_size:
            raise ValueError(f"proj_size has to be from 0 to hidden_size - 1, got {proj_size}")
        if mode not in _GATES:
            raise ValueError(f"unrecognized RNN mode {mode!r}; use one of {', '.join(_GATES)}")
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout is applied after all but the last recurrent layer, so it does nothing with "
                f"num_layers=1; got dropout={dropout}",
                stacklevel=3,
            )
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights: list[list[str]] = []
        rows, width, directions = _GATES[mode] * hidden_size, self._width, 2 if bidirectional else 1
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[:directions]:
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (rows, input_size if layer == 0 else width * directions),
                    "weight_hh": (rows, width),
                }
                if bias:
                    shapes.update(bias_ih=(rows,), bias_hh=(rows,))
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                self._all_weights.append(names)
                for name, shape in zip(names, shapes.values(), strict=True):
                    self.register_parameter(name, Parameter(empty(*shape, device=device, dtype=dtype)))
        self.reset_parameters()

    @property
    def _width(self) -> int:
        return self.proj_size or self.hidden_size

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights(self) -> list[Parameter]:
        return [w for weights in self.all_weights for w in weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    def flatten_parameters(self) -> None:
        """Does nothing: there is no memory layout to restore."""

    def reset_parameters(self) -> None:
        """Draw every parameter from U(-1/√hidden_size, 1/√hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
        }
        for name, usual in defaults.items():
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text

    # -- what comes in ---------------------------------------------------------------------------------
    def _states(self) -> list[int]:
        """The widths of the states: of the hidden state, and of the cell state of an LSTM."""
        return [self._width, self.hidden_size] if self.mode == "LSTM" else [self._width]

    def _check_input(self, input: Tensor) -> None:
        weight = self._flat_weights[0]
        if input.dtype is not weight.dtype and not casts(input):
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}); convert one "
                "with .to(dtype)"
            )
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size: expected {self.input_size}, got an input of "
                f"shape {tuple(input.shape)}"
            )

    def _first_states(
        self, hx: Sequence[Tensor] | None, batch: int, batched: bool, like: Tensor
    ) -> list[Tensor]:
        """Checked first states (layers * directions, batch, width); zeros where none are given."""
        count = len(self._all_weights)
        widths = self._states()
        if hx is None:
            return [genesis.zeros(count, batch, n, dtype=like.dtype, device=like.device) for n in widths]
        found = []
        for i, (h, n) in enumerate(zip(hx, widths, strict=True)):
            name = f"hidden[{i}]" if len(widths) > 1 else "hidden"
            if h.dim() != (3 if batched else 2):
                kind, want = ("batched 3-D", 3) if batched else ("unbatched 2-D", 2)
                raise RuntimeError(f"for {kind} input, {name} should be {want}-D too, got {h.dim()}-D")
            h = h if batched else h.unsqueeze(1)
            if tuple(h.shape) != (count, batch, n):
                raise RuntimeError(f"expected {name} size {(count, batch, n)}, got {tuple(h.shape)}")
            if h.dtype is not like.dtype and not casts(like):
                raise RuntimeError(f"input ({like.dtype}) and {name} ({h.dtype}) must have one dtype")
            found.append(h)
        return found

    def _run(self, input: Any, hx: Sequence[Tensor] | None) -> tuple[Any, list[Tensor]]:
        """The output, and the last states."""
        if isinstance(input, PackedSequence):
            return self._run_packed(input, hx)
        if not isinstance(input, Tensor):
            kind = type(input).__name__
            raise TypeError(f"{self._get_name()} takes a tensor or a PackedSequence, got {kind}")
        if input.dim() not in (2, 3):
            raise ValueError(f"{self._get_name()}: expected input to be 2D or 3D, got {input.dim()}D instead")
        batched, turned = input.dim() == 3, self.batch_first and input.dim() == 3
        self._check_input(input)
        if not batched:
            input = input.unsqueeze(1)
        elif turned:
            input = input.transpose(0, 1)
        steps, batch = input.shape[:2]
        if not steps:
            raise RuntimeError("expected sequence length to be larger than 0 in RNN")
        states = self._first_states(hx, batch, batched, input)
        rows, last = self._layers(input.reshape(-1, self.input_size), states, (batch,) * steps)
        output = rows.reshape(steps, batch, rows.shape[1])
        if turned:
            output = output.transpose(0, 1)
        elif not batched:
            output, last = output.squeeze(1), [h.squeeze(1) for h in last]
        return output, last

    def _run_packed(
        self, input: PackedSequence, hx: Sequence[Tensor] | None
    ) -> tuple[PackedSequence, list[Tensor]]:
        data, batch_sizes, order, inverse = input
        if data.dim() != 2:
            raise RuntimeError(f"a packed input must have 2 dimensions, got {data.dim()}")
        self._check_input(data)
        sizes = tuple(batch_sizes.tolist())
        states = self._first_states(hx, sizes[0], True, data)
        if hx is not None and order is not None:
            states = [h.index_select(1, order) for h in states]
        rows, last = self._layers(data, states, sizes)
        if inverse is not None:
            last = [h.index_select(1, inverse) for h in last]
        return PackedSequence(rows, batch_sizes, order, inverse), last

    # -- what is computed ------------------------------------------------------------------------------
    def _layers(self, x: Tensor, states: list[Tensor], sizes: tuple[int, ...]) -> tuple[Tensor, list[Tensor]]:
        """Packed rows through all layers and directions; the rows of the last, and all last states."""
        directions = 2 if self.bidirectional else 1
        last: list[list[Tensor]] = [[] for _ in states]
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                k = layer * directions + direction
                weights = [getattr(self, name) for name in self._all_weights[k]]
                out, *final = self._direction(x, [h[k] for h in states], weights, sizes, direction == 1)
                outputs.append(out)
                for place, h in zip(last, final, strict=True):
                    place.append(h)
            x = outputs[0] if directions == 1 else ops.cat(outputs, 1)
            if self.dropout and self.training and layer < self.num_layers - 1:
                x = ops.dropout(x, self.dropout)
        return x, [ops.stack(place) for place in last]

    def _direction(
        self, x: Tensor, first: list[Tensor], weights: list[Any], sizes: tuple[int, ...], reverse: bool
    ) -> list[Tensor]:
        """One direction of one layer: the output rows, and the last states."""
        w_ih, w_hh, *rest = weights
        b_ih, b_hh = rest[:2] if self.bias else (None, None)
        batch, rows = first[0].shape[0], x.shape[0]
        if self.mode == "LSTM":
            w_hr = rest[-1] if self.proj_size else None
            bias = None if b_ih is None else b_ih + b_hh
            keep = recurrent.keeps(x, *first, *weights)
            out = recurrent.lstm(
                x, *first, w_ih, w_hh, bias, w_hr, batch_sizes=sizes, reverse=reverse, keep=keep
            )
            return recurrent.parts(out, rows, batch, self._width, self.hidden_size)
        if self.mode == "GRU":
            keep = recurrent.keeps(x, *first, *weights)
            out = recurrent.gru(
                x, *first, w_ih, w_hh, b_ih, b_hh, batch_sizes=sizes, reverse=reverse, keep=keep
            )
        else:
            bias = None if b_ih is None else b_ih + b_hh
            kind = "tanh" if self.mode == "RNN_TANH" else "relu"
            out = recurrent.rnn(
                x, *first, w_ih, w_hh, bias, batch_sizes=sizes, reverse=reverse, nonlinearity=kind
            )
        return recurrent.parts(out, rows, batch, self.hidden_size)


def _refuse(kind: str, other: dict[str, Any]) -> None:
    if "proj_size" in other:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
    if other:
        raise TypeError(f"{kind} got an unexpected keyword argument {next(iter(other))!r}")


class RNN(RNNBase):
    """``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`` over a sequence, in one or more layers (Elman 1990).

    Args:
        input_size, hidden_size, num_layers: see ``RNNBase``.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias, batch_first, dropout, bidirectional, device, dtype: see ``RNNBase``.

    Example:
        >>> output, h_n = nn.RNN(10, 20, num_layers=2)(genesis.randn(5, 3, 10))
        >>> output.shape, h_n.shape
        ((5, 3, 20), (2, 3, 20))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: DType | None = None,
        **other: Any,
    ) -> None:
        _refuse("RNN", other)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"unknown nonlinearity {nonlinearity!r}; select from 'tanh' or 'relu'")
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, 0, device, dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """Run over a sequence.

        Args:
            input: (steps, batch, input_size), with ``batch_first`` (batch, steps, input_size), without a
                batch (steps, input_size), or a ``PackedSequence``.
            hx: first hidden state (layers * directions, batch, hidden_size); zeros when None.

        Returns:
            The hidden state of the last layer at every step, shaped and packed as the input, directions side
            by side; and the last hidden states, shaped as ``hx``.
        """
        output, last = self._run(input, None if hx is None else [hx])
        return output, last[0]


class GRU(RNNBase):
    """Gated recurrent units over a sequence, in one or more layers (Cho et al. 2014, arXiv:1406.1078).

    ``r, z = sigmoid(W_i x + b_i + W_h h + b_h)``, ``n = tanh(W_in x + b_in + r (W_hn h + b_hn))`` and
    ``h' = (1 - z) n + z h``.  The rows of the weights are those of r, z and n.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype: see
            ``RNNBase``.

    Example:
        >>> output, h_n = nn.GRU(10, 20, batch_first=True)(genesis.randn(3, 5, 10))
        >>> output.shape, h_n.shape
        ((3, 5, 20), (1, 3, 20))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: DType | None = None,
        **other: Any,
    ) -> None:
        _refuse("GRU", other)
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device,
            dtype,
        )  # fmt: skip

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """Run over a sequence; arguments and results are those of ``RNN``."""
        output, last = self._run(input, None if hx is None else [hx])
        return output, last[0]


class LSTM(RNNBase):
    """Long short-term memory over a sequence, in one or more layers (Hochreiter and Schmidhuber 1997).

    ``i, f, o = sigmoid(W_ih x + b_ih + W_hh h + b_hh)``, g the same with tanh, ``c' = f c + i g`` and
    ``h' = o tanh(c')``; with ``proj_size``, ``h' = W_hr (o tanh(c'))`` (arXiv:1402.1128).  The rows of the
    weights are those of i, f, g and o.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device,
            dtype: see ``RNNBase``.

    Example:
        >>> output, (h_n, c_n) = nn.LSTM(10, 20, num_layers=2)(genesis.randn(5, 3, 10))
        >>> output.shape, h_n.shape, c_n.shape
        ((5, 3, 20), (2, 3, 20), (2, 3, 20))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
            device, dtype,
        )  # fmt: skip

    def forward(
        self, input: Any, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        """Run over a sequence.

        Args:
            input: as for ``RNN``.
            hx: first hidden state (layers * directions, batch, proj_size or hidden_size) and first cell state
                (layers * directions, batch, hidden_size); zeros when None.

        Returns:
            The hidden state of the last layer at every step, shaped and packed as the input, directions side
            by side; and the last hidden and cell states.
        """
        output, (h, c) = self._run(input, hx)
        return output, (h, c)
