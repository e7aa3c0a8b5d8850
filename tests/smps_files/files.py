"""A small program in SMPS form: x is bought before the demands are known, y after, at twice the price."""

from __future__ import annotations

CORE = """NAME  SMALL
ROWS
 N  profit
 L  budget
 G  serve
 G  limit
COLUMNS
    x1  profit  1  budget  1
    x1  serve  1
    x2  profit  1  budget  1
    x2  limit  1
    y1  profit  2  serve  1
    y2  profit  2  limit  1
RHS
    RIGHT  budget  10  serve  3
    RIGHT  limit  4
ENDATA
"""

TIME = """TIME  SMALL
PERIODS
    x1  budget  ONE
    y1  serve  TWO
ENDATA
"""

INDEPENDENT = """STOCH  SMALL
INDEP  DISCRETE
    RHS  serve  2  TWO  0.5
    RHS  serve  6  TWO  0.5
    RIGHT  limit  1  TWO  0.25
    RIGHT  limit  5  TWO  0.75
ENDATA
"""
