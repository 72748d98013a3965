"""Methods: what every kind of number can do, by operators and methods of the table's names. `Number` installs them; the stub beside this
file, which docs/stubs.py writes from the table, tells editors and type checkers what they are.
"""


class Methods:
    """What every kind of number can do."""

    __slots__ = ()
