"""Values of metrics from other libraries, for small data sets that are made here. It shares no code with the library.

    python -m venv environment
    environment/bin/pip install --no-deps uncertainty-calibration==0.1.4 uncertainty-toolbox==0.1.1 relplot==1.0.3 pytorch-ood==0.4.0
    environment/bin/pip install -r requirements.txt
    environment/bin/python generate.py > values.json
"""

import json

import calibration
import numpy as np
import pytorch_ood.detector as ood
import relplot
import scoringrules
import torch
import uncertainty_toolbox as uct
from pytorch_ood.metrics import AUPR, AUROC, FPRAtTPR
from relplot.diagrams import reliability_diagram
from relplot.estimators import KernelSmoother
from relplot.kernels import ReflectedGaussianKernel
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn import metrics as sk
from sklearn.covariance import ShrunkCovariance
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
        'quantileMeanAbsolute': float(uct.mean_absolute_calibration_error(mean, deviation, y, prop_type='quantile')),
        'quantileRootMeanSquared': float(uct.root_mean_squared_calibration_error(mean, deviation, y, prop_type='quantile')),
        'sharpness': float(uct.sharpness(deviation)),
    }


def reflected_error(f, residual, sigma):
    """The smooth ECE at a bandwidth from its definition: kernels that are reflected at 0 and 1, integrated piece by piece."""
    copies = [sign * f + 2 * k for k in range(-3, 4) for sign in (1, -1)]
    h = lambda t: sum((residual * norm.pdf(t, c, sigma)).sum() for c in copies) / len(f)
    mesh = np.linspace(0, 1, 400)
    values = [h(t) for t in mesh]
    zeros = [brentq(h, a, b, xtol=1e-14) for a, b, u, v in zip(mesh, mesh[1:], values, values[1:]) if u * v < 0]
    ends = [0, *zeros, 1]
    return sum(abs(quad(h, a, b, epsabs=1e-12, epsrel=1e-12, limit=200)[0]) for a, b in zip(ends, ends[1:]))


def smooth(rng, n=80):
    """A binary classifier that is over-confident at both ends. relplot evaluates on a fine mesh here, to come near its definition."""
    p = rng.beta(0.7, 0.9, size=n)
    y = (rng.uniform(size=n) < 0.5 + 0.55 * (p - 0.5)).astype(int)
    residual = y - p
    at = 0.1
    bandwidth = brentq(lambda s: reflected_error(p, residual, s) - s, 0.01, 0.5, xtol=1e-11)
    relplot.config.smECE_mesh_pts = 20_000
    error, width = relplot.smECE(p, y, return_width=True)
    smoother = KernelSmoother(ReflectedGaussianKernel(bandwidth))
    mesh, curve = reliability_diagram(p.copy(), y.copy(), smoother, centered_fit=True)
    return {
        'probabilities': p.tolist(),
        'labels': y.tolist(),
        'ece': bandwidth,
        'errorAt': at,
        'error': reflected_error(p, residual, at),
        'relplotError': float(relplot.smECE_sigma(p, y, at)),
        'relplot': float(error),
        'relplotBandwidth': float(width),
        'curve': {'confidence': mesh[::111].tolist(), 'accuracy': curve[::111].tolist()},
    }


def detection(rng, n=60, m=25, d=4, c=3, k=5):
    """Scores of pytorch-ood, in float64, for training data of three classes and inputs of which the last ten are elsewhere."""
    torch.set_default_dtype(torch.float64)
    centres = rng.normal(size=(c, d)) * 3
    labels = np.arange(n) % c
    spread = rng.normal(size=(d, d))
    training = centres[labels] + rng.normal(size=(n, d)) @ spread
    inputs = np.r_[centres[np.arange(m - 10) % c] + rng.normal(size=(m - 10, d)) @ spread, rng.normal(size=(10, d)) * 6]
    logits = rng.normal(size=(m, c)) * 3
    f, z, x, y = torch.tensor(logits), torch.tensor(training), torch.tensor(inputs), torch.tensor(labels)
    centred = training - np.stack([training[labels == j].mean(0) for j in range(c)])[labels]

    def shrunk(shrinkage, rows, means):
        """Squared distances to the nearest mean, with scikit-learn's covariance of rows whose mean is 0."""
        precision = ShrunkCovariance(shrinkage=shrinkage, assume_centered=True).fit(rows).precision_
        return np.min([np.einsum('ni,ij,nj->n', inputs - mean, precision, inputs - mean) for mean in means], axis=0)

    means = [training[labels == j].mean(0) for j in range(c)]
    energy = ood.EnergyBased.score(f, t=1.0)
    outside = torch.tensor([0] * (m - 10) + [-1] * 10)
    metric = lambda one: list(one.update(energy, outside).compute().values())[0]
    knn = lambda normalize: ood.KNN(None, k=k, normalize=normalize).fit_features(z, y).predict_features(x)
    return {
        'training': training.tolist(),
        'labels': labels.tolist(),
        'inputs': inputs.tolist(),
        'logits': logits.tolist(),
        'probabilities': f.softmax(1).tolist(),
        'neighbours': k,
        'outside': 10,
        'entropy': ood.Entropy.score(f).tolist(),
        'maximumProbability': ood.MaxSoftmax.score(f).tolist(),
        'maximumLogit': ood.MaxLogit.score(f).tolist(),
        'energy': energy.tolist(),
        'coldEnergy': ood.EnergyBased.score(f, t=0.3).tolist(),
        'nearestNeighbours': knn(True).tolist(),
        # It divides the squared distance by 2, and takes the sum over examples for their covariance.
        'mahalanobis': (2 * n * ood.Mahalanobis(None).fit_features(z, y).predict_features(x)).tolist(),
        'relative': (n * ood.RMD(None).fit_features(z, y).predict_features(x)).tolist(),
        'shrunk': shrunk(0.1, centred, means).tolist(),
        'relativeShrunk': (shrunk(0.1, centred, means) - shrunk(0.1, training - training.mean(0), [training.mean(0)])).tolist(),
        'auroc': metric(AUROC()),
        # Trapezoids between the points of the curve, where the library has steps.
        'trapezoidAupr': metric(AUPR()),
        'aupr': sk.average_precision_score(outside < 0, energy),
        'fpr95': metric(FPRAtTPR(0.95)),
    }


if __name__ == '__main__':
    rng = np.random.default_rng(20)
    print(json.dumps({case.__name__: case(rng) for case in (classes, groups, selective, regression, smooth, detection)}, indent=1))
