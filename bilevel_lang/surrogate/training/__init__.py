"""From samples to a :class:`~bilevel_lang.surrogate.network.Network`, by torch; `fitting.py` is the table of contents."""
