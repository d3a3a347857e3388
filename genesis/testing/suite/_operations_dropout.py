"""Dropout, where nothing is drawn."""

from genesis.testing.suite._operations import case, floats

for name in ("alpha_dropout", "feature_alpha_dropout", "feature_dropout"):
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, 0.4, False), floats(2, 3))
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, 1.0, True), floats(2, 3), label="all of it")
