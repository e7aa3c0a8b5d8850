"""The rewrite nn-embed: sample the follower, train, embed, solve, measure, refine. `rounds.py` is the table of contents."""
