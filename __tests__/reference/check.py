"""Checks the generator against torch's own layers, against finite differences, and by identities that the definitions imply.

    python check.py        # prints the largest error of each check; exits with 1 when one is above its tolerance
"""
import math, sys
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
from cases import CASES, conv, dense, embedding, again, given, plain, reads
from curvature import dense as matrix, diagonal, ekfac, full, gradients, jacobians, kronecker
from generate import inputs
from layers import ACT
from likelihood import draw
from network import Net

FAILED = []


def report(name, error, tolerance):
    print(f'{"ok    " if error <= tolerance else "FAILED"} {name:<58} {error:.1e}')
    if not error <= tolerance: FAILED.append(name)


def far(a, b): return ((a - b).abs().max() / b.abs().max().clamp_min(1e-300)).item()


def setting(spec, N=8, seed=5):
    gen = torch.Generator().manual_seed(seed)
    many = 'outputs' in spec
    liks, noises, Cs = (spec['lik'], spec['s2'], spec['C']) if many else ([spec['lik']], [spec.get('s2', 1.)], [spec['C']])
    net = Net(spec['layers'], spec.get('outputs', []), gen)
    X = inputs(spec, N, gen)
    return net, X, [draw(lik, N, C, gen) for lik, C in zip(liks, Cs)], list(zip(liks, noises, Cs))


# --- forward passes by torch's own layers -------------------------------------------------------------------------------------

def padded(x, l, size, strides, dilation):
    if l.get('padding') != 'same': return x
    pads = []
    for L, k, s, r in reversed(list(zip(x.shape[2:], size, strides, dilation))):
        total = max((-(-L // s) - 1) * s + (k - 1) * r + 1 - L, 0); pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def torch_layer(l, x, Ws):
    """Computes layer l with torch.nn.functional, with channels first inside. Ws are the matrices of its blocks."""
    c = l['className']
    if c == 'Dense': return F.linear(x, Ws[0][:l['inputs']].T, Ws[0][-1] if l['useBias'] else None)
    if c == 'Embedding': return F.embedding(x.long(), Ws[0])
    if c == 'LayerNormalization': return F.layer_norm(x, x.shape[-1:], Ws[0][0], Ws[0][1], 1e-3)
    x = x if l.get('dataFormat') == 'channelsFirst' else x.movedim(-1, 1)
    if c == 'BatchNormalization':
        return F.batch_norm(x, torch.tensor(l['movingMean']), torch.tensor(l['movingVariance']), Ws[0][0], Ws[0][1], eps=1e-3).movedim(1, -1)
    size, d = l['kernelSize'], len(l['kernelSize'])
    strides, dilation = [v if isinstance(v, list) else [v] * d for v in (l.get('strides', 1), l.get('dilationRate', 1))]
    bias = lambda W: W.reshape(l['channels'], -1, W.shape[1])[:, -1].reshape(-1) if c == 'DepthwiseConv2D' else W[-1]
    if c in ('DepthwiseConv2D', 'SeparableConv2D'):
        K = Ws[0].reshape(l['channels'], -1, l['depthMultiplier'])[:, :math.prod(size)]        # [P, taps, q]
        K = K.transpose(1, 2).reshape(-1, 1, *size)
        z = F.conv2d(padded(x, l, size, strides, dilation), K, bias(Ws[0]) if c == 'DepthwiseConv2D' and l['useBias'] else None, strides, groups=l['channels'])
        if c == 'SeparableConv2D': z = F.conv2d(z, Ws[1][:z.shape[1]].T[:, :, None, None], Ws[1][-1])
    elif c == 'Conv2DTranspose':
        K = Ws[0][:-1].reshape(*size, l['channels'], l['filters']).permute(2, 3, 0, 1)
        z = F.conv_transpose2d(x, K, None, strides)
        out = [L * s if l.get('padding') == 'same' else L * s + max(k - s, 0) for L, k, s in zip(x.shape[2:], size, strides)]
        for i, (o, k, s) in enumerate(zip(out, size, strides)):
            z = z.narrow(2 + i, max(k - s, 0) // 2 if l.get('padding') == 'same' else 0, o)
        z = z + Ws[0][-1][None, :, None, None]
    else:
        n = math.prod(size) * l['channels']
        K = Ws[0][:n].reshape(*size, l['channels'], l['filters']).permute(d + 1, d, *range(d))
        z = [F.conv1d, F.conv2d, F.conv3d][d - 1](padded(x, l, size, strides, dilation), K, Ws[0][n] if l['useBias'] else None, strides, 0, dilation)
    return z if l.get('dataFormat') == 'channelsFirst' else z.movedim(1, -1)


def check_layers():
    for name, spec in CASES.items():
        net, X, _, _ = setting(spec)
        error, original = 0., net.apply

        def apply(l, xs, params, taps, ends):
            nonlocal error
            ours = original(l, xs, params, taps, ends)
            if net.owned[id(l)]:
                act = l.get('activation', 'linear')
                theirs = torch_layer(l, xs[0], [params[i] for i in net.owned[id(l)]])
                error = max(error, far(ours, theirs if ends and act in ('softmax', 'sigmoid') else ACT[act](theirs)))
            return ours
        net.apply = apply
        net.forward(X, net.params)
        report(f'{name}: layers of torch', error, 1e-12)


# --- Jacobians by central differences -------------------------------------------------------------------------------------------

def check_jacobians(h=1e-6):
    for name, spec in CASES.items():
        net, X, _, _ = setting(spec, N=2)
        error = 0.
        for i in range(len(net.params)):
            flat, columns = net.params[i].reshape(-1), []
            for j in range(flat.shape[0]):
                ends = []
                for sign in (1, -1):
                    moved = flat.clone(); moved[j] += sign * h
                    P = list(net.params); P[i] = moved.reshape(net.params[i].shape)
                    ends.append(net.forward(X, P)[0])
                columns.append((ends[0] - ends[1]) / (2 * h))
            J = torch.stack(columns, -1)                        # [B, C, size]
            error = max(error, far(torch.stack([J_b[i] for _, J_b in jacobians(net, X)]), J))
        report(f'{name}: Jacobians by differences', error, 1e-6)


# --- identities ---------------------------------------------------------------------------------------------------------------

def block_of(net, F_all):
    """Yields the diagonal block of the full curvature for each block of weights."""
    at = 0
    for p in net.params:
        yield F_all[at:at + p.numel(), at:at + p.numel()]; at += p.numel()


def check_identities():
    for name, spec in CASES.items():
        net, X, y, heads = setting(spec)
        w = torch.ones(8)
        blocks = list(block_of(net, full(net, X, y, heads, w)[0]['F']))
        report(f'{name}: diagonal of the full curvature', max(far(matrix(r), torch.diag(torch.diagonal(B))) for r, B in zip(diagonal(net, X, y, heads, w), blocks)), 1e-12)
        trace, further = 0., 0.
        groups = [torch.block_diag(*[torch.ones(b.n * b.m, b.n * b.m) for _ in range(b.groups)]) if b.kind != 'diagonal' else torch.ones(2 * b.m, 2 * b.m) for b in net.blocks]
        for sharing in ('expand', 'reduce'):
            for e, k, B, mask in zip(ekfac(net, X, y, heads, w, sharing), kronecker(net, X, y, heads, w, 'exact', sharing), blocks, groups):
                trace = max(trace, abs(torch.trace(matrix(e)) / torch.trace(B) - 1).item())
                further = max(further, ((matrix(e) - B * mask).norm() / (matrix(k) - B * mask).norm().clamp_min(1e-12)).item())
        report(f'{name}: ekfac keeps the trace', trace, 1e-12)
        report(f'{name}: ekfac / exact, distance from the GGN', further, 1 + 1e-9)
        twice = [0, 1, 1, 2, 4, 4, 4, 5]                        # multiplicities 1, 2, 1, 0, 3, 1, 0, 0
        w = torch.tensor([1., 2., 1., 0., 3., 1., 0., 0.])
        X2, y2 = [x[twice] for x in X], [v[twice] for v in y]
        error = 0.
        for kind in ('exact', 'empirical'):
            for a, b in zip(kronecker(net, X, y, heads, w, kind, 'expand'), kronecker(net, X2, y2, heads, torch.ones(8), kind, 'expand')):
                error = max(error, far(matrix(a), matrix(b)))
        report(f'{name}: a weight is a multiplicity', error, 1e-12)


LINEAR = {   # cases in which a weight sharing gives the block's GGN exactly: the gradients g are the same at every position and example
    'linear convolution, pooled': ('reduce', dict(lik='gaussian', s2=.3, C=2, shape=[4, 3, 2], layers=[
        conv(2, 3, [2, 2], 'linear', padding='same'), plain('GlobalAveragePooling2D'), dense(3, 2)])),
    'linear layer used twice, added': ('reduce', dict(lik='gaussian', s2=.3, C=2, layers=[
        given('l', [3]), given('r', [3]), reads(dense(3, 4, name='d'), 'l'), again('e', 'd', 'r'), reads(plain('Add', name='s'), 'd', 'e'), dense(4, 2)])),
    'linear layer used twice, side by side': ('expand', dict(lik='gaussian', s2=.3, C=4, layers=[
        given('l', [3]), given('r', [3]), reads(dense(3, 2, name='d'), 'l'), again('e', 'd', 'r'), reads(plain('Concatenate', name='s'), 'd', 'e')])),
    'embedding of one id': ('expand', dict(lik='gaussian', s2=.3, C=2, shape=[1], ids=4, layers=[embedding(4, 3), plain('Flatten'), dense(3, 2)])),
    'linear dense chain': ('expand', dict(lik='gaussian', s2=.3, C=2, shape=[3], layers=[dense(3, 4), dense(4, 2)])),
}


def check_exact():
    for name, (sharing, spec) in LINEAR.items():
        net, X, y, heads = setting(spec)
        w = torch.rand(8, generator=torch.Generator().manual_seed(2))
        blocks = block_of(net, full(net, X, y, heads, w)[0]['F'])
        report(f'{name}: {sharing} is the GGN', max(far(matrix(k), B) for k, B in zip(kronecker(net, X, y, heads, w, 'exact', sharing), blocks)), 1e-12)


def check_poisson(h=1e-4):
    """Checks the NLL against torch.distributions, and the root of the Hessian against second differences of the NLL."""
    from likelihood import head_nll, head_root
    f, y = torch.tensor([[0.3, -0.7]]), torch.tensor([[2., 0.]])
    report('poisson: NLL of torch.distributions', far(head_nll(f, y, 'poisson', None), -torch.distributions.Poisson(f.exp()).log_prob(y).sum(-1)), 1e-12)
    second = [(head_nll(f + d, y, 'poisson', None) - 2 * head_nll(f, y, 'poisson', None) + head_nll(f - d, y, 'poisson', None)) / h ** 2 for d in h * torch.eye(2)]
    report('poisson: Hessian by differences', far((head_root(f, 'poisson', None) ** 2).sum(-1)[0], torch.cat(second)), 1e-6)


def check_taps():
    """Checks shared weights: the sum of a gᵀ over positions and uses of a layer equals the gradient in its matrix by autograd."""
    for name, spec in CASES.items():
        net, X, y, heads = setting(spec)
        P = [p.clone().requires_grad_() for p in net.params]
        f, taps = net.forward(X, P)
        zs = [z for uses in taps for _, z in uses]
        gs, at, error = torch.autograd.grad(f[:, 0].sum(), zs, retain_graph=True), 0, 0.
        whole = torch.autograd.grad(f[:, 0].sum(), P, allow_unused=True)
        for block, uses, W in zip(net.blocks, taps, whole):
            if block.kind == 'diagonal': continue
            total = sum(torch.einsum('btpn,btpm->pnm', a, g) for (a, _), g in zip(uses, gs[at:at + len(uses)])); at += len(uses)
            if W is not None: error = max(error, far(total.reshape(W.shape), W))
        report(f'{name}: a and g make the gradient', error, 1e-12)


if __name__ == '__main__':
    for check in (check_layers, check_taps, check_jacobians, check_identities, check_exact, check_poisson): check()
    print(f'{len(FAILED)} failed', *FAILED, sep='\n  ')
    sys.exit(1 if FAILED else 0)
