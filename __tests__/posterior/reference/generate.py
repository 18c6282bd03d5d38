"""Bayesian linear regressions by scikit-learn's BayesianRidge, whose weights, noise and prior precision maximise the evidence.

    python -m venv environment
    environment/bin/pip install -r requirements.txt
    environment/bin/python generate.py > bayesianRidge.json

BayesianRidge alternates between the weights at the maximum of the posterior and MacKay's fixed points. Its hyperpriors are set to 0
here, so that it maximises the evidence itself. The inputs have no intercept. lambda_ is our prior precision, 1 / alpha_ our noise
variance.
"""

import json

import numpy as np
from sklearn.linear_model import BayesianRidge


def regression(seed, n, d, noise):
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(n, d)), 3)
    y = np.round(x @ rng.normal(size=d) + noise * rng.normal(size=n), 3)
    fit = BayesianRidge(
        fit_intercept=False, alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, tol=1e-15, max_iter=100000, compute_score=True
    ).fit(x, y)
    return {
        'x': x.tolist(),
        'y': y.tolist(),
        'weights': fit.coef_.tolist(),
        'noiseVariance': 1 / float(fit.alpha_),
        'priorPrecision': float(fit.lambda_),
        'logMarginalLikelihood': float(fit.scores_[-1]),
    }


print(json.dumps([regression(1, 20, 4, 0.5), regression(2, 40, 6, 2.0), regression(3, 9, 5, 0.1)]))
