"""The tests of tensors, layers and optimizers that run on any device.

    pytest -p genesis.testing.pytest_plugin --genesis-device=acme --pyargs genesis.testing.suite

runs them on the device `acme`. Genesis runs them on its own.
"""
