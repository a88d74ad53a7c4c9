"""Prints the oracle's numbers of reports/stats/path_model/tests.rs: the synthetic survey of survey.rs, fitted by plspm.

plspm 0.5.7 with Scale.NUM (its default scaling divides by one pooled deviation), pandas 2.x
"""
import numpy as np
import pandas as pd
import plspm.config as c
from plspm.mode import Mode
from plspm.plspm import Plspm
from plspm.scale import Scale
from plspm.scheme import Scheme

ITEMS = [5, 3, 7, 2, 3, 1, 3]
NAMES = ["IMA", "EXP", "QUA", "VAL", "SAT", "COM", "LOY"]
ARROWS = [(0, 1), (0, 4), (0, 6), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4), (4, 5), (4, 6), (5, 6)]
WAYS = [(0, 4), (0, 6), (1, 4), (1, 6), (2, 6), (3, 6), (4, 6)]

state, u = 2024, []
for _ in range(250 * 31 * 12):
    state = (state * 1103515245 + 12345) % (1 << 31)
    u.append(state / (1 << 31))

rows = []
for respondent in range(250):

    def e(place):
        start = (respondent * 31 + place) * 12
        total = 0.0
        for value in u[start : start + 12]:
            total += value
        return total - 6

    image = e(0)
    expectation = 0.6 * image + 0.8 * e(1)
    quality = 0.7 * expectation + 0.7 * e(2)
    value = 0.3 * expectation + 0.5 * quality + 0.7 * e(3)
    satisfaction = 0.25 * image + 0.1 * expectation + 0.4 * quality + 0.25 * value + 0.5 * e(4)
    complaints = 0.55 * satisfaction + 0.8 * e(5)
    loyalty = 0.3 * image + 0.4 * satisfaction + 0.15 * complaints + 0.6 * e(6)
    row = []
    for construct, items in zip([image, expectation, quality, value, satisfaction, complaints, loyalty], ITEMS):
        for item in range(items):
            answer = 7 + 1.5 * ((0.85 - 0.05 * item) * construct + 0.6 * e(7 + len(row)))
            row.append(min(10, max(1, np.floor(answer + 0.5))))
    rows.append(row)

columns = [f"{name}{i}" for name, items in zip(NAMES, ITEMS) for i in range(items)]
answers = pd.DataFrame(rows, columns=columns).astype(float)

for name, scheme, mode in [
    ("PATH", Scheme.PATH, Mode.A),
    ("FACTORIAL", Scheme.FACTORIAL, Mode.A),
    ("CENTROID", Scheme.CENTROID, Mode.A),
    ("FORMED", Scheme.PATH, Mode.B),
]:
    structure = c.Structure()
    for a, b in ARROWS:
        structure.add_path([NAMES[a]], [NAMES[b]])
    config = c.Config(structure.path(), scaled=True, default_scale=Scale.NUM)
    for k, lv in enumerate(NAMES):
        own = [c.MV(column) for column in columns if column.startswith(lv)]
        config.add_lv(lv, mode if k == 4 else Mode.A, *own)
    fit = Plspm(answers, config, scheme, iterations=1000, tolerance=1e-22)
    paths, outer, inner = fit.path_coefficients(), fit.outer_model(), fit.inner_summary()
    quality, effects = fit.unidimensionality(), fit.effects()
    print(name)
    print(" paths", [paths.loc[NAMES[b], NAMES[a]] for a, b in ARROWS])
    print(" weights", [outer.loc[x, "weight"] for x in columns])
    print(" loadings", [outer.loc[x, "loading"] for x in columns])
    print(" r_squared", [inner.loc[x, "r_squared"] for x in NAMES[1:]])
    print(" ave", [inner.loc[x, "ave"] for x in NAMES])
    print(" alpha", [quality.loc[x, "cronbach_alpha"] for x in NAMES])
    print(" rho", [quality.loc[x, "dillon_goldstein_rho"] for x in NAMES])
    print(" total", [effects.loc[f"{NAMES[a]} -> {NAMES[b]}", "total"] for a, b in WAYS])
