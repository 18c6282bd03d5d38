"""What each layer computes, written out.

A layer with a Kronecker block is `inputs_of` followed by a @ W. `inputs_of` gives its inputs a [B, T, P, n] at T positions for P groups of
output channels, without the trailing 1 of the bias. So every convolution is a dense layer on the entries that its kernel meets.
"""
import math
import torch
import torch.nn.functional as F

ACT = {'linear': lambda z: z, 'tanh': torch.tanh, 'relu': torch.relu, 'sigmoid': torch.sigmoid,
       'elu': F.elu, 'softplus': F.softplus}
CONVOLUTIONS = ('Conv1D', 'Conv2D', 'Conv3D')


def each(value, count): return list(value) if isinstance(value, (list, tuple)) else [value] * count


def sliding(length, k, stride, dilation, padding):
    """A table [out, k]: the entry of an axis that tap k meets at each output position, or -1 beyond the ends of the axis."""
    reach = (k - 1) * dilation + 1
    out, before = (length - reach) // stride + 1, 0
    if padding == 'same':
        out = math.ceil(length / stride)
        before = max((out - 1) * stride + reach - length, 0) // 2
    table = torch.arange(out)[:, None] * stride + torch.arange(k)[None, :] * dilation - before
    return torch.where((table >= 0) & (table < length), table, -1)


def spreading(length, k, stride, padding):
    """The table [out, k] of a transposed convolution. Input i adds to output i * stride + tap - before, so most taps meet no input."""
    out, before = length * stride + max(k - stride, 0), 0
    if padding == 'same': out, before = length * stride, max(k - stride, 0) // 2
    offset = torch.arange(out)[:, None] + before - torch.arange(k)[None, :]
    table = offset // stride
    return torch.where((offset % stride == 0) & (table >= 0) & (table < length), table, -1)


def gather(x, tables):
    """Takes the entries of x [B, *space, c] that the tables name, one table for each axis. Gives [B, *out, *k, c], with zeros for -1."""
    for axis, table in reversed(list(enumerate(tables, 1))):
        x = torch.cat([x, torch.zeros_like(x.narrow(axis, 0, 1))], axis)
        x = x.index_select(axis, table.reshape(-1) % x.shape[axis]).unflatten(axis, tuple(table.shape))
    d = len(tables)
    return x.permute([0] + [1 + 2 * i for i in range(d)] + [2 + 2 * i for i in range(d)] + [2 * d + 1])


def windows(x, l, size):
    """The entries that a kernel or a pooling window of this size meets, [B, *out, *size, c], and the sizes out."""
    strides, dilation = each(l.get('strides', 1), len(size)), each(l.get('dilationRate', 1), len(size))
    padding = l.get('padding', 'valid')
    if l['className'] == 'Conv2DTranspose': tables = [spreading(x.shape[1 + i], k, strides[i], padding) for i, k in enumerate(size)]
    else: tables = [sliding(x.shape[1 + i], k, strides[i], dilation[i], padding) for i, k in enumerate(size)]
    return gather(x, tables), [t.shape[0] for t in tables]


def inputs_of(l, x):
    """The inputs a [B, T, P, n] of a layer's block, and the shape of its T positions."""
    c = l['className']
    if c == 'Dense': return x.reshape(x.shape[0], -1, 1, x.shape[-1]), x.shape[1:-1]
    if c == 'Embedding': return F.one_hot(x.long(), l['inputDim']).double().reshape(x.shape[0], -1, 1, l['inputDim']), x.shape[1:]
    taps, out = windows(x, l, each(l['kernelSize'], 1))
    if c == 'DepthwiseConv2D':                                  # one group for each channel, with the taps of that channel alone
        a = taps.reshape(x.shape[0], math.prod(out), -1, x.shape[-1]).transpose(2, 3)
    else: a = taps.reshape(x.shape[0], math.prod(out), 1, -1)
    return a, out


def scaled(l, x, W):
    """Normalisation layers. The rows of W [2, c] are the scale and the shift. Batch normalisation uses its moving statistics."""
    if l['className'] == 'LayerNormalization':
        mean = x.mean(-1, keepdim=True); variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    else: mean, variance = torch.tensor(l['movingMean']), torch.tensor(l['movingVariance'])
    return W[0] * (x - mean) / (variance + 1e-3).sqrt() + W[1]


def plain(l, xs):
    """Layers without weights."""
    c, x = l['className'], xs[0]
    first = l.get('dataFormat') == 'channelsFirst'
    if c == 'Flatten': return x.reshape(x.shape[0], -1)
    if c == 'GlobalAveragePooling1D': return x.mean(1)
    if c == 'GlobalAveragePooling2D': return x.mean((2, 3) if first else (1, 2))
    if c == 'MaxPooling2D': return windows(x, dict(l, strides=l['poolSize']), l['poolSize'])[0].amax((3, 4))
    if c == 'Activation': return ACT[l['activation']](x)
    if c == 'Dropout': return x                                 # the library observes at fixed weights, without dropout
    if c == 'Add': return sum(xs)
    if c == 'Concatenate': return torch.cat(xs, -1)
    raise ValueError(c)
