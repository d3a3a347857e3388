"""Lengths as texts: a percentage of the training, epochs, steps."""

from __future__ import annotations

import threading

import pytest

from genesis.optim import WSD, Cosine, Linear, to_steps, training_length


def test_lengths_in_compositions_and_shapes():
    with training_length(total_steps=1000, steps_per_epoch=50):
        schedule = Cosine("50%").with_warmup("10%").then(Linear("500 steps"), at="12ep")
        shape = WSD("100%", decay_steps="10%", warmup_steps="1.5 epochs")
    assert schedule == Cosine(500).with_warmup(100).then(Linear(500), at=600)
    assert (shape.steps, shape.decay_steps, shape.warmup_steps) == (1000, 100, 75)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        *(("10%", 20), ("0%", 0), ("100%", 200), ("12.5%", 25), (".5%", 1), (" 3 ep ", 30), ("1epoch", 10)),
        *(("2.5epochs", 25), ("500 steps", 500), ("1 step", 1), ("1e2 steps", 100), ("1e-1%", 0)),
    ],
)
def test_texts(text, steps):
    assert to_steps(text, total_steps=200, steps_per_epoch=10) == steps


@pytest.mark.parametrize(
    "text",
    ["ep", "", "%", "-1ep", "-5%", "10", "10 %%", "ten steps", "1..5%", "1e3.5%", "3 epoch s", "0x10 steps"],
)
def test_what_is_no_length_is_refused(text):
    with pytest.raises(ValueError, match="is no length; write a number of steps, '10%'"):
        to_steps(text, 100, 10)


@pytest.mark.parametrize("text", ["110%", "100.1%"])
def test_more_than_all_is_refused(text):
    with pytest.raises(ValueError, match="more than all of the training"):
        to_steps(text, 100, 10)


@pytest.mark.parametrize("text", ["1e400 steps", "9" * 400 + "ep", "1e300%", "1e9ep"])
def test_absurd_lengths_are_refused(text):
    with pytest.raises(ValueError, match="longer than any training"):
        to_steps(text, 100, 10)


@pytest.mark.parametrize(
    ("length", "error"),
    [(None, TypeError), (True, TypeError), ([5], TypeError), (-5, ValueError), (float("nan"), ValueError)],
)
def test_wrong_number_of_steps_is_refused(length, error):
    with pytest.raises(error, match="must be a number of steps"):
        to_steps(length)


def test_long_wrong_text_is_refused_at_once():
    with pytest.raises(ValueError, match="is no length"):  # minutes, if the digits were read in every way
        to_steps("9" * 200_000 + "x", 100, 10)


def test_length_without_a_training_says_how_to_give_one():
    with pytest.raises(ValueError, match=r"of how many steps\? Make the schedule inside"):
        Cosine(9).with_warmup("10%")
    with training_length(total_steps=100), pytest.raises(ValueError, match="how many steps has an epoch"):
        Cosine(9).then(Cosine(9), at="3ep")


def test_nested_trainings_keep_what_they_do_not_say():
    with training_length(total_steps=100, steps_per_epoch=10):
        with training_length(total_steps=40):
            assert (to_steps("50%"), to_steps("1ep")) == (20, 10)
        assert to_steps("50%") == 50


def test_training_is_forgotten_after_an_error():
    with pytest.raises(KeyError), training_length(total_steps=100):
        raise KeyError
    with pytest.raises(ValueError, match="of how many steps"):
        to_steps("50%")


def test_each_thread_has_its_own_training():
    seen = {}
    inside = threading.Barrier(2, timeout=10)

    def train(total):
        with training_length(total_steps=total):
            inside.wait()  # both are inside now
            seen[total] = to_steps("50%")

    threads = [threading.Thread(target=train, args=(total,)) for total in (100, 400)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {100: 50, 400: 200}


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "100"])
def test_wrong_training_is_refused(value):
    with pytest.raises(ValueError, match="total_steps must be an int of 1 or more"), training_length(value):
        pass
