"""JSON as the library reads and writes it."""

from __future__ import annotations

import json
import re

import numpy as np

from tfjs_laplace_checks import FileError, unsound

_DEEPEST = 32


def strict_json(text: str, what: str):
    """The value of a JSON text. Keys that are there twice and deep nesting are refused, as the library does."""
    depth = 0
    for token in re.finditer(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', text, re.S):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token.group(), 0)
        if depth > _DEEPEST:
            raise unsound(f"{what} with more than {_DEEPEST} levels of nesting")

    def own(pairs):
        value = dict(pairs)
        if len(value) < len(pairs):
            raise unsound(f"{what} with a key that is there twice")
        return value

    def refused(constant):
        raise ValueError(constant)

    try:
        return json.loads(text, object_pairs_hook=own, parse_constant=refused, parse_int=_integer)
    except (ValueError, RecursionError):
        raise unsound(f"{what} with text that is no JSON") from None


def _integer(text: str):
    """Long numbers are float64, as all numbers of JavaScript."""
    return int(text) if len(text) < 18 else float(text)


def to_json(value) -> str:
    """JSON as `JSON.stringify` of JavaScript writes it: no spaces, 1 for 1.0, 1e-7, 1e+21; keys that are numbers come first."""
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found.group()):04x}", text)
    if isinstance(value, (bool, np.bool_)) or value is None:
        return {True: "true", False: "false", None: "null"}[None if value is None else bool(value)]
    if isinstance(value, (int, float, np.integer, np.floating)):
        return _js_number(float(value))
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(to_json, value))}]"
    if isinstance(value, dict):
        indices = sorted((key for key in value if re.fullmatch("0|[1-9][0-9]{0,9}", key) and int(key) < 2**32 - 1), key=int)
        keys = indices + [key for key in value if key not in indices]
        return f"{{{','.join(f'{to_json(key)}:{to_json(value[key])}' for key in keys)}}}"
    raise FileError("The manifest", f"a value of type {type(value).__name__}", "what JSON can hold: dicts, lists, text, numbers")


def _js_number(value: float) -> str:
    """A number as JavaScript writes it. Both languages take the fewest digits that tell the number from its neighbours."""
    if not np.isfinite(value):
        raise FileError("The manifest", repr(value), "finite numbers")
    mantissa, _, power = f"{abs(value)!r}".partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + part).lstrip("0")
    # The number is 0.digits times ten to the power `point`.
    point = len(whole) + int(power or 0) - (len(whole + part) - len(digits))
    digits = digits.rstrip("0")
    if digits == "":
        return "0"
    if len(digits) <= point <= 21:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        text = f"{digits[0]}{'.' if len(digits) > 1 else ''}{digits[1:]}e{point - 1:+d}"
    return f"-{text}" if value < 0 else text
