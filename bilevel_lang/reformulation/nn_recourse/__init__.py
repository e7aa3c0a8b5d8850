"""Two-stage programs by what was learned of the second stage: cuts of its expected cost, and networks on what cuts leave."""
