"""``python -m bilevel_lang`` is ``bilevel-solve``."""

import sys

from bilevel_lang.cli import main

if __name__ == "__main__":
    sys.exit(main())
