"""Values of scikit-learn's IsotonicRegression for the tests of calibration, written to isotonic.json.

Needs scikit-learn 1.9.1 and numpy 2.4.6. Run: python __tests__/calibration/generate.py
The cases hold probabilities, binary labels, the points of the fit, and its values at other probabilities. "ties" has few distinct
probabilities, "random" none twice, and "ordered" is monotone already.
"""
import json
import pathlib

import numpy as np
from sklearn.isotonic import IsotonicRegression

rng = np.random.default_rng(5)
p = rng.uniform(size=60)
cases = {
    "random": (p, rng.uniform(size=60) < p**2),
    "ties": (np.round(p * 8) / 8, rng.uniform(size=60) < p),
    "ordered": (np.sort(p), np.arange(60) >= 30),
    "reversed": (np.sort(p), np.arange(60) < 30),
}
at = np.linspace(0, 1, 41)
doc = {"at": at.tolist(), "cases": {}}
for name, (x, y) in cases.items():
    fit = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(x, y.astype(float))
    doc["cases"][name] = {
        "p": x.tolist(), "y": y.astype(int).tolist(), "from": fit.X_thresholds_.tolist(), "to": fit.y_thresholds_.tolist(),
        "values": fit.predict(at).tolist(),
    }
pathlib.Path(__file__).with_name("isotonic.json").write_text(json.dumps(doc) + "\n")
