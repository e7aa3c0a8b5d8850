"""Write an instance as files that `bilevel-solve` takes: model.py, model.emp, scenarios.csv and data.json.

python benchmarks/two_stage/write.py CFLP_10_10_100/3 INVP_B_E_36 --folder instances
bilevel-solve instances/INVP_B_E_36/model.py instances/INVP_B_E_36/model.emp --method nn-embed
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.two_stage.instances import named, write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", help="INVP_B_E_36, CFLP_25_25_100/0 (test sets 0 to 9), LP_25_25_20/0")
    parser.add_argument("--folder", type=Path, default=Path("two_stage_instances"))
    asked = parser.parse_args()
    try:
        for name in asked.names:
            print(write(named(name), asked.folder))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
