"""Fits statsmodels' ConditionalLogit to matched sets (columns set, case, x) and prints coefficient, standard error and
the seconds that the fit took. Called by `cargo bench --bench crossover -- --python PYTHON`.

statsmodels 0.15.0
"""
import sys
import time

import pandas as pd
from statsmodels.discrete.conditional_models import ConditionalLogit

table = pd.read_csv(sys.argv[1])
start = time.perf_counter()
fit = ConditionalLogit(table["case"], table[["x"]], groups=table["set"]).fit(disp=False)
took = time.perf_counter() - start
print(fit.params.iloc[0], fit.bse.iloc[0], took)
