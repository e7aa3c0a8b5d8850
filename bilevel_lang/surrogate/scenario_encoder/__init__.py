"""Networks of the expected cost over any set of scenarios: `network.py` is what they are, `training.py` where they come from."""
