"""Values of scipy for the tests of abstaining, written to binomial.json. Needs scipy 1.17.1. Run: python __tests__/abstaining/generate.py

Each entry: errors e, examples m, delta, and the b with P(Bin(m, b) <= e) = delta, which is the quantile 1 - delta of Beta(e + 1, m - e).
"""
import json
import pathlib

from scipy.stats import beta, binom

values = []
for m in (1, 2, 10, 100, 5000, 100000):
    for e in sorted({0, 1, m // 10, m // 2, m - 1}):
        for delta in (0.1, 0.001, 1e-6):
            if e < m:
                b = float(beta.ppf(1 - delta, e + 1, m - e))
                assert abs(binom.cdf(e, m, b) / delta - 1) < 1e-6
                values.append([e, m, delta, b])
pathlib.Path(__file__).with_name("binomial.json").write_text(json.dumps(values) + "\n")
