"""Where samples are drawn, one design a file; ``registry.py`` lists them."""
