"""Sampling: where decisions are drawn, in which design, by which workers, and the files that survive them."""
