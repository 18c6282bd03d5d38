"""A bridge between posteriors of tfjs-laplace and laplace-torch 0.3 (`KronLaplace`, `KronLLLaplace`), for networks of dense layers.

    from laplace import Laplace
    import tfjs_laplace
    from tfjs_laplace_torch import from_laplace_torch, to_laplace_torch

    la = Laplace(model, "classification", "all", "kron")
    la.fit(loader)
    layers = [{"name": "dense_Dense1", "bias": True}, {"name": "dense_Dense2", "bias": True}]
    tfjs_laplace.write("posterior.safetensors", from_laplace_torch(la, layers))

    file = tfjs_laplace.read("posterior.safetensors")
    la.load_state_dict(to_laplace_torch(file, tensor=torch.tensor))

laplace-torch has a block for each weight [out, in], H = [G, A], and one for each bias, H = [G]. G is a sum over the N examples and A is a
mean; for regression both are without the noise variance, and √2 times and √½ times what they are here. The precision of a block is
(H / (σ² T)) + τ I, where T is the temperature of the likelihood. Here the bias is the last row of W, and the precision of W is
N (A' ⊗ G') + τ I. So the import is exact: G' = G / (N σ² T) and A' = blockdiag(A, 1).
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from tfjs_laplace import LaplaceFile, check, fingerprint

__all__ = ["from_laplace_torch", "to_laplace_torch"]

_LIKELIHOODS = {"regression": "gaussian", "classification": "categorical"}
# What rounding to float32 may make of numbers that are equal.
_ROUNDING = 1e-4


def from_laplace_torch(source, layers, *, weights=None, estimator=None) -> LaplaceFile:
    """A posterior of laplace-torch as a posterior of tfjs-laplace. Its predictions are the same.

    `source` is a fitted `KronLaplace` or `KronLLLaplace`, or its `state_dict()`. `layers` are the covered layers in their order, each
    with its `name` in the tfjs model and `bias`, whether it has one: [{"name": "dense_Dense1", "bias": True}, …].

    `weights` are all weights of the tfjs model, as `fingerprint` takes them. They are needed if the posterior does not cover all of the
    model. `estimator` is to be given if the curvature is not the generalised Gauss-Newton matrix, which is laplace-torch's default.

    A temperature T other than 1 becomes part of the curvature, and of `logLikelihood` as in laplace-torch. The option `damping` of
    laplace-torch 0.3 has no effect there, and none here. Raises `ValueError` for what tfjs-laplace cannot hold, and warns of a prior mean
    that is not 0, which only the evidence would need.
    """
    state = source if isinstance(source, dict) else source.state_dict()
    name = state.get("cls_name")
    if name not in ("KronLaplace", "KronLLLaplace"):
        raise ValueError(f"laplace-torch: found a {name}, expected a KronLaplace or a KronLLLaplace. Fit with hessian_structure='kron'.")
    likelihood = getattr(state["likelihood"], "value", state["likelihood"])
    if likelihood not in _LIKELIHOODS:
        raise ValueError(f"laplace-torch: found the likelihood {likelihood!r}, expected one of {', '.join(_LIKELIHOODS)}.")
    if weights is None and name == "KronLLLaplace":
        raise ValueError("weights: found none, expected all weights of the tfjs model, since the posterior covers only its last layer.")
    N, sigma = float(state["n_data"]), float(_numbers(state["sigma_noise"]))
    factor = 1 / (sigma**2 * float(state["temperature"]))
    if np.any(_numbers(state["prior_mean"]) != 0):
        warnings.warn("The prior mean is not 0. Predictions are the same, but evidences of tfjs-laplace take it as 0.", stacklevel=2)

    made, arrays, own = [], {}, []
    precisions = _precisions(state, layers)
    for l, (layer, (A, G, W)) in enumerate(zip(layers, _layers(state, layers))):
        bias = bool(layer["bias"])
        own += [W[:-1], W[-1]] if bias else [W]
        n, m = W.shape
        alpha, U_A = _eigen(A, f"A of layer {layer['name']!r}")
        gamma, U_G = _eigen(G * (factor / N), f"G of layer {layer['name']!r}")
        parts = {"mean": W, "inputValues": alpha, "inputVectors": U_A, "gradientValues": gamma, "gradientVectors": U_G}
        arrays.update({f"layers.{l}.{part}": array for part, array in parts.items()})
        sizes = {"structure": "kronecker", "members": [layer["name"]], "groups": 1, "n": n, "m": m, "bias": bias}
        made.append({"name": layer["name"], **sizes, "priorPrecision": precisions[l]})
    C = int(state["n_outputs"])
    gaussian = likelihood == "regression"
    constant = N * C * math.log(sigma * math.sqrt(2 * math.pi)) if gaussian else 0.0
    manifest = {
        "likelihood": {"_tag": "gaussian", "noiseVariance": sigma**2} if gaussian else {"_tag": "categorical", "labelSmoothing": 0},
        "estimator": estimator or {"_tag": "kfac", "fisher": {"_tag": "exact"}, "weightSharing": "expand"},
        "damping": {"_tag": "exact"},
        "outputs": C,
        "datasetSize": N,
        "fingerprint": fingerprint(own if weights is None else weights),
        "logLikelihood": -factor * float(_numbers(state["loss"])) - constant,
        "layers": made,
    }
    check("posterior", manifest, arrays)
    return LaplaceFile("posterior", manifest, arrays)


def to_laplace_torch(file: LaplaceFile, *, tensor=np.array, dtype="float32", last_layer_name=None) -> dict:
    """A posterior of tfjs-laplace as the `state_dict` of a `KronLaplace`, for its `load_state_dict`.

    `tensor` makes a tensor of an array; give `torch.tensor`. `dtype` is that of the PyTorch model. With `last_layer_name`, the name of
    the last layer in the PyTorch model, the dict is that of a `KronLLLaplace`.

    The covariance of the weights and the bias of a layer is lost, since laplace-torch has a block for each. A warning says so. Networks
    without biases lose nothing. Raises `ValueError` for a posterior that laplace-torch cannot hold.
    """
    manifest, arrays = file.manifest, file.arrays
    if file.kind != "posterior":
        raise ValueError(f"to_laplace_torch: found {file.kind}, expected a posterior. Make one of them with toPosterior.")
    check(file.kind, manifest, arrays)
    likelihood, variance = _likelihood(manifest["likelihood"])
    if manifest["damping"] not in ("exact", {"_tag": "exact"}):
        raise ValueError(f"damping: found {manifest['damping']}, expected exact. laplace-torch 0.3 has no other.")
    for layer in manifest["layers"]:
        if layer["structure"] != "kronecker" or layer["groups"] != 1:
            found = f"{layer['structure']} with {layer['groups']} groups"
            raise ValueError(f"Layer {layer['name']!r}: found the structure {found}, expected kronecker. Use kfac() on dense layers.")
    N = float(manifest["datasetSize"])
    split = _split(likelihood)
    H, mean, precisions, lossy = [], [], [], []
    for l, layer in enumerate(manifest["layers"]):
        A, G = (_product(arrays, f"layers.{l}.{side}") for side in ("input", "gradient"))
        G, W = G * (N * variance), arrays[f"layers.{l}.mean"]
        rows = slice(0, -1 if layer["bias"] else None)
        pair = [G * split, A[rows, rows] / split]
        H.append(pair if layer["bias"] or W.size > 1 else [G * A])
        mean.append(W[rows].T.ravel())
        precisions.append(layer["priorPrecision"])
        if layer["bias"]:
            H.append([G * A[-1, -1]])
            mean.append(W[-1])
            precisions.append(layer["priorPrecision"])
            lossy += [layer["name"]] if np.any(np.abs(A[:-1, -1]) > 1e-12 * np.max(np.abs(A))) else []
    if lossy:
        what = f"the covariance of the weights and the bias of {', '.join(lossy)}"
        warnings.warn(f"laplace-torch cannot hold {what}, so it is lost, and predictive variances change.", stacklevel=2)
    constant = N * manifest["outputs"] * math.log(math.sqrt(variance * 2 * math.pi)) if likelihood == "regression" else 0.0
    last = {} if last_layer_name is None else {"data": None, "_last_layer_name": last_layer_name}

    def made(array):
        return tensor(np.ascontiguousarray(array, dtype=dtype))

    return {
        "mean": made(np.concatenate(mean)),
        "H": [[made(matrix) for matrix in block] for block in H],
        "loss": -variance * (manifest["logLikelihood"] + constant),
        "prior_mean": 0.0,
        "prior_precision": made(precisions if len(set(precisions)) > 1 else precisions[:1]),
        "sigma_noise": math.sqrt(variance),
        "n_data": int(N) if N.is_integer() else N,
        "n_outputs": manifest["outputs"],
        "likelihood": likelihood,
        "temperature": 1.0,
        "enable_backprop": False,
        "cls_name": "KronLaplace" if last_layer_name is None else "KronLLLaplace",
        **last,
    }


def _numbers(value) -> np.ndarray:
    """A tensor, an array or a number as float64."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value, dtype=np.float64)


def _split(likelihood: str) -> float:
    """What laplace-torch multiplies G of a weight with, and divides A by."""
    return math.sqrt(2) if likelihood == "regression" else 1.0


def _layers(state: dict, layers) -> list:
    """A' [n, n], the sum G [m, m] over the examples, and W [n, m] of each layer."""
    H = [[_matrix(factor) for factor in block] for block in state["H"]]
    mean = _numbers(state["mean"])
    split = _split(getattr(state["likelihood"], "value", state["likelihood"]))
    expected = sum(2 if layer["bias"] else 1 for layer in layers)
    if len(H) != expected:
        names = ", ".join(f"{layer['name']} {'with' if layer['bias'] else 'without'} bias" for layer in layers)
        raise ValueError(f"layers: found {names}, which is {expected} blocks in all, expected {len(H)}, as many as H has.")
    found, at, block = [], 0, 0
    for layer in layers:
        # A layer of one weight has the product of both factors.
        G, A = H[block] if len(H[block]) == 2 else (H[block][0], np.ones((1, 1)))
        m, n = len(G), len(A)
        A, G = A * split, G / split
        W = mean[at : at + m * n].reshape(m, n).T
        at, block = at + m * n, block + 1
        if layer["bias"]:
            own = H[block]
            if len(own) != 1 or len(own[0]) != m:
                raise ValueError(f"Layer {layer['name']!r}: found no block of a bias [{m}] after that of the weights, expected one.")
            A, G = _joined(layer["name"], A, G, own[0])
            W = np.vstack([W, mean[at : at + m]])
            at, block = at + m, block + 1
        found.append((A, G, W))
    if at != len(mean):
        raise ValueError(f"laplace-torch: found a mean of {len(mean)} parameters, expected {at}, as in H.")
    return found


def _joined(name: str, A, G, bias) -> tuple:
    """blockdiag(s A, 1) and the bias's G, where the weight's G is s times the bias's."""
    s = float(np.sum(G * bias) / np.sum(bias * bias)) if np.any(bias) else 1.0
    if np.max(np.abs(G - s * bias)) > _ROUNDING * np.max(np.abs(G)):
        raise ValueError(f"Layer {name!r}: found factors G of the weights and of the bias that are not proportional, expected equal ones.")
    joined = np.zeros((len(A) + 1, len(A) + 1))
    joined[:-1, :-1], joined[-1, -1] = s * A, 1
    return joined, bias


def _matrix(factor) -> np.ndarray:
    factor = _numbers(factor)
    return np.diag(factor) if factor.ndim == 1 else factor


def _precisions(state: dict, layers) -> list:
    """τ of each layer. laplace-torch has one for all, or one for each weight and each bias."""
    tau = _numbers(state["prior_precision"]).ravel()
    if len(tau) == 1:
        return [float(tau[0])] * len(layers)
    count, found, at = sum(2 if layer["bias"] else 1 for layer in layers), [], 0
    if len(tau) != count:
        raise ValueError(f"prior_precision: found {len(tau)} numbers, expected 1 or {count}.")
    for layer in layers:
        own = set(tau[at : at + (2 if layer["bias"] else 1)].tolist())
        if len(own) > 1:
            raise ValueError(f"Layer {layer['name']!r}: found prior precisions {sorted(own)} of weights and bias, expected equal ones.")
        found.append(own.pop())
        at += 2 if layer["bias"] else 1
    return found


def _likelihood(likelihood) -> tuple:
    """The likelihood in the words of laplace-torch, and its noise variance."""
    own = {"_tag": likelihood} if isinstance(likelihood, str) else likelihood
    variances = set(np.ravel(own.get("noiseVariance", 1)).tolist())
    if own["_tag"] == "categorical" and "classWeights" not in own:
        return "classification", 1.0
    if own["_tag"] == "gaussian" and len(variances) == 1:
        return "regression", float(variances.pop())
    raise ValueError(f"likelihood: found {own}, expected a categorical without class weights, or a gaussian with one noise variance.")


def _eigen(matrix, what: str) -> tuple:
    """Eigenvalues [d, 1] and eigenvectors [d, d] of a second moment. Eigenvalues that rounding took below 0 become 0."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    if values[0] < -_ROUNDING * abs(values[-1]):
        raise ValueError(f"{what}: found an eigenvalue of {values[0]} beside {values[-1]}, expected numbers >= 0.")
    return np.maximum(values, 0)[:, None], vectors


def _product(arrays: dict, side: str) -> np.ndarray:
    """U diag(values) Uᵀ."""
    values = arrays[f"{side}Values"].ravel()
    vectors = arrays.get(f"{side}Vectors", np.eye(len(values)))
    return vectors * values @ vectors.T
