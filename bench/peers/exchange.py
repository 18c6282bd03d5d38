"""The laplace-torch side of `npm run bench -- exchange`. Run as exchange.py FOLDER. Prints one line of JSON.

Fits to the problem of the folder and writes theirs.safetensors. Then loads every other file of the folder, and predicts with it.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from laplace import Laplace

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
import tfjs_laplace
from tfjs_laplace_torch import from_laplace_torch, to_laplace_torch

folder = Path(sys.argv[1])
problem = json.loads((folder / "problem.json").read_text())
tensors = [torch.tensor(np.array(own["values"]).reshape(own["shape"])) for own in problem["weights"]]


def network():
    """Dense layers with tanh between them, in float64."""
    modules, at = [], 0
    for n, m in zip(problem["sizes"], problem["sizes"][1:]):
        layer = torch.nn.Linear(n, m, bias=problem["useBias"]).double()
        with torch.no_grad():
            layer.weight.copy_(tensors[at].T)
            if problem["useBias"]:
                layer.bias.copy_(tensors[at + 1])
        at += 1 + problem["useBias"]
        modules += [layer, torch.nn.Tanh()]
    return torch.nn.Sequential(*modules[:-1])


def fresh(**options):
    sigma = {"sigma_noise": problem["sigma"]} if problem["likelihood"] == "regression" else {}
    return Laplace(network(), problem["likelihood"], "all", "kron", **sigma, **options)


def predictions(la):
    x = torch.tensor(problem["inputs"], dtype=torch.float64)
    if problem["likelihood"] == "regression":
        mean, covariance = la(x)
        found = {"mean": mean, "variance": covariance.diagonal(dim1=1, dim2=2)}
    else:
        found = {"probabilities": la(x, link_approx="probit")}
    return {key: own.tolist() for key, own in found.items()} | {"evidence": float(la.log_marginal_likelihood())}


y = torch.tensor(problem["y"], dtype=torch.float64 if problem["likelihood"] == "regression" else torch.int64)
data = torch.utils.data.TensorDataset(torch.tensor(problem["x"], dtype=torch.float64), y)
la = fresh(prior_precision=problem["priorPrecision"])
la.fit(torch.utils.data.DataLoader(data, batch_size=16))
found = {"theirs": predictions(la)}
tfjs_laplace.write(folder / "theirs.safetensors", from_laplace_torch(la, problem["layers"]))
for name in ("ours", "back"):
    if (folder / f"{name}.safetensors").exists():
        other = fresh()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            state = to_laplace_torch(tfjs_laplace.read(folder / f"{name}.safetensors"), tensor=torch.tensor, dtype="float64")
        other.load_state_dict(state)
        found[name] = predictions(other) | {"warnings": [str(own.message) for own in caught]}
print(json.dumps(found))
