"""MILPs with many knapsacks in them, solved again and again: branch and price with a pool of patterns that lasts."""
