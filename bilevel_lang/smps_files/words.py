"""Data lines of time and stochastic files cut into words: at blanks, or by the columns of the fixed format.

What stands at which place depends on the section alone, so that fields without text are left out of both.
"""

from __future__ import annotations

from bilevel_lang.mps_files.cards import fixed


def at_blanks(_: str, line: str) -> tuple[list[str], str]:
    """The words of a line; quotation marks, which some writers put around keywords, count as blanks."""
    return line.replace("'", " ").split(), ""


def at_columns(section: str, line: str) -> tuple[list[str], str]:
    """The fields of a line by their columns, and why it cannot be cut so: names may hold blanks."""
    fields, misfit = fixed(section, line.replace("'", " "))
    return [field for field in fields if field], misfit
