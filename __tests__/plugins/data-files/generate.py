"""Arrays and tables as numpy and pyarrow write them, with their values, for the tests of the plugin data-files.

    python -m venv environment
    environment/bin/pip install numpy==2.4.6 pyarrow==26.0.1
    environment/bin/python __tests__/plugins/data-files/generate.py

It writes values.json beside itself: each file in base64, and the numbers that numpy or Python has for it.
"""
import base64
import datetime
import io
import json
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def text(data):
    return base64.b64encode(data).decode()


def npy(array, version=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=version)
    return buffer.getvalue()


def array_case(name, array, version=None):
    return {
        'name': name,
        'file': text(npy(array, version)),
        'shape': list(array.shape),
        'values': array.astype(np.float64).ravel(order='C').tolist(),
    }


def arrays():
    grid = np.arange(24).reshape(2, 3, 4)
    extremes = {
        '?': [0, 1, 1, 0],
        'i1': [-128, 0, 1, 127],
        'u1': [0, 1, 128, 255],
        'i2': [-32768, 0, 1, 32767],
        'u2': [0, 1, 32768, 65535],
        'i4': [-(2**31), 0, 1, 2**31 - 1],
        'u4': [0, 1, 2**31, 2**32 - 1],
        'i8': [-(2**53), 0, 1, 2**60],
        'u8': [0, 1, 2**53, 2**63],
        'f2': [-65504, 2**-24, 1 / 3, 1024.5],
        'f4': [-3.25, 1e-40, 1 / 3, 3e38],
        'f8': [-3.25, 1e-40, 1 / 3, 1e300],
    }
    for kind, values in extremes.items():
        for order in '<>':
            yield array_case(f'{order}{kind}', np.array(values).astype(np.dtype(kind)).astype(np.dtype(kind).newbyteorder(order)).reshape(2, 2))
    for kind in ['<i2', '>f4', '<f8', '|u1']:
        yield array_case(f'{kind} in the order of Fortran', np.asfortranarray(grid.astype(kind)))
    yield array_case('Fortran, a matrix', np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    for version in [(1, 0), (2, 0), (3, 0)]:
        yield array_case(f'version {version[0]}', grid.astype('<f4'), version)
    yield array_case('one dimension', np.arange(5.0))
    yield array_case('no dimension', np.array(7.0))
    yield array_case('no example', np.zeros((0, 3)))


def refused():
    fields = np.zeros(2, dtype=[('a', '<f4'), ('b', '<i4')])
    objects = io.BytesIO()
    np.save(objects, np.array([{}, None], dtype=object), allow_pickle=True)
    archive = io.BytesIO()
    np.savez(archive, x=np.arange(3))
    yield {'file': text(objects.getvalue()), 'words': ['Python objects', "'|O'"]}
    yield {'file': text(npy(np.array([1j, 2]))), 'words': ['complex numbers', "'<c16'"]}
    yield {'file': text(npy(np.array(['a', 'bc']))), 'words': ['text', "'<U2'"]}
    yield {'file': text(npy(np.array([b'a', b'bc']))), 'words': ['text', "'|S2'"]}
    yield {'file': text(npy(np.array(['2020-01-01'], dtype='datetime64[D]'))), 'words': ['dates', "'<M8[D]'"]}
    yield {'file': text(npy(np.zeros(2, dtype=np.longdouble))), 'words': ['long doubles', "'<f16'"]}
    yield {'file': text(npy(fields)), 'words': ['fields']}
    yield {'file': text(npy(np.array([1, 2**53 + 1]))), 'words': ['9007199254740993']}
    yield {'file': text(npy(np.array([1, 2**64 - 1], dtype='u8'))), 'words': ['18446744073709551615']}
    yield {'file': text(archive.getvalue()), 'words': ['zip', 'np.save']}


ROWS = 7
COLUMNS = {
    'i8': pa.array([k - 3 for k in range(ROWS)], pa.int8()),
    'u16': pa.array([9000 * k for k in range(ROWS)], pa.uint16()),
    'i32': pa.array([k * 10**8 for k in range(ROWS)], pa.int32()),
    'i64': pa.array([k * 2**50 for k in range(ROWS)], pa.int64()),
    'u64': pa.array([k * 2**61 for k in range(ROWS)], pa.uint64()),
    'f16': pa.array(np.arange(ROWS, dtype=np.float16) / 8),
    'f32': pa.array([k / 3 for k in range(ROWS)], pa.float32()),
    'f64': pa.array([k / 7 for k in range(ROWS)], pa.float64()),
    'truth': pa.array([k % 2 == 0 for k in range(ROWS)]),
    'kind': pa.array(['b', 'a', 'b', 'ç', 'a', 'b', 'c']),
    'category': pa.array(['x', 'y', 'x', 'x', 'y', 'y', 'x']).dictionary_encode(),
    'gap': pa.array([1.5, None, 2.5, 3.5, 4.5, 5.5, 6.5]),
    'day': pa.array([datetime.date(2020, 1, 1 + k) for k in range(ROWS)]),
    'list': pa.array([[k, k] for k in range(ROWS)]),
}
NUMBERS = ['i8', 'u16', 'i32', 'i64', 'u64', 'f16', 'f32', 'f64', 'truth']


def parquet(table, **options):
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return text(buffer.getvalue())


def tables():
    table = pa.table(COLUMNS)
    numbers = {name: [float(v) for v in COLUMNS[name].to_pylist()] for name in NUMBERS}
    small = table.select(['f32', 'i64', 'kind'])
    return {
        'columns': table.column_names,
        'numbers': numbers,
        'kinds': COLUMNS['kind'].to_pylist(),
        'categories': COLUMNS['category'].to_pylist(),
        'all': parquet(table),
        'forms': {
            'no compression': parquet(small, compression='none'),
            'gzip': parquet(small, compression='gzip'),
            'brotli': parquet(small, compression='brotli'),
            'several row groups': parquet(small, row_group_size=3),
            'pages of version 2': parquet(small, data_page_version='2.0'),
            'without a dictionary': parquet(small, use_dictionary=False),
        },
        'zstd': parquet(small, compression='zstd'),
        'lz4': parquet(small, compression='lz4'),
        'tiny': parquet(pa.table({'a': [1.5, 2.5], 'b': [1, 2]}), compression='none'),
        'none': parquet(small.slice(0, 0)),
    }


values = {'arrays': list(arrays()), 'refused': list(refused()), 'tables': tables()}
pathlib.Path(__file__).with_name('values.json').write_text(json.dumps(values) + '\n')
