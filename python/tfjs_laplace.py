"""Reads and writes the files of tfjs-laplace (`encodePosterior`, `encodeFactors`). Needs Python >= 3.9 and numpy.

A file is a safetensors file. Its metadata hold a hash of the whole and a manifest, the JSON of everything that is no array.

    import tfjs_laplace

    file = tfjs_laplace.read("posterior.safetensors")
    file.kind                                    # 'posterior'
    file.manifest["layers"][0]["name"]           # 'dense_Dense1'
    mean = file.arrays["layers.0.mean"]          # [n, m] float64; with a bias, its last row is the bias
    tfjs_laplace.write("copy.safetensors", file) # the same bytes

The arrays of a layer of a posterior have these names and shapes. P is `groups`, 1 except for depthwise convolutions; `n` counts the
bias. Kernels of TensorFlow.js are [in, out], those of PyTorch [out, in].

    layers.<l>.mean              [P n, m]  the trained weights W
    layers.<l>.inputValues       [P n, 1]  eigenvalues of A, the mean of a aᵀ over examples
    layers.<l>.inputVectors      [P n, n]  its eigenvectors, as columns; the identity if absent
    layers.<l>.gradientValues    [P m, 1]  eigenvalues of G, the mean of g gᵀ over examples
    layers.<l>.gradientVectors   [P m, m]  its eigenvectors, as columns; the identity if absent

With the damping `exact`, the precision of W is N (A ⊗ G) + τ I, where N is `datasetSize` and τ `priorPrecision` of the layer. Layers of
the structures `diagonal` and `eigen` have `curvature` [P n, m] instead of the values; `lowRank` has `diagonal` [m, 1], `rankValues`
[r, 1] and `rankVectors` [m, r] instead of the gradient's side.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from dataclasses import dataclass, field

import numpy as np

from tfjs_laplace_checks import KINDS, FileError, check, is_size, unsound
from tfjs_laplace_json import strict_json, to_json

__all__ = ["FileError", "LaplaceFile", "decode", "encode", "fingerprint", "read", "write"]

VERSION = 1
"""The version of the format that is written here. All versions up to this one are read."""
LIBRARY_VERSION = "0.1.0"
"""The version of the library to which this script belongs."""

_FORMAT = "tfjs-laplace"
_ZEROS = "0" * 64
_BEGINNING = '{"__metadata__":{"sha256":"'
_PREFIX = 8
_PLACE = _PREFIX + len(_BEGINNING)
_LONGEST_HEADER = 100_000_000
_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
# The least number that becomes infinite.
_BEYOND = {"F64": np.inf, "F32": (2 - 2**-24) * 2.0**127, "F16": 65520.0, "BF16": (2 - 2**-8) * 2.0**127}


@dataclass
class LaplaceFile:
    """What a file holds.

    `kind` is 'posterior' or 'factors'; `manifest` is the JSON as dicts and lists; `arrays` are float64 arrays by name. `text` is the
    manifest as it was read. It is written again as it was, unless `manifest` was changed.
    """

    kind: str
    manifest: dict
    arrays: dict = field(default_factory=dict)
    text: str | None = None


def read(source) -> LaplaceFile:
    """Reads a file: a path, or bytes. Raises `FileError` for whatever is not a sound file, and `OSError` for a path without one."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode(source)
    with open(source, "rb") as stream:
        return decode(stream.read())


def write(path, file: LaplaceFile, dtype: str = "F64") -> None:
    """Writes a file as the library would: byte for byte the same for the same manifest and arrays.

    `dtype` is 'F64', which is exact, or 'F32', 'F16' or 'BF16', which round. The file appears whole or not at all: a new file beside it
    takes its place when all is written.
    """
    data = encode(file, dtype)
    path = os.path.abspath(os.fspath(path))
    beside = f"{path}.{secrets.token_hex(4)}.tmp"
    try:
        with open(beside, "xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.remove(beside)
        raise


def decode(data) -> LaplaceFile:
    """What the bytes of a file hold. Raises `FileError`."""
    data = bytes(data)
    header, payload = _parted(data)
    entries = strict_json(header, "a header")
    if not isinstance(entries, dict):
        raise _no_safetensors("a header that is no object")
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _no_safetensors("__metadata__ that is not an object of strings")
    places = _places(entries, len(payload))
    kind = _checked(metadata, header, data)
    text = metadata.get("manifest", "")
    manifest = strict_json(text, "a manifest")
    arrays = {name: _numbers(payload[start:end], dtype).reshape(shape) for name, dtype, shape, start, end in places}
    check(kind, manifest, arrays)
    return LaplaceFile(kind, manifest, arrays, text)


def encode(file: LaplaceFile, dtype: str = "F64") -> bytes:
    """The bytes of a file. Raises `FileError` for a value that is no whole posterior and no whole factors."""
    if dtype not in _SIZES:
        raise FileError("dtype", repr(dtype), f"one of {', '.join(_SIZES)}")
    if file.kind not in KINDS:
        raise FileError("kind", repr(file.kind), "'posterior' or 'factors'")
    arrays = {name: np.asarray(file.arrays[name], dtype=np.float64) for name in sorted(file.arrays)}
    check(file.kind, file.manifest, arrays)
    header, end = {}, 0
    for name, array in arrays.items():
        largest = float(np.max(np.abs(array), initial=0))
        if largest >= _BEYOND[dtype]:
            what = f'The array "{name}" cannot be written as {dtype}'
            raise FileError(what, f"{largest}", f"numbers below {_BEYOND[dtype]}", "Take F64.")
        start, end = end, end + array.size * _SIZES[dtype]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
    metadata = {
        "sha256": _ZEROS,
        "format": _FORMAT,
        "format_version": str(VERSION),
        "kind": file.kind,
        "library_version": LIBRARY_VERSION,
        "manifest": file.text if _is_unchanged(file) else to_json(file.manifest),
    }
    text = to_json({"__metadata__": metadata, **header}).encode("utf-8")
    text += b" " * (-len(text) % 8)
    data = bytearray(len(text).to_bytes(8, "little") + text + b"".join(_bytes_of(array, dtype) for array in arrays.values()))
    data[_PLACE : _PLACE + 64] = _hash_of(data).encode()
    return bytes(data)


def fingerprint(weights) -> str:
    """The fingerprint of a model's weights, by which the library tells whether a posterior belongs to a model.

    `weights` are all weights of the model as arrays, in the order of its layers: for a dense layer the kernel [in, out] and then the
    bias [out]. They count as float32; arrays of integers count as int32. It takes about a second for a million weights.
    """
    a, b, bits = 0x811C9DC5, 0x9E3779B9, 0xFFFFFFFF
    for array in weights:
        array = np.asarray(array)
        own = array.astype("<i4" if array.dtype.kind in "iu" else "<f4")
        for word in np.ascontiguousarray(own).view("<u4").ravel().tolist():
            a = (a ^ word) * 0x01000193 & bits
            b = (b ^ word >> 15 ^ (word << 17 & bits)) * 0x01000193 & bits
            a ^= a >> 15
            b ^= b >> 13
    return f"{a:08x}{b:08x}"


def _is_unchanged(file: LaplaceFile) -> bool:
    return file.text is not None and strict_json(file.text, "a manifest") == file.manifest


def _hash_of(data) -> str:
    """SHA-256 of a file in whose header the digits of the hash are zeros."""
    view = memoryview(data)
    digest = hashlib.sha256(view[:_PLACE])
    digest.update(_ZEROS.encode())
    digest.update(view[_PLACE + 64 :])
    return digest.hexdigest()


def _parted(data: bytes) -> tuple[str, memoryview]:
    """The header of a safetensors file as text, and its payload."""
    if len(data) < _PREFIX:
        raise _no_safetensors(f"{len(data)} bytes, which is less than the length of a header")
    length, left = int.from_bytes(data[:_PREFIX], "little"), len(data) - _PREFIX
    if length > min(_LONGEST_HEADER, left):
        raise _no_safetensors(f"a header of {length} bytes in a file with {left} bytes after its length (at most {_LONGEST_HEADER})")
    try:
        header = data[_PREFIX : _PREFIX + length].decode("utf-8")
    except UnicodeDecodeError:
        raise _no_safetensors("a header that is not UTF-8") from None
    if not header.startswith("{"):
        raise _no_safetensors("a header that does not begin with {")
    return header, memoryview(data)[_PREFIX + length :]


def _places(entries: dict, size: int) -> list:
    """The arrays of a payload as (name, dtype, shape, start, end), in the order in which they lie there, without holes."""
    places = []
    for name, value in entries.items():
        if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
            raise _no_safetensors(f'fields of array "{name}" other than data_offsets, dtype, shape')
        dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
        if not isinstance(dtype, str) or dtype not in _SIZES:
            raise _no_safetensors(f'the format {dtype!r} of array "{name}", which is none of {", ".join(_SIZES)}')
        if not all(isinstance(sizes, list) and all(map(is_size, sizes)) for sizes in (shape, offsets)) or len(offsets) != 2:
            raise _no_safetensors(f'a shape or data_offsets of array "{name}" that are no sizes')
        shape, (start, end) = [int(d) for d in shape], map(int, offsets)
        taken = _SIZES[dtype]
        for d in shape:
            taken *= d
        if end - start != taken:
            raise _no_safetensors(f'{end - start} bytes for array "{name}" of shape {shape} in {dtype}, which takes {taken}')
        places.append((name, dtype, shape, start, end))
    places.sort(key=lambda place: place[3:])
    due = 0
    for name, _, _, start, end in places:
        if start != due:
            raise _no_safetensors(f'array "{name}" at byte {start}, where {due} was due')
        due = end
    if due != size:
        raise _no_safetensors(f"arrays of {due} bytes in a payload of {size}")
    return places


def _checked(metadata: dict, header: str, data: bytes) -> str:
    """The kind of a file whose format, version and hash are right."""
    if metadata.get("format") != _FORMAT:
        raise FileError("The safetensors file is none of this library", repr(metadata.get("format")), f"the format {_FORMAT!r}")
    version, library = metadata.get("format_version", ""), metadata.get("library_version", "of an unknown version")
    if not re.fullmatch("[1-9][0-9]{0,8}", version):
        raise unsound("a format version that is no number")
    if int(version) > VERSION:
        what, found = "A newer version of the library wrote the file", f"format version {version}, by tfjs-laplace {library}"
        raise FileError(what, found, f"at most format version {VERSION}", "Take this script from a newer version of tfjs-laplace.")
    digits = metadata.get("sha256", "")
    if not header.startswith(_BEGINNING) or not re.fullmatch("[0-9a-f]{64}", digits):
        raise unsound("a header without its hash at the beginning")
    if _hash_of(data) != digits:
        raise unsound("contents that do not fit the hash of the file")
    kind = metadata.get("kind")
    if kind not in KINDS:
        raise FileError("The file holds no posterior and no factors", repr(kind), "the kind 'posterior' or 'factors'")
    return kind


def _no_safetensors(found: str) -> FileError:
    return FileError("The bytes are no file", found, "a safetensors file, whole", "Check that all of the right file was read.")


def _numbers(data, dtype: str) -> np.ndarray:
    """The numbers in bytes of a file, as float64."""
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").astype(np.float64)
    return np.frombuffer(data, {"F64": "<f8", "F32": "<f4", "F16": "<f2"}[dtype]).astype(np.float64)


def _bytes_of(array: np.ndarray, dtype: str) -> bytes:
    if dtype != "BF16":
        return array.astype({"F64": "<f8", "F32": "<f4", "F16": "<f2"}[dtype]).tobytes()
    # Rounded once: float32 first goes towards zero, and its last bit then tells that something was cut off.
    near = array.astype("<f4")
    bits = near.view("<u4").copy()
    bits -= np.abs(near.astype(np.float64)) > np.abs(array)
    bits |= near.astype(np.float64) != array
    bits += 0x7FFF + (bits >> 16 & 1)
    return (bits >> 16).astype("<u2").tobytes()
