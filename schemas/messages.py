"""How a value, or a refusal of the system, is shown in a message to people."""

from __future__ import annotations

import os
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


def describe_value(value: object) -> str:
    """``a number (3)``: the kind of a value, and the value itself cut short however large or deep it is."""
    if value is None:
        return "null"
    kind = next((kind for type_, kind in _KINDS if isinstance(value, type_)), type(value).__name__)
    try:
        return f"{kind} ({_REPR.repr(value)})"
    except ValueError:  # Python refuses to write out whole numbers of thousands of digits
        return kind


def first_line(error: Exception) -> str:
    """What a library's error says first; its kind where it says nothing."""
    return str(error).partition("\n")[0][:200] or type(error).__name__


def reason(error: OSError) -> str:
    """Why the system refuses a file or a folder; where it is for want of a right, who lacks it and what gives it."""
    why = error.strerror or str(error)
    if not isinstance(error, PermissionError):
        return why
    user = os.geteuid()
    return f"{why} to user {user}: `chmod -R a+rX` lets it read the folder, `chown -R {user}` also write to it"
