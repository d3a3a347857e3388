"""nn.utils.rnn: padding and packing."""

from table._entry import Entry, S, bools, floats, integers

RNN = "nn.utils.rnn."


def filled(make):
    """Three sequences of lengths 4, 2 and 3 with the elements of ``make``."""
    return [make(4), make(2), make(3)]


def wide(n):
    return floats(n, 2)


def whole(n):
    return integers(0, 9, n)


def back(library, function, data, lengths, batch_first=False, enforce_sorted=False, **options):
    """Packed, and padded again."""
    packed = library.nn.utils.rnn.pack_padded_sequence(data, lengths, batch_first, enforce_sorted)
    return function(packed, batch_first, **options)


def of_list(library, function, sequences, **options):
    packed = library.nn.utils.rnn.pack_sequence(sequences, **options)
    return function(packed)


def converted(library, function, data, lengths, to):
    """A packed sequence and its fields, of another type."""
    p = function(data, lengths, enforce_sorted=False)
    q = getattr(p, to)()
    return [*q, type(q).__name__, q.batch_sizes.tolist(), p.to(p.data.dtype) is p, len(q), q.data is q[0]]


def text(library, function, data, lengths):
    return repr(function(data, lengths, enforce_sorted=False)).split("(")[0]


def as_tensor(library, function, data, lengths, **options):
    return function(data, library.tensor(lengths), **options)


def inverse(library, function, permutation):
    return function(None), function(permutation)


ENTRIES = [
    Entry(
        RNN + "pad_sequence",
        [
            S(filled(wide)),
            S(filled(wide), True),
            S(filled(wide), batch_first=True, padding_value=-1.5),
            S(filled(wide), False, 2),
            S(filled(wide), padding_side="left"),
            S(filled(wide), True, 0.5, "left"),
            S(tuple(filled(floats))),
            S(filled(lambda n: floats(n, 2, 3)), batch_first=True),
            S(filled(whole)),
            S(filled(whole), padding_value=7),
            S(filled(lambda n: bools(n, 2)), True),
            S([floats(3)]),
            S([floats(3, 2), floats(0, 2)]),
            S(floats(3, 4)),
            S(floats(3, 4, 2), batch_first=True),
        ],
        errors=[
            S([]),
            S([floats(3, 2), floats(3, 4)]),
            S(filled(wide), padding_side="top"),
            S(3),
        ],
    ),
    Entry(
        RNN + "pack_padded_sequence",
        [
            S(floats(4, 3, 2), [4, 3, 1]),
            S(floats(3, 4, 2), [4, 3, 1], True),
            S(floats(3, 4, 2), [2, 4, 1], batch_first=True, enforce_sorted=False),
            S(floats(4, 3, 2), [2, 4, 2], enforce_sorted=False),
            S(floats(4, 3, 2), [3, 2, 2]),
            S(floats(4, 3, 2), (4, 4, 4)),
            S(floats(4, 3), [4, 3, 1]),
            S(floats(4, 3, 2, 2), [4, 3, 1]),
            S(integers(0, 9, 4, 3), [4, 3, 3]),
            S(bools(3, 4), [1, 2, 3], batch_first=True, enforce_sorted=False),
            S(floats(1, 1, 2), [1]),
        ],
        errors=[
            S(floats(4, 3, 2), [1, 3, 4]),
            S(floats(4, 3, 2), [4, 3, 0]),
            S(floats(4, 3, 2), [4, 3]),
            S(floats(4, 3, 2), [4, 3, -1], enforce_sorted=False),
            S(floats(4, 0, 2), []),
        ],
        differs="lengths beyond the input are refused; PyTorch gives batch sizes that do not fit the data",
    ),
    Entry(
        RNN + "pack_padded_sequence",
        [
            S(floats(4, 3, 2), [2, 4, 2], enforce_sorted=False, label="lengths as a tensor"),
            S(floats(4, 3, 2), [4, 2, 2], label="sorted lengths as a tensor"),
        ],
        call=as_tensor,
    ),
    Entry(
        RNN + "pack_padded_sequence",
        [
            S(floats(4, 3, 2), [2, 4, 1], to, label=to)
            for to in ("double", "float", "int", "long", "cpu", "short", "char")
        ],
        call=converted,
        grad=False,
    ),
    Entry(RNN + "pack_padded_sequence", [S(floats(4, 3), [2, 4, 1], label="name")], call=text, grad=False),
    Entry(
        RNN + "pad_packed_sequence",
        [
            S(floats(4, 3, 2), [4, 3, 1]),
            S(floats(4, 3, 2), [2, 4, 1]),
            S(floats(3, 4, 2), [2, 4, 1], True),
            S(floats(4, 3, 2), [3, 2, 2], padding_value=-2.5),
            S(floats(4, 3, 2), [3, 2, 2], total_length=6),
            S(floats(3, 4), [3, 2, 2], True, padding_value=1, total_length=4),
            S(floats(4, 3, 2, 2), [4, 1, 4]),
            S(floats(4, 3), [4, 4, 4], enforce_sorted=True),
            S(integers(0, 9, 4, 3), [1, 2, 3]),
            S(integers(0, 9, 4, 3), [1, 2, 3], padding_value=4),
        ],
        errors=[S(floats(4, 3, 2), [4, 3, 1], total_length=3)],
        call=back,
    ),
    Entry(
        RNN + "pack_sequence",
        [
            S([floats(4, 2), floats(3, 2), floats(1, 2)]),
            S(filled(wide), enforce_sorted=False),
            S(filled(whole), False),
            S([floats(2), floats(2)]),
        ],
        errors=[S(filled(wide)), S([]), S([floats(3), floats(0)])],
    ),
    Entry(
        RNN + "unpack_sequence",
        [
            S(filled(wide), enforce_sorted=False),
            S([floats(3), floats(2)]),
            S(filled(whole), enforce_sorted=False),
        ],
        call=of_list,
    ),
    Entry(
        RNN + "unpad_sequence",
        [
            S(floats(3, 4, 2), integers(1, 5, 3), batch_first=True),
            S(floats(3, 4), integers(1, 5, 3), True),
            S(integers(0, 9, 3, 4), integers(1, 5, 3), True),
        ],
        errors=[S(floats(3, 4), integers(1, 5, 2), True)],
        differs="the padded batch keeps its axes; PyTorch transposes it in place unless batch_first",
    ),
    Entry(RNN + "invert_permutation", [S(integers(0, 1, 1))], call=inverse),
    Entry(
        RNN + "invert_permutation",
        [S([3, 0, 1, 2]), S([0, 1, 2])],
        call=lambda library, function, p: function(library.tensor(p)),
    ),
]
