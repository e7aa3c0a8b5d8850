"""The arrays route: MPECs whose rows and conditions are linear, from the modeller's components straight to a solver's arrays."""
