"""``python -m bilevel_lang`` is ``bilevel-solve``."""

import os
import sys

# With `-m` Python puts the current folder first: a `scipy.py` beside the model would shadow the library for us. The command
# `bilevel-solve` does not do that either; the package itself is found already.
if sys.path and sys.path[0] in ("", os.getcwd()):
    del sys.path[0]

from bilevel_lang.cli import main

if __name__ == "__main__":
    sys.exit(main())
