"""Plain scalars of the YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#103-core-schema).

PyYAML's own table is YAML 1.1: it reads `2e-4` as text, `on` as True and `010` as 8.
"""

from __future__ import annotations

import math
import re

from specgen.document import Scalar

_NULL = re.compile(r"(?:null|Null|NULL|~|)\Z")
_BOOL = re.compile(r"(?:(true|True|TRUE)|false|False|FALSE)\Z")
_DECIMAL = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_INT_DIGITS = 18


class UnusableNumber(ValueError):
    """A number of YAML that a spec cannot hold; the text says why."""


def plain_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar.

    Raises:
        UnusableNumber: for infinity, not-a-number and integers of more than 18 digits.
    """
    if _NULL.match(text):
        return None
    if found := _BOOL.match(text):
        return found.group(1) is not None
    for pattern, base in ((_DECIMAL, 10), (_OCTAL, 8), (_HEXADECIMAL, 16)):
        if pattern.match(text):
            digits = text.lstrip("+-") if base == 10 else text[2:]
            if len(digits.lstrip("0")) > _INT_DIGITS:
                raise UnusableNumber(f"the integer has more than {_INT_DIGITS} digits")
            return int(digits, base) * (-1 if text.startswith("-") else 1)
    if _FLOAT.match(text):
        number = float(text)
        if math.isinf(number):
            raise UnusableNumber(f"`{text}` is too large for a number")
        return number
    if _NOT_FINITE.match(text):
        raise UnusableNumber(f"`{text}` is not a finite number")
    return text
