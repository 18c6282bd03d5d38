"""Values of metrics from other libraries, for small data sets that are made here. It shares no code with the library.

    python -m venv environment
    environment/bin/pip install --no-deps uncertainty-calibration==0.1.4 uncertainty-toolbox==0.1.1
    environment/bin/pip install -r requirements.txt
    environment/bin/python generate.py > values.json
"""

import json

import calibration
import numpy as np
import scoringrules
import torch
import uncertainty_toolbox as uct
from scipy.stats import norm
from sklearn import metrics as sk
from torchmetrics.functional.classification import binary_calibration_error, multiclass_calibration_error


def classes(rng, n=60, c=4, bins=15):
    """Over-confident predictions of a classifier: labels come from the probabilities before sharpening."""
    logits = rng.normal(size=(n, c)) * 1.2
    truth = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([rng.choice(c, p=p) for p in truth])
    sharp = np.exp(2.5 * logits)
    p = sharp / sharp.sum(1, keepdims=True)
    t, y = torch.tensor(p, dtype=torch.float64), torch.tensor(labels)
    torch_error = lambda norm: float(multiclass_calibration_error(t, y, num_classes=c, n_bins=bins, norm=norm))
    one_class = [float(binary_calibration_error(t[:, k], (y == k).long(), n_bins=bins, norm='l1')) for k in range(c)]
    return {
        'probabilities': p.tolist(),
        'labels': labels.tolist(),
        'bins': bins,
        'accuracy': sk.accuracy_score(labels, p.argmax(1)),
        'nll': sk.log_loss(labels, p),
        'brierScore': float(((p - np.eye(c)[labels]) ** 2).sum(1).mean()),
        'ece': torch_error('l1'),
        'mce': torch_error('max'),
        'rootSquared': torch_error('l2'),
        'eachClass': one_class,
        'massEce': float(calibration.get_ece_em(p, labels, num_bins=bins)),
        # The squared error over bins of equal mass, from their own function for one bin scheme.
        'debiasedRoot': float(calibration.lower_bound_scaling_ce(p, labels, p=2, debias=True, num_bins=bins,
                                                                binning_scheme=calibration.get_equal_bins, mode='top-label')),
    }


def groups(rng):
    """Scores of two groups, with ties."""
    positives = np.round(rng.normal(size=37) + 1.0, 1)
    negatives = np.round(rng.normal(size=53), 1)
    y = np.r_[np.ones(37), np.zeros(53)]
    s = np.r_[positives, negatives]
    fpr, tpr, thresholds = sk.roc_curve(y, s, drop_intermediate=False)
    precision, recall, at = sk.precision_recall_curve(y, s)
    return {
        'positives': positives.tolist(),
        'negatives': negatives.tolist(),
        'auroc': sk.roc_auc_score(y, s),
        'aupr': sk.average_precision_score(y, s),
        'fpr': fpr.tolist(),
        'tpr': tpr.tolist(),
        'thresholds': thresholds[1:].tolist(),
        # From the highest threshold to the lowest; without scikit-learn's last point, which belongs to no threshold.
        'precision': precision[:-1][::-1].tolist(),
        'recall': recall[:-1][::-1].tolist(),
        'fprAt95': float(fpr[np.argmax(tpr >= 0.95)]),
        'fprAt80': float(fpr[np.argmax(tpr >= 0.80)]),
    }


def selective(rng, n=80):
    """The area of the generalised risk by Traub et al.'s closed form, with scikit-learn's AUROC."""
    uncertainty = np.round(rng.uniform(size=n), 1)
    wrong = (rng.uniform(size=n) < 0.1 + 0.5 * uncertainty).astype(float)
    a = 1 - wrong.mean()
    return {
        'uncertainty': uncertainty.tolist(),
        'wrong': wrong.tolist(),
        'generalisedArea': (1 - sk.roc_auc_score(wrong, uncertainty)) * a * (1 - a) + 0.5 * (1 - a) ** 2,
    }


def regression(rng, n=50, samples=12):
    mean = rng.normal(size=n) * 3
    deviation = rng.uniform(0.3, 2, size=n)
    y = mean + 1.4 * deviation * rng.normal(size=n) + 0.2
    draws = mean[:, None] + deviation[:, None] * rng.normal(size=(n, samples))
    quantile = mean + 0.8 * deviation
    return {
        'targets': y.tolist(),
        'mean': mean.tolist(),
        'variance': (deviation**2).tolist(),
        'samples': draws.T.tolist(),
        'quantiles': quantile.tolist(),
        'mae': sk.mean_absolute_error(y, mean),
        'rmse': sk.root_mean_squared_error(y, mean),
        'gaussianNll': float(-norm.logpdf(y, mean, deviation).mean()),
        'gaussianCrps': float(scoringrules.crps_normal(y, mean, deviation).mean()),
        'fairCrps': float(scoringrules.crps_ensemble(y, draws, estimator='fair').mean()),
        'sampleCrps': float(scoringrules.crps_ensemble(y, draws, estimator='nrg').mean()),
        'pinball75': sk.mean_pinball_loss(y, quantile, alpha=0.75),
        'pit': norm.cdf(y, mean, deviation).tolist(),
        'meanAbsolute': float(uct.mean_absolute_calibration_error(mean, deviation, y)),
        'rootMeanSquared': float(uct.root_mean_squared_calibration_error(mean, deviation, y)),
        'sharpness': float(uct.sharpness(deviation)),
    }


if __name__ == '__main__':
    rng = np.random.default_rng(20)
    print(json.dumps({case.__name__: case(rng) for case in (classes, groups, selective, regression)}, indent=1))
