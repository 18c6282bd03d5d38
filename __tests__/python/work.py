"""The Python side of the tests of python/. Run as work.py WORK FOLDER. Prints one line of JSON."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
import tfjs_laplace
from tfjs_laplace_torch import from_laplace_torch, to_laplace_torch


def written_again(folder):
    """Reads each file, and writes it in every format, once with the text of its manifest and once from the values alone."""
    for path in sorted(folder.glob("*.in")):
        file = tfjs_laplace.read(path)
        for dtype in ("F64", "F32", "F16", "BF16"):
            tfjs_laplace.write(path.with_suffix(f".{dtype}"), file, dtype)
        file.text = None
        tfjs_laplace.write(path.with_suffix(".anew"), file)
        again = tfjs_laplace.read(path.with_suffix(".BF16"))
        tfjs_laplace.write(path.with_suffix(".again"), again, "BF16")
    return len(list(folder.iterdir()))


def refused(folder):
    """What reading each file gives: the words of a `FileError`, or the kind of the file."""
    found = {}
    for path in sorted(folder.glob("*.in")):
        try:
            found[path.stem] = tfjs_laplace.read(path).kind
        except tfjs_laplace.FileError as error:
            found[path.stem] = f"FileError: {error}"
    return found


def changed(folder):
    """Every cut of a file and a changed bit in every byte: the number that were read, which should be none."""
    data = (folder / "whole.in").read_bytes()
    wrong = 0
    for at in range(len(data)):
        other = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        for damaged in (data[:at], other):
            try:
                tfjs_laplace.decode(damaged)
                wrong += 1
            except tfjs_laplace.FileError:
                pass
    return {"bytes": len(data), "wrong": wrong}


def not_written(folder):
    """What writing a changed value gives."""
    path = folder / "whole.in"
    found = {}

    def attempt(name, change, dtype="F64"):
        file = tfjs_laplace.read(path)
        change(file)
        try:
            tfjs_laplace.write(folder / "out", file, dtype)
            found[name] = "written"
        except tfjs_laplace.FileError as error:
            found[name] = str(error)

    attempt("nan", lambda file: file.arrays["layers.0.mean"].__setitem__((0, 0), np.nan))
    attempt("large", lambda file: file.arrays["layers.0.mean"].__setitem__((0, 0), 70000), "F16")
    attempt("missing", lambda file: file.arrays.pop("layers.0.mean"))
    attempt("further", lambda file: file.arrays.update({"layers.9.mean": np.eye(2)}))
    attempt("shape", lambda file: file.arrays.update({"layers.0.mean": np.eye(1)}))
    attempt("negative", lambda file: file.arrays["layers.0.inputValues"].__setitem__((0, 0), -1))
    attempt("field", lambda file: file.manifest.update(datasetsize=3))
    attempt("size", lambda file: file.manifest.update(datasetSize=0))
    attempt("dtype", lambda file: None, "F8")
    return {"found": found, "left": sorted(own.name for own in folder.iterdir())}


def fingerprint(folder):
    weights = json.loads((folder / "weights.json").read_text())
    return tfjs_laplace.fingerprint(np.array(own["values"], own["dtype"]) for own in weights)


def numbers(folder):
    return tfjs_laplace.to_json(json.loads((folder / "numbers.json").read_text()))


def distance(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    return float(np.max(np.abs(a - b)) / np.max(np.abs(b)))


def imported(folder):
    """A state of laplace-torch, with numpy for tensors, becomes a file, and the file becomes the state again."""
    given = json.loads((folder / "state.json").read_text())
    state = {**given["state"], "H": [[np.array(own) for own in block] for block in given["state"]["H"]]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        file = from_laplace_torch(state, given["layers"])
        tfjs_laplace.write(folder / "posterior", file)
        back = to_laplace_torch(tfjs_laplace.read(folder / "posterior"), dtype="float64")
    pairs = [(a, b) for left, right in zip(back["H"], state["H"]) for a, b in zip(left, right)]
    pairs += [(back[key], state[key]) for key in ("mean", "loss", "sigma_noise", "prior_precision", "n_data", "n_outputs")]
    return {"distance": max(distance(*pair) for pair in pairs), "warnings": [str(own.message) for own in caught]}


def exported(folder):
    """The warnings of an export, and how far what comes back is from the file."""
    file = tfjs_laplace.read(folder / "posterior.in")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            state = to_laplace_torch(file, dtype="float64")
        except ValueError as error:
            return {"refused": str(error)}
    layers = [{"name": layer["name"], "bias": layer["bias"]} for layer in file.manifest["layers"]]
    again = from_laplace_torch(state, layers)

    def curvature(own, l):
        sides = (
            own.arrays[f"layers.{l}.{side}Vectors"] * own.arrays[f"layers.{l}.{side}Values"].ravel()
            @ own.arrays[f"layers.{l}.{side}Vectors"].T
            for side in ("input", "gradient")
        )
        return np.kron(*sides)

    most = max(distance(curvature(again, l), curvature(file, l)) for l in range(len(layers)))
    text = [tfjs_laplace.to_json({**own.manifest, "logLikelihood": 0}) for own in (file, again)]
    return {"distance": most, "warnings": [str(own.message) for own in caught], "manifests": text}


print(json.dumps(globals()[sys.argv[1]](Path(sys.argv[2]))))
