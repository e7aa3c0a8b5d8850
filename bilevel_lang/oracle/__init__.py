"""An agent on its own: its traits, its problem with everybody else fixed, and its best response."""
