"""What the papers print: ICNN-2SP (arXiv:2505.05261, tables 2-4, 8-11; Xeon 6148, Gurobi 11.0.2, one thread), targets by Neur2SP.

A row is the mean over its ten test sets where it has them, SIPLIB rows are single instances. Gaps are those of true objectives to
``baseline``, which is what the extensive form had after three hours; it is proven where ``proven``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """``icnn`` and ``relu``: gap in percent and seconds to solve with the embedded network. ``target``: what is to be reached."""

    baseline: float
    icnn: tuple[float, float]
    relu: tuple[float, float]
    proven: bool = True
    target: float | None = None

    def gap(self, objective: float) -> float:
        """In percent of |baseline|, of a minimisation; negative where it is better than the baseline."""
        return 100 * (objective - self.baseline) / abs(self.baseline)


TABLE = {
    "CFLP_10_10_100": Published(6994.77, (0.57, 0.29), (0.51, 0.39), False, 6998),
    "CFLP_10_10_500": Published(7003.30, (0.15, 0.29), (0.00, 0.39), False),
    "CFLP_10_10_1000": Published(7013.16, (-0.02, 0.29), (-0.27, 0.39), False),
    "CFLP_25_25_100": Published(11854.23, (2.19, 0.40), (3.37, 10.3), False, 11773),
    "CFLP_25_25_500": Published(11856.48, (1.74, 0.40), (2.63, 10.3), False),
    "CFLP_25_25_1000": Published(11997.73, (0.51, 0.40), (1.48, 10.3), False),
    "CFLP_50_50_100": Published(25573.72, (3.36, 0.84), (18.17, 84.3), False, 25037),
    "CFLP_50_50_500": Published(29352.39, (-9.82, 0.84), (3.06, 84.3), False, 25033),
    "CFLP_50_50_1000": Published(30278.57, (-12.82, 0.84), (-0.28, 84.3), False, 25052),
    "SSLP_5_25_50": Published(-121.600, (0.00, 0.12), (0.00, 0.24)),
    "SSLP_5_25_100": Published(-127.370, (0.00, 0.12), (0.00, 0.26)),
    "SSLP_15_45_5": Published(-262.400, (0.53, 0.16), (18.90, 0.19)),
    "SSLP_15_45_10": Published(-260.500, (1.54, 0.16), (18.23, 0.20)),
    "SSLP_15_45_15": Published(-253.602, (1.63, 0.28), (16.51, 0.20)),
    "SSLP_10_50_50": Published(-364.640, (0.00, 0.27), (0.00, 0.77)),
    "SSLP_10_50_100": Published(-354.190, (0.00, 0.26), (0.00, 0.76)),
    "SSLP_10_50_500": Published(-349.136, (0.00, 0.24), (0.00, 0.76)),
    "SSLP_10_50_1000": Published(-351.711, (0.00, 0.27), (0.00, 0.75)),
    "SSLP_10_50_2000": Published(-347.262, (0.00, 0.27), (0.00, 0.76)),
}

_INVP = """
B_E_4 -57.00 11.06 10.80 0.06 0.15
B_E_9 -59.33 5.60 4.31 0.07 0.10
B_E_36 -61.22 3.28 4.58 0.06 0.10
B_E_121 -62.29 3.07 2.85 0.06 0.09
B_E_441 -61.32 3.10 3.18 0.06 0.10
B_E_1681 -60.52 0.98 0.21 0.07 0.10
B_E_10000 -59.09 -1.59 -1.64 0.07 0.11
B_H_4 -56.75 8.81 8.81 0.06 0.08
B_H_9 -59.56 5.04 5.04 0.07 0.09
B_H_36 -60.28 1.61 1.61 0.07 0.08
B_H_121 -61.01 1.77 1.77 0.06 0.08
B_H_441 -61.44 2.13 2.13 0.06 0.09
B_H_1681 -60.89 0.69 0.69 0.06 0.09
B_H_10000 -58.93 -2.72 -2.72 0.07 0.10
I_E_4 -63.50 4.78 17.32 0.05 0.08
I_E_9 -66.56 1.07 7.01 0.04 0.07
I_E_36 -69.86 0.37 3.98 0.06 0.07
I_E_121 -71.12 0.17 2.88 0.06 0.08
I_E_441 -69.64 0.11 3.22 0.04 0.07
I_E_1681 -68.85 0.42 3.39 0.05 0.07
I_E_10000 -68.05 0.22 3.50 0.05 0.08
I_H_4 -63.50 13.78 13.78 0.07 0.06
I_H_9 -65.78 5.85 9.12 0.05 0.07
I_H_36 -67.11 3.69 4.97 0.06 0.07
I_H_121 -67.75 3.75 4.01 0.05 0.07
I_H_441 -67.24 1.27 3.15 0.05 0.07
I_H_1681 -65.41 -0.41 -0.34 0.05 0.07
I_H_10000 -65.82 0.27 0.25 0.06 0.08
"""

for _name, _base, _icnn, _relu, _fast, _slow in (line.split() for line in _INVP.strip().splitlines()):
    _large = int(_name.rsplit("_", 1)[1]) > 441
    TABLE[f"INVP_{_name}"] = Published(float(_base), (float(_icnn), float(_fast)), (float(_relu), float(_slow)), not _large)
