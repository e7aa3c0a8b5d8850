"""The value-function method for linear followers behind linking variables that need not be whole."""
