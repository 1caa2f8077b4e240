"""How a value is shown in a message to people."""

from __future__ import annotations

from reprlib import Repr

_REPR = Repr()
_REPR.maxlevel = 2
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 60

_KINDS = (
    (bool, "true or false"),
    (int | float, "a number"),
    (str, "text"),
    (list | tuple, "a list"),
    (dict, "an object"),
)


def shown(value: object) -> str:
    """``a number (3)``: the kind of a value, and the value itself cut short however large or deep it is."""
    if value is None:
        return "null"
    kind = next((kind for type_, kind in _KINDS if isinstance(value, type_)), type(value).__name__)
    try:
        return f"{kind} ({_REPR.repr(value)})"
    except ValueError:  # Python refuses to write out whole numbers of thousands of digits
        return kind
