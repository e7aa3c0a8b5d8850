"""What every test shares: numbers that do not depend on the number of cores, and property tests that repeat."""

from __future__ import annotations

import os

# Before numpy is imported: several threads add up in another order each time, and the test processes share the cores already.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from hypothesis import settings  # noqa: E402 - see above

# A solver's first call loads its library: no deadline for one example. The same examples each time, so that a failure is there
# again tomorrow; pytest --hypothesis-profile=explore looks for new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("repeatable")
