"""Values of MAPIE for the tests of conformal prediction, written to mapie.json.

Needs MAPIE 1.6.0 (scikit-learn 1.9.1, numpy 2.4.6): pip install mapie==1.6.0 scikit-learn==1.9.1 numpy==2.4.6
Run: python __tests__/conformal/generate.py

Where MAPIE's definitions differ from ours:
- Without randomisation MAPIE still scores the held-out examples with a random part. So APS and RAPS are compared with randomisation,
  with MAPIE's own random numbers, which the document holds as uHeldOut and uNew.
- MAPIE's RAPS chooses lambda and k_reg on a part of the data. Here its own functions get them as they are. When it decides about the last
  class of a set, it divides by p - lambda max(0, L - k_reg) + lambda [L > k_reg], not by p. Our sets are {c : score <= quantile}, so
  the two may differ in this one class if L > k_reg.
- MAPIE needs n >= 1 / alpha; with fewer examples it raises an error, where ours holds every class.
"""
import json
import pathlib
import warnings

import numpy as np
from mapie.classification import SplitConformalClassifier
from mapie.conformity_scores import APSConformityScore, RAPSConformityScore, ResidualNormalisedScore
from mapie.regression import ConformalizedQuantileRegressor, SplitConformalRegressor
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

warnings.filterwarnings("ignore")
SEED, C, N, B = 7, 6, 83, 40
LEVELS = [0.5, 0.8, 0.9, 0.95]
rng = np.random.default_rng(11)


class Rows(ClassifierMixin, BaseEstimator):
    """A classifier whose inputs are its probabilities."""

    classes_ = np.arange(C)
    is_fitted_ = True
    n_features_in_ = C

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return np.asarray(X)

    def predict(self, X):
        return np.argmax(X, axis=1)


class Column(RegressorMixin, BaseEstimator):
    """A regression whose prediction is one column of its inputs."""

    is_fitted_ = True
    n_features_in_ = 4

    def __init__(self, column=0):
        self.column = column

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.asarray(X)[:, self.column]


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def labelled(n):
    z = rng.normal(size=(n, C)) * 1.5
    p = softmax(z)
    return softmax(1.3 * z), np.array([rng.choice(C, p=row) for row in p])


def classifier(score, p, y, new, **kwargs):
    out = SplitConformalClassifier(Rows(), confidence_level=LEVELS, conformity_score=score, prefit=True, random_state=SEED)
    out.conformalize(p, y)
    return out._mapie_classifier.conformity_scores_.ravel(), out.predict_set(new, **kwargs)[1]


def sets(masks):
    return [[np.flatnonzero(row).tolist() for row in masks[:, :, level]] for level in range(len(LEVELS))]


p, y = labelled(N)
new, _ = labelled(B)
doc = {"levels": LEVELS, "probabilities": p.tolist(), "labels": y.tolist(), "new": new.tolist()}
doc["uHeldOut"] = np.random.RandomState(SEED).uniform(size=N).tolist()
doc["uNew"] = np.random.RandomState(SEED).uniform(size=(B, 1)).ravel().tolist()
for name, kwargs in [("lac", {}), ("aps", {"conformity_score_params": {"include_last_label": "randomized"}})]:
    scores, masks = classifier(name, p, y, new, **kwargs)
    doc[name] = {"scores": scores.tolist(), "sets": sets(masks)}

# RAPS from its own parts, with a lambda and a k_reg that are given.
PENALTY, FREE = 0.05, 2
raps = RAPSConformityScore()
raps.classes, raps.random_state = np.arange(C), SEED
plain = APSConformityScore()
plain.classes, plain.random_state = np.arange(C), SEED
scores = plain.get_conformity_scores(y, p, y_enc=y)
k_star, lambda_star = np.full(len(LEVELS), FREE), np.full(len(LEVELS), PENALTY)
regularised = raps._regularize_conformity_score(k_star, lambda_star, scores, plain.cutoff)
from mapie.conformity_scores.sets.raps import _compute_classification_quantile  # noqa: E402

alphas = 1 - np.array(LEVELS)
raps.quantiles_ = np.array([_compute_classification_quantile(regularised[:, :, [i]], alphas[[i]])[0] for i in range(len(LEVELS))])
raps.lambda_star, raps.k_star = PENALTY, k_star
masks = raps.get_prediction_sets(
    np.repeat(new[:, :, None], len(LEVELS), axis=2), regularised, alphas, "prefit",
    include_last_label="randomized", lambda_star=lambda_star, k_star=k_star,
)
doc["raps"] = {"penalty": PENALTY, "free": FREE, "scores": regularised[:, 0, 0].tolist(), "sets": sets(masks)}

# Regression: columns mean, sigma, lower, upper; the targets are heteroscedastic.
def numbers(n):
    x = rng.uniform(-2, 2, size=n)
    sigma = 0.2 + 0.3 * np.abs(x)
    X = np.stack([np.sin(x), sigma, np.sin(x) - 0.9 * sigma, np.sin(x) + 1.1 * sigma], axis=1)
    return X, np.sin(x) + sigma * rng.normal(size=n)


X, t = numbers(N)
Xnew, _ = numbers(B)
doc["regression"] = {"x": X.tolist(), "targets": t.tolist(), "new": Xnew.tolist()}
for name, score in [("absolute", "absolute"), ("normalised", ResidualNormalisedScore(Column(1), prefit=True))]:
    out = SplitConformalRegressor(Column(0), confidence_level=LEVELS, conformity_score=score, prefit=True)
    out.conformalize(X, t)
    doc["regression"][name] = out.predict_interval(Xnew)[1].transpose(2, 0, 1).tolist()
doc["regression"]["cqr"] = []
for level in LEVELS:
    out = ConformalizedQuantileRegressor([Column(2), Column(3), Column(0)], confidence_level=level, prefit=True)
    out.conformalize(X, t)
    doc["regression"]["cqr"].append(out.predict_interval(Xnew, symmetric_correction=True)[1][:, :, 0].tolist())

path = pathlib.Path(__file__).with_name("mapie.json")
path.write_text(json.dumps(doc) + "\n")
