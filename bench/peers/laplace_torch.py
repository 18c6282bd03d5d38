"""Measures laplace-torch for `npm run bench -- peers`. Run as laplace_torch.py WORK FOLDER. Prints one line of JSON."""

import json
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from laplace import Laplace

BATCH = 128
GIB = 2**30
warnings.filterwarnings("ignore")
torch.manual_seed(0)


def status(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def measured(run, repeats=1):
    """Runs a function. Returns the median time in milliseconds with the peak memory in bytes above the start, and the last result."""
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = run()
        times.append(1000 * (time.perf_counter() - start))
    return {"ms": float(np.median(times)), "bytes": status("VmHWM") - before}, result


def network(folder, sizes):
    """Dense layers with ReLU between them. The weights come from the folder: for each layer its kernel [n, m], then its bias [m], float32."""
    flat = torch.from_numpy(np.fromfile(folder / "weights.f32", dtype=np.float32))
    layers, at = [], 0
    for n, m in zip(sizes, sizes[1:]):
        layer = torch.nn.Linear(n, m)
        with torch.no_grad():
            layer.weight.copy_(flat[at : at + n * m].reshape(n, m).T)
            layer.bias.copy_(flat[at + n * m : at + n * m + m])
        at += (n + 1) * m
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def examples(folder, width):
    x = np.fromfile(folder / "x.u8", dtype=np.uint8).reshape(-1, width).astype(np.float32) / 255
    y = np.fromfile(folder / "y.i32", dtype=np.int32)
    return torch.from_numpy(x), torch.from_numpy(y.astype(np.int64))


def loader(x, y):
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=BATCH)


def fit(folder):
    x, y = examples(folder, 784)
    data = loader(x, y)
    warm = Laplace(network(folder, [784, 1200, 1200, 10]), "classification", "all", "kron")
    warm.fit(loader(x[:BATCH], y[:BATCH]))
    la = Laplace(network(folder, [784, 1200, 1200, 10]), "classification", "all", "kron")
    fitted, _ = measured(lambda: la.fit(data))
    works = {"fit": fitted | {"batches": len(data)}}
    evidence, _ = measured(lambda: la.optimize_prior_precision(method="marglik"))
    works["evidence"] = evidence | {"value": float(la.prior_precision)}
    la.prior_precision = 300.0
    works["samples"], _ = measured(lambda: la(x[:BATCH], pred_type="nn", link_approx="mc", n_samples=50), 2)
    return works


def linearised(folder):
    x, y = examples(folder, 784)
    la = Laplace(network(folder, [784, 1200, 1200, 10]), "classification", "all", "kron", prior_precision=300.0)
    la.fit(loader(x[:BATCH], y[:BATCH]))
    size = 8
    time_of, _ = measured(lambda: la(x[:size], link_approx="probit"), 3)
    return {"linearised": time_of | {"examples": size}}


def classes(folder):
    """The last layer alone, with 512 features and 1,000 classes. The process may allocate 16 GiB, about as much as most machines have."""
    x, y = examples(folder, 64)
    la = Laplace(network(folder, [64, 512, 1000]), "classification", "last_layer", "kron", prior_precision=1.0)
    fitted, _ = measured(lambda: la.fit(loader(x, y)))
    resource.setrlimit(resource.RLIMIT_AS, (16 * GIB, 16 * GIB))
    works = {"fit, 1,000 classes": fitted | {"batches": -(-len(x) // BATCH)}}
    for size in (BATCH, 8, 1):
        try:
            time_of, _ = measured(lambda: la(x[:size], link_approx="probit", diagonal_output=True))
            return works | {"last layer": time_of | {"examples": size}}
        except (RuntimeError, MemoryError) as error:
            works[f"last layer, {size} examples"] = {"failed": str(error).splitlines()[0][:160]}
    return works


print(json.dumps({"fit": fit, "linearised": linearised, "classes": classes}[sys.argv[1]](Path(sys.argv[2]))))
