"""``Update``: the step of an optimizer as formulas for one element, run over all parameters in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

from genesis.backend.expr import Expr, arg, arguments, substitute
from genesis.ops._elementwise import Elementwise
from genesis.ops.optimizer_steps import run_step

Rule = Callable[..., Expr]


class Update:
    """What a step does to each element of parameters and states, as formulas that run one after the other.

    A rule is ``name: formula``. The parameters of the formula's signature are names, too: of the tensors, of
    earlier rules, or else of numbers. A rule with the name of a tensor changes it, and the rules below read
    the new values; any other rule is a name for something that rules below use.

    Called, it takes a list for each name of ``tensors`` (the parameters, their gradients, states), and the
    numbers by name: ``update(params, grads, averages, lr=0.1, ...)``. It writes into the tensors that have
    rules, with gradients off. A device may have a kernel named ``update_step``, which does all in one pass:
    ``kernel(backend, *lists, update=update, **numbers)`` gets lists with views, of one floating-point type on
    one device, and returns None, or NotImplemented before it writes anything. Without one, each rule for a
    tensor is a pass over each parameter.

    Args:
        name: Shown in errors.
        tensors: Names of what comes in lists; the first are the parameters, the second their gradients.
        rules: From a name to a formula over ``+ - * /`` and ``genesis.backend.call``.
        each: The numbers that come as lists, one for each parameter.

    Attributes:
        name, tensors, each: As given.
        numbers: Names of the numbers, in the order of their inputs.
        results: From the index of a tensor that has a rule to the formula of its new value, over inputs
            that are the old elements of all tensors and then the numbers.

    Raises:
        RuntimeError: When called, a gradient or state differs from its parameter in shape, type or device.
        TypeError: When called, a number is missing, or is none of the rules'.

    Example:
        >>> descent = Update("descent", ("p", "g", "m"), {
        ...     "m": lambda m, g, new: m + (g - m) * new,
        ...     "p": lambda p, m, lr: p - lr * m,
        ... })
        >>> descent([p], [p.grad], [average], new=0.1, lr=0.5)
    """

    def __init__(
        self, name: str, tensors: Sequence[str], rules: Mapping[str, Rule], *, each: Sequence[str] = ()
    ) -> None:
        self.name, self.tensors, self.each = name, tuple(tensors), tuple(each)
        wanted = {target: tuple(signature(formula).parameters) for target, formula in rules.items()}
        known = {*self.tensors, *rules}
        self.numbers = tuple(dict.fromkeys(n for names in wanted.values() for n in names if n not in known))
        inputs = {n: arg(i) for i, n in enumerate((*self.tensors, *self.numbers))}

        values = dict(inputs)
        for target, formula in rules.items():
            values[target] = formula(*[values[n] for n in wanted[target]])
        self.results = {i: values[n] for i, n in enumerate(self.tensors) if n in rules}
        self._passes = self._split(rules, wanted, inputs)

    def _split(
        self, rules: Mapping[str, Rule], wanted: Mapping[str, tuple[str, ...]], inputs: dict[str, Expr]
    ) -> list[tuple[int, bool, Elementwise, list[int]]]:
        """The passes of the composite: where the result goes, whether in place, what it is, its inputs.

        Names are written out where they are used; one that reads a tensor which is changed before its last
        use becomes a tensor of its own.
        """
        values = dict(inputs)
        passes: list[tuple[int, bool, Elementwise, list[int]]] = []
        order = list(rules)
        place = len(inputs)
        for number, (target, formula) in enumerate(rules.items()):
            values[target] = formula(*[values[n] for n in wanted[target]])
            if target not in self.tensors:
                continue
            own = self.tensors.index(target)
            later = {n for name in order[number + 1 :] for n in wanted[name]}
            for name in order[:number]:
                if name in later and name not in self.tensors and own in arguments(values[name]):
                    passes.append((place, False, *_operation(f"{self.name}, {name}", values[name])))
                    values[name] = arg(place)
                    place += 1
            passes.append((own, True, *_operation(f"{self.name}, {target}", values[target])))
            values[target] = inputs[target]
        return passes

    def __call__(self, *lists: Sequence[Any], **numbers: Any) -> None:
        if len(lists) != len(self.tensors) or numbers.keys() != set(self.numbers):
            raise TypeError(
                f"{self.name} takes lists of {', '.join(self.tensors)} and the numbers "
                f"{', '.join(self.numbers)}; got {len(lists)} lists and {', '.join(numbers) or 'no numbers'}"
            )
        each = {n: numbers.pop(n) for n in self.each}
        run_step("update_step", self._composite, lists, each, {"update": self, **numbers}, self.name)

    def _composite(self, *lists: Sequence[Any], update: Update, **numbers: Any) -> None:
        common = [None if n in self.each else float(numbers[n]) for n in self.numbers]
        for i, tensors in enumerate(zip(*lists, strict=True)):
            own = [
                float(numbers[n][i]) if c is None else c for n, c in zip(self.numbers, common, strict=True)
            ]
            values: list[Any] = [*tensors, *own]
            for place, in_place, operation, needed in self._passes:
                operands = [values[k] for k in needed]
                if in_place:
                    operation.into(values[place], *operands)
                else:
                    values.append(operation(*operands))

    def __repr__(self) -> str:
        return f"Update({self.name!r}, {self.tensors}, {self.numbers})"


def _operation(name: str, expr: Expr) -> tuple[Elementwise, list[int]]:
    """An expression as an operation on those inputs that it reads."""
    needed = arguments(expr)
    place = {k: arg(i) for i, k in enumerate(needed)}
    own = substitute(expr, lambda e: place[e.value] if e.name == "arg" else None)

    def formula(*inputs: Expr) -> Expr:
        return substitute(own, lambda e: inputs[e.value] if e.name == "arg" else None)

    return Elementwise(name, formula, len(needed), "same"), needed
