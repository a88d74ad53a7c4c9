"""Prints the oracle's numbers beside which the tests of reports/stats stand: regression, splines, survival, lags,
classifier scores, difference-in-differences. Data are made by the same generator as in reports/stats/oracle.rs.

scipy 1.17.1, statsmodels 0.15.0, scikit-learn 1.9.1, lifelines 0.30.3
"""
import numpy as np
import scipy.stats as st
import statsmodels.api as sm
from lifelines import KaplanMeierFitter
from lifelines.utils import qth_survival_times
from scipy.interpolate import CubicSpline
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, roc_auc_score
from statsmodels.regression.linear_model import yule_walker


def uniforms(seed, n):
    state, out = seed, []
    for _ in range(n):
        state = (state * 1103515245 + 12345) % (1 << 31)
        out.append(state / (1 << 31))
    return np.array(out)


def show(name, values):
    print(name, [float(v) for v in np.atleast_1d(values)])


binomial, poisson = sm.families.Binomial, sm.families.Poisson

spline = CubicSpline([1, 2.5, 4, 7], [2, -1, 3, 0.5], bc_type="natural")
show("spline", spline([1.7, 3.2, 5.5, 6.9]))

# glm_tests.rs: yes_no
n = 240
u = uniforms(7, 3 * n)
x1, x2 = 10 * u[:n], (u[n : 2 * n] < 0.4) * 1.0
y = (u[2 * n :] < 1 / (1 + np.exp(-(-2 + 0.3 * x1 + 0.8 * x2)))) * 1.0
rows = sm.add_constant(np.column_stack([x1, x2]))
fit = sm.GLM(y, rows, family=binomial()).fit(tol=1e-14)
show("logistic: coefficients, errors, log-likelihood", [*fit.params, *fit.bse, fit.llf])
groups = np.arange(n) // 6
fit = sm.GLM(y, rows, family=binomial()).fit(tol=1e-14, cov_type="cluster", cov_kwds={"groups": groups})
show("logistic: clustered errors", fit.bse * np.sqrt((n - 3) / (n - 1)))
z = rows[:, 1:]
mean, sd = z.mean(0), z.std(0)
ridge = LogisticRegression(C=1 / 5, tol=1e-12, max_iter=10000).fit((z - mean) / sd, y)
b = ridge.coef_[0] / sd
show("logistic: ridge 5", [ridge.intercept_[0] - (b * mean).sum(), *b])

# glm_tests.rs: counts
n = 120
u = uniforms(11, 3 * n)
x, exposure = 6 * u[:n], 1 + 4 * u[n : 2 * n]
y = np.floor(exposure * np.exp(-0.5 + 0.25 * x) * 2 * u[2 * n :] + 0.3)
model = sm.GLM(y, sm.add_constant(x), family=poisson(), offset=np.log(exposure))
fit = model.fit(tol=1e-14)
show("poisson", [*fit.params, *fit.bse, fit.llf, fit.pearson_chi2 / fit.df_resid])
show("poisson: quasi", model.fit(tol=1e-14, scale="X2").bse)
show("poisson: Newey-West 4", model.fit(tol=1e-14, cov_type="HAC", cov_kwds={"maxlags": 4}).bse)

# negative_binomial.rs
u = uniforms(21, 600)
x = 4 * u[:200] - 2
y = np.floor(np.exp(0.4 + 0.5 * x) * -np.log(1 - u[200:400]) * 3.0 * u[400:600])
rows = sm.add_constant(x)
start = sm.NegativeBinomial(y, rows).fit(disp=0, maxiter=500, method="bfgs", gtol=1e-10)
fit = sm.NegativeBinomial(y, rows).fit(start_params=start.params, disp=0, method="newton")
known = sm.GLM(y, rows, family=sm.families.NegativeBinomial(alpha=fit.params[2])).fit(tol=1e-14, maxiter=200)
plain = sm.GLM(y, rows, family=poisson()).fit(tol=1e-14)
show("negative binomial", [*fit.params, fit.llf, *known.bse, plain.llf])

# survival.rs
u = uniforms(3, 120)
ends, until = np.ceil(-np.log(1 - u[:60]) * 20), np.ceil(u[60:] * 60)
km = KaplanMeierFitter().fit(np.minimum(ends, until), ends <= until)
limits = km.confidence_interval_
for time in (2, 9, 20, 33):
    at = limits.index[limits.index <= time][-1]
    show(f"Kaplan-Meier at {time}", [km.survival_function_.loc[at].iloc[0], *limits.loc[at]])
for p in (0.25, 0.5, 0.8, 0.95):
    show(f"Kaplan-Meier p{p}", [km.percentile(1 - p), *qth_survival_times(1 - p, limits).values[0]])

# lead_lag.rs
n = 150
u, v = uniforms(9, n), np.zeros(n)
for t in range(n):
    v[t] = (0.6 * v[t - 1] - 0.2 * v[t - 2] if t > 1 else 0) + u[t] - 0.5
best = min(
    ((n * np.log(s**2) + 2 * k, list(r), s) for k in range(1, 9) for r, s in [yule_walker(v, k, method="mle")]),
    key=lambda fit: fit[0],
)
show("autoregression: coefficients, sigma", [*best[1], best[2]])

# distributed_lag.rs
n = 160
u = uniforms(17, 2 * n)
x, effect, monday = 2 * u[:n], [0.3, 0.2, 0.1, 0], (np.arange(n) % 7 == 0) * 1.0
y = np.zeros(n)
for t in range(n):
    lagged = sum(effect[k] * x[t - k] for k in range(4) if k <= t)
    y[t] = np.floor(np.exp(2 + 0.4 * monday[t] + lagged) * (0.5 + u[n + t]))
rows = sm.add_constant(np.column_stack([x[3 - k : n - k] for k in range(4)] + [monday[3:]]))
fit = sm.GLM(y[3:], rows, family=poisson()).fit(tol=1e-14, cov_type="HAC", cov_kwds={"maxlags": 7})
w = np.array([0, 1, 1, 1, 1, 0])
show("distributed lag: sum, error, first", [w @ fit.params, np.sqrt(w @ fit.cov_params() @ w), fit.params[1]])

# classifier.rs
u = uniforms(13, 600)
s = np.floor(u[:300] * 19) / 20 + 0.025
y = (u[300:] < s * s) * 1
logit = np.log(s / (1 - s))
slope = sm.GLM(y, sm.add_constant(logit), family=binomial()).fit(tol=1e-14)
large = sm.GLM(y, np.ones(300), family=binomial(), offset=logit).fit(tol=1e-14)
show("scores", [average_precision_score(y, s), roc_auc_score(y, s), brier_score_loss(y, s)])
show("calibration", [slope.params[1], slope.bse[1], large.params[0], large.bse[0]])
u = uniforms(41, 200)
actual, b = (u[:100] * 4).astype(int), u[100:]
show("macro F1", f1_score(actual, np.where(b < 0.7, actual, (b * 10).astype(int) % 4), average="macro"))

# did.rs
treated, controls = np.array([-20, -22, -18.0]), np.array([-3, -4, -2, -3.0])
welch = st.ttest_ind(treated, controls, equal_var=False)
show("difference in differences", [welch.pvalue, welch.confidence_interval().low, st.ttest_1samp(treated, 0).pvalue])
