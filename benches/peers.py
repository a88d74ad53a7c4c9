"""The peer comparison of benches/peers.rs in numpy: line-weighted medians, 90% and 95% points of two operators in each
stratum, resampled lines for the intervals, shuffled operators for the p-values. Prints the seconds for REPLICATES of
each; reading the file is not counted.

python3 benches/peers.py FILE.csv REPLICATES        (FILE: line, operator, stratum, value; numbers)
"""
import sys
import time

import numpy as np

POINTS = np.array([0.5, 0.9, 0.95])


def quantiles(values, lines, share, counts):
    """Quantiles of the mixture in which line i counts counts[i] times; values ascend."""
    mass = np.cumsum(share * counts[lines])
    return values[np.searchsorted(mass, POINTS * mass[-1])]


table = np.loadtxt(sys.argv[1], delimiter=",")
replicates = int(sys.argv[2])
random = np.random.default_rng(1)
started = time.perf_counter()
checked = 0.0
for stratum in np.unique(table[:, 2]):
    here = table[table[:, 2] == stratum]
    here = here[np.argsort(here[:, 3], kind="stable")]
    names, lines = np.unique(here[:, 0], return_inverse=True)
    values, share = here[:, 3], 1.0 / np.bincount(lines)[lines]
    operator = np.zeros(len(names))
    operator[lines] = here[:, 1]
    gap = lambda side: quantiles(values, lines, share, side) - quantiles(values, lines, share, 1.0 - side)
    observed = gap((operator == 0).astype(float))
    drawn = []
    for _ in range(replicates):
        sides = []
        for side in (0, 1):
            own = np.flatnonzero(operator == side)
            counts = np.bincount(random.choice(own, len(own)), minlength=len(names)).astype(float)
            sides.append(quantiles(values, lines, share, counts))
        drawn.append(sides[0] - sides[1])
    low, high = np.percentile(np.array(drawn), [2.5, 97.5], axis=0)
    shuffled = np.array([gap((random.permutation(operator) == 0).astype(float)) for _ in range(replicates)])
    p = (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)) / (1 + replicates)
    checked += (high - low).sum() + p.sum()
print(f"{time.perf_counter() - started:.3f} {checked:.6f}")
