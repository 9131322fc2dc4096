"""Lists, tuples and dicts: loads, stores, growth while iterating, unpacking, swaps, slices."""

# ruff: noqa  (odd code is what these are for)

from support.case import case, script

TEN = list(range(10))


class Index:
    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


class Shouting(list):
    def __getitem__(self, index):
        return "shout", index

    def __setitem__(self, index, value):
        super().append((index, value))


@case((TEN, 3), [(TEN, -1), (TEN, -10), (TEN, -11), (TEN, 10), (TEN, 2**63), (TEN, -(2**64)), (TEN, True), (TEN, 1.0), (TEN, Index(2)),
                 ([], 0), ((1, 2, 3, 4), 3), ((1, 2), 5), ("abcdef", 3), ({3: "three"}, 3), ({}, 3), (Shouting(), 3), (None, 0), (range(5), 3)])  # fmt: skip
def load(xs, i):
    return xs[i]


@case((TEN, 3, 99), [(TEN, -1, 9), (TEN, -10, 9), (TEN, -11, 9), (TEN, 10, 9), (TEN, 2**63, 9), (TEN, 0, 1.5), (TEN, 0, None), (TEN, 0, True),
                     (TEN, 1, 2**70), (TEN, True, 1), (TEN, Index(1), 1), ([], 0, 1), ((1, 2, 3, 4), 3, 9), ({}, 3, 4), (Shouting(), 3, 4), ("abcd", 1, "x")])  # fmt: skip
def store(xs, i, value):
    xs[i] = value
    return xs


@case(
    (TEN, 3),
    [(TEN, -1), (TEN, 10), ([1.5, 2.5, 3.5, 4.5], 3), ([2**63 - 1] * 5, 3), (["a"] * 4, 3), ([None] * 4, 3)],
)
def augmented_store(xs, i):
    xs[i] += 1
    xs[-1] = xs[i] * 2
    return xs


@case(
    (TEN,),
    [
        ([],),
        ([1.5, 2.5],),
        ([1, 2.5, True],),
        (["a"],),
        ((1, 2, 3),),
        ([2**63 - 1, 1],),
        ({1: 2},),
        ("ab",),
        (7,),
    ],
)
def total_for(xs):
    total = 0
    for x in xs:
        total += x
    return total


@case((TEN,), [([],), ([1.5, 2.5],), ([1, 2.5, True],), ([2**62] * 3,), ((1, 2, 3),)])
def total_index(xs):
    total = 0
    for i in range(len(xs)):
        total += xs[i]
    return total


@case((TEN,), [([],), ([1],), ([1, 2.0, 3],)])
def reverse_in_place(xs):
    i, j = 0, len(xs) - 1
    while i < j:
        xs[i], xs[j] = xs[j], xs[i]
        i += 1
        j -= 1
    return xs


@case((5,), [(0,), (20,)])
def grows_while_iterating(n):
    xs = [0]
    for x in xs:
        if len(xs) < n:
            xs.append(x + 1)
            xs.append(x * 2)
    return xs


@case(([1, 2, 3, 4, 5, 6],), [([],), ([1],), ([2, 2, 2],), ([1.0, 2, 3],)])
def shrinks_while_iterating(xs):
    seen = []
    for x in xs:
        seen.append(x)
        if x % 2 == 0:
            xs.remove(x)
    return seen, xs


@case((TEN,), [([],), ([1, 2],)])
def cleared_while_iterating(xs):
    seen = []
    for x in xs:
        seen.append(x)
        if len(seen) == 3:
            xs.clear()
    return seen, xs


@case((10,), [(0,), (50,)])
def build_and_read(n):
    xs = []
    for i in range(n):
        xs.append(i * i)
    total = 0
    for i in range(n):
        total += xs[i] - xs[-i - 1]
    return total, xs


@case((4,), [(0,), (7,)])
def matrix(n):
    rows = [[i * n + j for j in range(n)] for i in range(n)]
    out = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            total = 0
            for k in range(n):
                total += rows[i][k] * rows[k][j]
            out[i][j] = total
    return out


@case(((1, 2),), [((1.5, 2),), (("a", None),), ((1,),), ((1, 2, 3),)])
def unpack_pair(pair):
    a, b = pair
    return b, a


@case(
    ((1, 2),),
    [((1.5, 2),), ([3, 4],), ((1,),), ((1, 2, 3),), ("ab",), ({1: 2, 3: 4},), (range(2),), (5,), ([],)],
    machine=False,  # what is neither a tuple nor a list is the interpreter's; enough of it, and so is the function
)
def unpack_two(pair):
    a, b = pair
    return b, a


@case(
    ([(1, 2), (3, 4)],),
    [([],), ([(1, 2.0), ("a", None)],), ([[1, 2]],), ([(1, 2), (1, 2, 3)],), ([(1, 2), 7],), ([(2**63, 1)],)],
)
def unpack_in_for(pairs):
    total = []
    for a, b in pairs:
        total.append(a)
        total.append(b)
    return total


@case(([1, 2, 3, 4],), [([1],), ([],), ((1, 2),), ("abc",), (range(5),)], machine=False)
def unpack_starred(xs):
    first, *rest = xs
    return first, rest


@case((1, 2, 3), [(1.5, "a", None), (2**63, 1, 2)])
def swaps(a, b, c):
    a, b = b, a
    b, c = c, b
    a, b, c = c, a, b
    return a, b, c


@case(
    (TEN, 2, 5),
    [
        (TEN, -3, -1),
        (TEN, 5, 2),
        (TEN, None, 3),
        (TEN, 2, 2**70),
        ("abcdef", 1, 3),
        ((1, 2, 3), 0, 2),
        (TEN, "a", 2),
        (5, 1, 2),
    ],
)
def slices(xs, i, j):
    return xs[i:j], xs[i:], xs[:j], xs[:], xs[i:j:2], xs[::-1]


@case((TEN, 2, 5), [(TEN, 5, 2), (TEN, -3, 2**70), ((1, 2), 0, 1), (TEN, 0, 0)])
def slice_store(xs, i, j):
    xs[i:j] = [7, 7]
    return xs


@case((TEN, 2), [(TEN, -1), (TEN, 10), ({2: 3}, 2), ({}, 2)], machine=False)
def delete(xs, i):
    del xs[i]
    return xs


@case((["a", "b", "a"],), [([],), ([1, 1, 2.0],), ([[1]],)])
def count_in_dict(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


@case(({"a": 1, "b": 2},), [({},), ({1: 1.5},), ([1],)])
def walk_dict(d):
    out = []
    for key in d:
        out.append(key)
    for key, value in d.items():
        out.append((key, value))
    return out


@case(({"a": 1},), [({},), ({"z": 1},)])
def dict_changes_while_iterating(d):
    for key in d:
        d[key + "x"] = 1
    return d


@case((TEN, 3), [(TEN, 30), ([1.0, NotImplemented], 1), ("abc", "b"), ({3}, 3), ((1, 2), 2), (5, 1)])
def contains(xs, x):
    return x in xs, x not in xs


@case((TEN,), [([],), ("abc",), ((1, 2),), ({},), (5,), (Shouting(),)])
def length(xs):
    return len(xs) + len(xs) * 2


@case(([1.0, 2.0, 3.0],), [([],), ([1, 2],), ([1.0, "a"],), ([0.5, None],)])
def float_store_back(xs):
    for i in range(len(xs)):
        xs[i] = xs[i] * 0.5 + i
    return xs


@case(([1.0, 2.0, 3.0],), [([1, 2, 3],), ([],)])
def boxes_are_not_shared(xs):
    first = xs[0]
    keep = [first, first]
    for i in range(5):
        xs[0] = xs[0] + 1
        keep.append(xs[0])
    return keep, first, xs


@case(([0] * 5, 3), [([0.0] * 5, 3), ([None] * 5, 3), (["x"] * 5, 2)])
def store_every_kind(xs, n):
    for i in range(n):
        xs[0] = i
        xs[1] = i * 0.5
        xs[2] = i > 1
        xs[3] = None
        xs[4] = 300 + i
    return xs


@script()
def list_of_lists_shared(run):
    def tie(rows, n):
        for i in range(n):
            rows[i % 2] = rows
        return rows[0] is rows, rows[1][0] is rows, len(rows)

    run.warm(tie, [0, 0], 10)
    run.call(tie, [1, 2, 3], 1)
    run.call(tie, [], 1)
    run.call(tie, [], 0)


@case(([5, 3, 8],), [([],), ([1.5],), (["a", "b"],), ([1, "b"],)])
def maximum(xs):
    best = None
    for x in xs:
        if best is None or x > best:
            best = x
    return best


@case((3,), [(0,), (5,)], machine=False)
def enumerate_zip(n):
    a, b = list(range(n)), [i * 0.5 for i in range(n + 1)]
    out = []
    for i, x in enumerate(a):
        out.append(i * x)
    for x, y in zip(a, b):
        out.append(x + y)
    return out


BIG = [2**62, -(2**62), 2**63 - 1, -(2**63)]


@case(([1.5, 2.5, -0.0], 3), [([1, 2], 2), ([1.5, 2], 2), ([True, 1.5], 2), ([2**70], 1), ([], 0), ([1.5], 2), ([None], 1), (BIG, 4), (["a"], 1)])  # fmt: skip
def numbers_of_items(xs, n):
    total = 0.0
    for i in range(n):
        total += xs[i] * 2 - xs[-1]
    return total


@case(([True, False, True],), [([],), ([1, 0],), ([1.0, 0.0],), (["", "a"],), ([None, True],), ([False] * 3,), ([[], [1]],)])  # fmt: skip
def truths_of_items(xs):
    count = 0
    for i in range(len(xs)):
        if xs[i]:
            count += 1
    return count


@case(([4, 2, 9, 1],), [([],), ([1.5, 0.5],), ([300, 3, 2**70],), (["b", "a"],), ([1, "a"],), ([True, False],), (BIG,)])
def insertion_sort(xs):
    for i in range(1, len(xs)):
        j = i
        while j and xs[j - 1] > xs[j]:
            xs[j - 1], xs[j] = xs[j], xs[j - 1]
            j -= 1
    return xs


@case(([1, 2, 3],), [([],), ([1.5],), ([1, 2.5, "a"],), ([2**70, 1],), ([True],), ([None],), (BIG,), ((1, 2),)])
def iterate_numbers(xs):
    last = None
    out = []
    for x in xs:
        last = x
        out.append(x)
        if len(out) > 10:
            break
        if last == 3:
            xs.append(4) if len(xs) < 6 else None
    return last, out, xs


@case((4,), [(0,), (300,), (2**64,), (-1,), (1.5,)])
def appends(n):
    ints, floats, objects, constants = [], [], [], []
    i = 0
    while i < n and i < 400:
        ints.append(i)
        floats.append(i * 0.5)
        objects.append(ints)
        constants.append(None)
        constants.append(True)
        constants.append(7)
        constants.append(-1.5)
        constants.append("text")
        i += 1
    return ints, floats, len(objects), constants, all(o is ints for o in objects)


@case(([[1.5, 2.5], [3, 4]],), [([],), ([[1, 2]],), ([(1, 2), [3.5, "b"]],), ([[1, 2, 3]],), ([["a", None]],), ([7],)])
def unpack_into_locals(rows):
    total = []
    a = b = None
    for [a, b] in rows:
        total.append((b, a))
    return total, a, b


@case((list(range(6)), 2), [([], 0), (list("abcd"), 1), (TEN, 20), (TEN, -2), (TEN, True), (TEN, None), ((1, 2, 3), 1), ("abc", 1)])  # fmt: skip
def slices_from_the_start(xs, n):
    return xs[:], xs[n:], xs[:n], xs[1:n]


@case((list(range(6)), 2), [([], 0), (list("abcd"), 1), (TEN, 20), (TEN, -2), (TEN, True), (TEN, None), ((1, 2, 3), 1)])
def slice_stores(xs, n):
    xs[:n] = xs[1:n] + xs[:1]
    xs[n:] = (1, 2)
    xs[1:n] = xs
    return xs


@case((3, (1, 2)), [(3, [1, 2]), (3, 5), (2, (1,))], machine=False)
def unpack_a_number_at_times(n, pair):
    total = 0
    for i in range(n):
        value = pair if i else (3, 4)
        a, b = value
        total += a * b
        if i == n - 2:
            pair = i
    return total


class Odd(list):
    def __getitem__(self, key):
        return ["odd", key]


@case(([3, 1, 2],), [([],), ([2.5, 1],), ((3, 1),), ("ab",), (Odd([1, 2]),), ([[1], 2],), (7,), ([2**70, True],)])
def copies_by_constant_slices(xs):
    ys = xs[:]
    zs = xs[-2:]
    for _ in range(3):
        ys[0], ys[-1] = ys[-1], ys[0]
    zs[0] += ys[0]
    return ys, zs, xs[::2]


@case(
    ([1, 2, 3, 4], 0, 2, [5, 6]), [([1, 2], 0, 1, 7), ([1, 2], 0, 1, "ab"), ([1, 2], 0, 1, None), ([1, 2], 0, 5, (8,))]
)
def slice_stores_of_anything(xs, low, high, new):
    seen = []
    for i in range(5):
        try:
            xs[low:high] = new
        except TypeError as error:
            seen.append(str(error))
    return seen, xs[:20]
