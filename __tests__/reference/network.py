"""Networks of layers: a chain, or a graph. In a graph a layer names the layers that it reads (`from`) or whose weights it uses (`shares`)."""
import math
import torch
from layers import ACT, CONVOLUTIONS, inputs_of, plain, scaled


class Block:
    """The weights of a block: P matrices [n, m] on top of each other, one for each group. `kind` is the kind of its curvature block."""

    def __init__(self, layer, kind, n, m, groups=1, bias=False):
        self.layer, self.kind, self.n, self.m, self.groups, self.bias = layer, kind, n + bias, m, groups, bias

    def initial(self, gen):
        if self.kind == 'diagonal': return torch.stack([1 + 0.2 * torch.randn(self.m, generator=gen), 0.3 * torch.randn(self.m, generator=gen)])
        n = self.n - self.bias
        Ws = []
        for _ in range(self.groups):
            W = torch.randn(n, self.m, generator=gen) / math.sqrt(n)
            if self.bias: W = torch.cat([W, 0.3 * torch.randn(1, self.m, generator=gen)])
            Ws.append(W)
        return torch.cat(Ws)


def blocks_of(l):
    c, bias = l.get('className'), l.get('useBias', False)
    taps = math.prod(l['kernelSize']) if 'kernelSize' in l else 0
    if c == 'Dense': return [Block(l, 'kronecker', l['inputs'], l['units'], bias=bias)]
    if c in CONVOLUTIONS or c == 'Conv2DTranspose': return [Block(l, 'kronecker', taps * l['channels'], l['filters'], bias=bias)]
    if c == 'DepthwiseConv2D': return [Block(l, 'kronecker', taps, l['depthMultiplier'], groups=l['channels'], bias=bias)]
    if c == 'SeparableConv2D':                                  # a depthwise convolution, then a 1 x 1 convolution that has the bias
        depthwise = dict(l, className='DepthwiseConv2D')
        pointwise = dict(className='Conv2D', kernelSize=[1, 1])
        return [Block(depthwise, 'kronecker', taps, l['depthMultiplier'], groups=l['channels']),
                Block(pointwise, 'kronecker', l['channels'] * l['depthMultiplier'], l['filters'], bias=bias)]
    if c == 'Embedding': return [Block(l, 'embedding', l['inputDim'], l['outputDim'])]
    if c in ('LayerNormalization', 'BatchNormalization'): return [Block(l, 'diagonal', 2, l['channels'])]
    return []


class Net:
    """A network and its weights. `forward` keeps the inputs a [B, T, P, n] and the differentiable pre-activations z [B, T, P, m] of every
    block at each of its uses; these are the taps."""

    def __init__(self, layers, outputs, gen):
        self.layers, self.outputs = layers, outputs
        self.blocks, self.owned = [], {}                        # owned: id of a layer -> indices of its blocks
        for l in layers:
            new = blocks_of(l)
            self.owned[id(l)] = range(len(self.blocks), len(self.blocks) + len(new)); self.blocks += new
        self.params = [b.initial(gen) for b in self.blocks]

    def forward(self, X, params):
        """X has one array for each input. Returns f [B, C] and the taps. f is the outputs side by side, without a softmax or sigmoid at their
        end."""
        X, values, named, taps = list(X), {}, {l['name']: l for l in self.layers if 'name' in l}, [[] for _ in params]
        last = None if self.layers[0]['className'] == 'InputLayer' else X.pop(0)
        for l in self.layers:
            name, owner = l.get('name'), named[l['shares']] if 'shares' in l else l
            if owner['className'] == 'InputLayer': x = X.pop(0)
            else:
                xs = [values[s] for s in l['from']] if 'from' in l else [last]
                ends = name in self.outputs if self.outputs else l is self.layers[-1]
                x = self.apply(owner, xs, params, taps, ends)
            values[name] = last = x
        return (torch.cat([values[o] for o in self.outputs], -1) if self.outputs else last), taps

    def apply(self, l, xs, params, taps, ends):
        if not self.owned[id(l)]: return plain(l, xs)
        x, first = xs[0], l.get('dataFormat') == 'channelsFirst'
        if first: x = x.movedim(1, -1)
        for i in self.owned[id(l)]:
            block, W = self.blocks[i], params[i]
            if block.kind == 'diagonal': return scaled(l, x, W)
            a, space = inputs_of(block.layer, x)
            if block.bias: a = torch.cat([a, torch.ones(*a.shape[:-1], 1)], -1)
            z = (a[:, :, 0] @ W)[:, :, None] if block.groups == 1 else torch.einsum('btpn,pnm->btpm', a, W.reshape(block.groups, block.n, block.m))
            taps[i].append((a, z))
            x = z.reshape(z.shape[0], *space, -1)               # column q of group p gives output channel p * m + q
        act = l.get('activation', 'linear')
        if not (ends and act in ('softmax', 'sigmoid')): x = ACT[act](x)
        return x.movedim(-1, 1) if first else x
