"""What is wrong with a node, before the file and the node are known by name."""

from __future__ import annotations


class ComplaintError(Exception):
    """``str()`` is the fact, ``mend`` what to do. Caught by the reader, which adds file, node and operator."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.mend = mend
