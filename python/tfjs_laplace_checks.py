"""What a file of tfjs-laplace must hold: the checks of `tfjs_laplace.py`, as strict about arrays as the library itself.

Of a likelihood and an estimator only the tag is checked. The library checks their fields when it reads the file.
"""

from __future__ import annotations

import math

import numpy as np

KINDS = ("posterior", "factors")


class FileError(Exception):
    """A file that is none of tfjs-laplace, that is damaged, or that a newer version wrote; or a value that makes no such file.

    The fields `what`, `found`, `expected` and `remedy` are the parts of the message.
    """

    def __init__(self, what: str, found: str = "", expected: str = "", remedy: str = "") -> None:
        facts = ", ".join(f"{word} {fact}" for word, fact in (("found", found), ("expected", expected)) if fact)
        super().__init__(f"{what}{': ' + facts if facts else ''}.{' ' + remedy if remedy else ''}")
        self.what, self.found, self.expected, self.remedy = what, found, expected, remedy


def unsound(found: str, expected: str = "a file as the library writes it") -> FileError:
    """The error for contents that do not fit each other."""
    remedy = "Copy or download the file again, or make it anew. If Python made the value, check its manifest and its arrays."
    return FileError("The contents are not sound", found, expected, remedy)


def _is_number(value) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool) and math.isfinite(value)


def is_size(value) -> bool:
    """Whether a value of JSON is a whole number >= 0 that a float64 holds exactly."""
    return _is_number(value) and value == int(value) and 0 <= value < 2**53


def _is_tagged(value) -> bool:
    return isinstance(value, dict) and _is_text(value.get("_tag"))


def _is_text(value) -> bool:
    return isinstance(value, str) and value != ""


def _each(test):
    return lambda value: isinstance(value, (list, tuple)) and len(value) > 0 and all(map(test, value))


TEXT = ("a string, not empty", _is_text)
TEXTS = ("a list of strings, not empty", _each(_is_text))
FLAG = ("true or false", lambda value: isinstance(value, (bool, np.bool_)))
FINITE = ("a finite number", _is_number)
POSITIVE = ("a finite number > 0", lambda value: _is_number(value) and value > 0)
NON_NEGATIVE = ("a finite number >= 0", lambda value: _is_number(value) and value >= 0)
COUNT = ("an integer >= 1", lambda value: is_size(value) and value >= 1)
SEED = ("an integer from 0 to 4294967295", lambda value: is_size(value) and value < 2**32)
SQUARES = ("a list of numbers >= 0, not empty", _each(NON_NEGATIVE[1]))
OBJECT = ("an object", lambda value: isinstance(value, dict))
OBJECTS = ("a list of objects, not empty", _each(OBJECT[1]))
TAGGED = ("an object with a _tag, or a tag", lambda value: _is_text(value) or _is_tagged(value))
DAMPING = (
    "{ _tag: 'exact' } or { _tag: 'factored' }",
    lambda value: value in ("exact", "factored", {"_tag": "exact"}, {"_tag": "factored"}),
)
STRUCTURES = ("kronecker", "embedding", "inputDiagonal", "diagonal", "eigen", "full", "lowRank")
STRUCTURE = (f"one of {', '.join(STRUCTURES)}", lambda value: value in STRUCTURES)



def _are_parts(value) -> bool:
    """Sorted ranges { dataset, first, end } that do not touch."""
    if not _each(OBJECT[1])(value):
        return False
    for part in value:
        if set(part) != {"dataset", "first", "end"} or not _is_text(part["dataset"]):
            return False
        if not is_size(part["first"]) or not is_size(part["end"]) or part["first"] >= part["end"]:
            return False
    return all(
        (a["dataset"], a["end"]) < (b["dataset"], b["first"]) if a["dataset"] == b["dataset"] else a["dataset"] < b["dataset"]
        for a, b in zip(value, value[1:])
    )


PARTS = ("sorted parts { dataset, first, end } that do not touch", _are_parts)

LAYER = {"name": TEXT, "structure": STRUCTURE, "members": TEXTS, "groups": COUNT, "n": COUNT, "m": COUNT, "bias": FLAG}
POSTERIOR_LAYER = {**LAYER, "priorPrecision": POSITIVE}
FACTORS_LAYER = {**LAYER, "positions?": COUNT, "sketch?": OBJECT}
SKETCH = {"rank": COUNT, "columns": COUNT, "seed": SEED}
POSTERIOR = {
    "likelihood": TAGGED,
    "estimator": TAGGED,
    "damping": DAMPING,
    "outputs": COUNT,
    "datasetSize": POSITIVE,
    "fingerprint": TEXT,
    "architecture?": TEXT,
    "logLikelihood": FINITE,
    "squares?": SQUARES,
    "layers": OBJECTS,
}
LAYOUT = {
    "estimator": TAGGED,
    "likelihood": TAGGED,
    "layers": OBJECTS,
    "covered": TEXTS,
    "outputs": COUNT,
    "architecture?": TEXT,
    "shares?": COUNT,
    "basis?": TEXT,
}
FACTORS = {
    "fingerprint": TEXT,
    "count": NON_NEGATIVE,
    "datasetSize": NON_NEGATIVE,
    "logLikelihood": FINITE,
    "rows": NON_NEGATIVE,
    "layout": OBJECT,
    "batches?": COUNT,
    "parts?": PARTS,
    "squares?": SQUARES,
    "isRotated": FLAG,
    "isApart?": FLAG,
}


def _fields(value, path: str, fields: dict) -> None:
    """Checks an object of exactly these fields. A name that ends with ? may be missing."""
    if not isinstance(value, dict):
        raise unsound(f"{path} that is no object", "an object")
    known = {name.rstrip("?") for name in fields}
    for name in value:
        if name not in known:
            raise unsound(f"the unknown field {path}.{name}", f"only {', '.join(sorted(known))}")
    for name, (expected, test) in fields.items():
        own = name.rstrip("?")
        if own not in value and own == name:
            raise unsound(f"no field {path}.{own}", expected)
        if own in value and not test(value[own]):
            raise unsound(f"{path}.{own} = {value[own]!r:.80}", expected)


class _Arrays:
    """The arrays of a file, each of which is to be taken once."""

    def __init__(self, arrays: dict) -> None:
        self.arrays = arrays
        self.left = set(arrays)

    def take(self, name: str, rows: int | None, cols: int | None, non_negative: bool = False) -> np.ndarray:
        """An array of this shape, or of any where the shape says None."""
        if name not in self.left:
            raise unsound(f'no array "{name}"')
        self.left.remove(name)
        array = self.arrays[name]
        shape = np.shape(array)
        if len(shape) != 2 or any(want not in (None, size) for want, size in zip((rows, cols), shape)):
            raise unsound(f'"{name}" of shape {list(shape)}', f"the shape [{rows or 'any'}, {cols or 'any'}]")
        if not np.all(np.isfinite(array)):
            raise unsound(f'a number that is not finite in "{name}"', "finite numbers")
        if non_negative and np.any(array < 0):
            raise unsound(f'a number below 0 in "{name}"', "numbers >= 0")
        return array

    def end(self) -> None:
        if self.left:
            raise unsound(f'the array "{min(self.left)}", which the manifest does not name')


def check(kind: str, manifest: dict, arrays: dict) -> None:
    """Raises `FileError` unless the manifest and the arrays are a whole posterior, or whole factors."""
    own = _Arrays(arrays)
    {"posterior": _posterior, "factors": _factors}[kind](manifest, own)
    own.end()


STRUCTURES_OF = {
    "kfac": ("kronecker", "inputDiagonal", "diagonal", "embedding"),
    "kfra": ("kronecker", "inputDiagonal", "diagonal", "embedding"),
    "ekfac": ("eigen", "diagonal"),
    "diagonal": ("diagonal",),
    "full": ("full",),
    "lowRank": ("lowRank",),
}


def _whole(layers: list, estimator, likelihood, outputs: int, shares) -> None:
    """Raises `FileError` if layers, estimator and shares do not belong together."""
    tag = estimator if isinstance(estimator, str) else estimator["_tag"]
    names = [layer["name"] for layer in layers]
    if len(set(names)) < len(names):
        raise unsound("two layers of one name", "a name for each")
    for layer in layers:
        name, structure, wide = layer["name"], layer["structure"], layer["structure"] == "full"
        if not wide and list(layer["members"]) != [name]:
            raise unsound(f'members of layer "{name}" other than itself', f'["{name}"]')
        if wide and (len(layers) > 1 or layer["groups"] > 1 or layer["m"] > 1):
            raise unsound(f'layer "{name}", which is not the whole network in one column')
        if structure == "lowRank" and layer["groups"] > 1:
            raise unsound(f'groups of layer "{name}", which is of low rank', "1")
        if structure not in STRUCTURES_OF.get(tag, STRUCTURES):
            raise unsound(f'layer "{name}" of the structure {structure} under {tag}', f"one of {', '.join(STRUCTURES_OF[tag])}")
    keeps = isinstance(estimator, dict) and estimator.get("noise") == "perOutput"
    if keeps != (shares is not None):
        raise unsound(f"{shares or 'no'} shares of outputs", "them" if keeps else "none, for this estimator")
    if shares is None:
        return
    variance = likelihood.get("noiseVariance") if isinstance(likelihood, dict) else None
    wanted = len(variance) if isinstance(variance, (list, tuple)) else outputs
    is_step = isinstance(likelihood, dict) and likelihood["_tag"] == "perStep"
    if outputs % shares != 0 or (not is_step and shares != wanted):
        raise unsound(f"shares of {shares} outputs", f"{wanted} of them")


def _sizes(layer: dict) -> tuple[int, int, int]:
    return int(layer["groups"]), int(layer["n"]), int(layer["m"])


def _posterior(manifest: dict, arrays: _Arrays) -> None:
    _fields(manifest, "manifest", POSTERIOR)
    shares = len(manifest.get("squares", ()))
    for l, layer in enumerate(manifest["layers"]):
        _fields(layer, f"layers[{l}]", POSTERIOR_LAYER)
    _whole(manifest["layers"], manifest["estimator"], manifest["likelihood"], int(manifest["outputs"]), shares or None)
    for l, layer in enumerate(manifest["layers"]):
        P, n, m = _sizes(layer)
        arrays.take(f"layers.{l}.mean", P * n, m)
        rank = None
        for part, (rows, cols) in _parts(layer["structure"], P, n, m).items():
            name = f"layers.{l}.{part.rstrip('?')}"
            if part.endswith("?") and name not in arrays.arrays:
                continue
            shape = [rank if size == "rank" else size for size in (rows, cols)]
            found = arrays.take(name, *shape, non_negative=not part.startswith(("inputVectors", "gradientVectors", "rankVectors")))
            if "rank" in (rows, cols):
                rank = found.shape[(rows, cols).index("rank")]
        if _is_half(layer["structure"], l, arrays):
            raise unsound(f'one half of the low rank of layer "{layer["name"]}"', "both, or neither")
        if rank == 0:
            raise unsound(f'a rank of 0 in layer "{layer["name"]}"', "a rank >= 1")
        side = {"full": (n, n), "diagonal": (P * n, m), "eigen": (P * n, m), "lowRank": None}.get(layer["structure"], (P * m, m))
        if shares and side is None:
            raise unsound(f'shares of outputs in layer "{layer["name"]}", which is lowRank')
        for c in range(shares):
            arrays.take(f"layers.{l}.shares.{c}", *side)


def _is_half(structure: str, l: int, arrays: _Arrays) -> bool:
    """Whether a layer has the eigenvalues of its low rank without the vectors, or the other way round."""
    if structure != "lowRank":
        return False
    return (f"layers.{l}.rankValues" in arrays.arrays) != (f"layers.{l}.rankVectors" in arrays.arrays)


def _parts(structure: str, P: int, n: int, m: int) -> dict:
    """The shapes of the parts of a layer of a posterior. A name that ends with ? may be missing."""
    if structure in ("diagonal", "eigen"):
        vectors = {"inputVectors?": (P * n, n), "gradientVectors?": (P * m, m)} if structure == "eigen" else {}
        return {"curvature": (P * n, m), **vectors}
    if structure == "lowRank":
        ranked = {"rankValues?": ("rank", 1), "rankVectors?": (m, "rank")}
        return {"inputValues": (n, 1), "inputVectors": (n, n), "diagonal": (m, 1), **ranked}
    if structure == "full":
        return {"inputValues": (n, 1), "inputVectors": (n, n), "gradientValues": (1, 1)}
    vectors = {"inputVectors": (P * n, n)} if structure == "kronecker" else {}
    return {"inputValues": (P * n, 1), "gradientValues": (P * m, 1), "gradientVectors": (P * m, m), **vectors}


def _factors(manifest: dict, arrays: _Arrays) -> None:
    _fields(manifest, "manifest", FACTORS)
    layout = manifest["layout"]
    _fields(layout, "layout", LAYOUT)
    for l, layer in enumerate(layout["layers"]):
        _fields(layer, f"layout.layers[{l}]", FACTORS_LAYER)
        if "sketch" in layer:
            _fields(layer["sketch"], f"layout.layers[{l}].sketch", SKETCH)
    names = [layer["name"] for layer in layout["layers"]]
    if not set(layout["covered"]) <= set(names):
        raise unsound("covered layers that are not among the layers", f"names out of {', '.join(names)}")
    if len(set(layout["covered"])) < len(layout["covered"]):
        raise unsound("a covered layer that is named twice", "each once")
    tag = layout["estimator"] if isinstance(layout["estimator"], str) else layout["estimator"]["_tag"]
    if manifest["isRotated"] != (tag == "ekfac"):
        raise unsound(f"isRotated = {manifest['isRotated']} for {tag}", str(tag == "ekfac"))
    if manifest["count"] > 0 and not manifest["datasetSize"] > 0:
        raise unsound(f"{manifest['count']} counted examples of a data set of {manifest['datasetSize']}", "a data set with examples")
    shares, squares = int(layout.get("shares", 0)), manifest.get("squares")
    if (squares is None) != (shares == 0) or len(squares or ()) != shares:
        raise unsound(f"{len(squares or ())} squared errors for {shares} shares", "one for each")
    _whole(layout["layers"], layout["estimator"], layout["likelihood"], int(layout["outputs"]), shares or None)
    for l, layer in enumerate(layout["layers"]):
        P, n, m = _sizes(layer)
        is_apart = manifest.get("isApart", False)
        if not is_apart:
            arrays.take(f"layers.{l}.weights", P * n, m)
        sums = _sums(layer, P, n, m)
        for part, shape in sums.items():
            arrays.take(f"layers.{l}.{part}", *shape)
        for c in range(shares):
            arrays.take(f"layers.{l}.shares.{c}", *next(shape for part, shape in sums.items() if part != "input"))
        for side, d in (("input", n), ("gradient", m)):
            if manifest["isRotated"] and not is_apart and f"layers.{l}.rotation.{side}" in arrays.arrays:
                arrays.take(f"layers.{l}.rotation.{side}", P * d, d)


def _sums(layer: dict, P: int, n: int, m: int) -> dict:
    """The shapes of the sums of a layer of factors."""
    sketch = {"sketch": (m, int(layer["sketch"]["columns"]))} if "sketch" in layer else {}
    return {
        "kronecker": {"input": (P * n, n), "gradient": (P * m, m)},
        "embedding": {"input": (n, 1), "gradient": (m, m)},
        "inputDiagonal": {"input": (P * n, 1), "gradient": (P * m, m)},
        "diagonal": {"squares": (P * n, m)},
        "eigen": {"squares": (P * n, m)},
        "full": {"gradient": (n, n)},
        "lowRank": {"input": (n, n), "diagonal": (m, 1), **sketch},
    }[layer["structure"]]
