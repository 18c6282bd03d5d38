"""Reference values for Kronecker-factored Laplace, computed the slow and obvious way in float64.

Every quantity is built from its definition: per-example Jacobians and gradients by autograd, Kronecker products
materialised, precisions inverted densely. Nothing here is fast, and nothing is shared with the library it checks.

    pip install torch numpy            # add laplace-torch for --peer
    python generate.py OUT_DIR [--seed S] [--peer]

The documents of this folder: python __tests__/reference/generate.py __tests__/reference --peer, from the root of the repository.
Then npm run reference -- OUT_DIR compares the library with them.

Orientation is TensorFlow.js's: dense kernels [in, out], conv kernels [h, w, in, out], images NHWC, and vec(W) is row-major
(input index slow, output index fast), so one layer's curvature is N * kron(A, G). With a bias, the kernel's last row is
the bias and A has a trailing homogeneous coordinate.
"""
import argparse, json, math, pathlib
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
ACT = {'linear': lambda z: z, 'tanh': torch.tanh, 'relu': torch.relu, 'sigmoid': torch.sigmoid,
       'elu': F.elu, 'softplus': F.softplus}


def patches(x, spec):
    """im2col in TensorFlow's order: [B, T, h*w*c] with T output positions, patch index (row, column, channel)."""
    h, w = spec['kernelSize']; s = spec.get('strides', 1)
    if spec.get('padding', 'valid') == 'same':
        H, W = x.shape[1:3]
        ph = max((math.ceil(H / s) - 1) * s + h - H, 0); pw = max((math.ceil(W / s) - 1) * s + w - W, 0)
        x = F.pad(x, (0, 0, pw // 2, pw - pw // 2, ph // 2, ph - ph // 2))
    u = x.unfold(1, h, s).unfold(2, w, s)                      # [B, oh, ow, c, h, w]
    oh, ow = u.shape[1:3]
    return u.permute(0, 1, 2, 4, 5, 3).reshape(x.shape[0], oh * ow, -1), (oh, ow)


class Net:
    """A chain of layers; forward keeps, for every Bayesian layer, its inputs a and a differentiable pre-activation z."""

    def __init__(self, layers, gen):
        self.layers, self.params = layers, []
        for l in layers:
            if l['className'] == 'Dense': n, m = l['inputs'], l['units']
            elif l['className'] == 'Conv2D': n, m = l['kernelSize'][0] * l['kernelSize'][1] * l['channels'], l['filters']
            else: continue
            W = torch.randn(n, m, generator=gen) / math.sqrt(n)
            if l['useBias']: W = torch.cat([W, 0.3 * torch.randn(1, m, generator=gen)])
            self.params.append(W)

    def forward(self, x, params):
        i, taps = 0, []
        for l in self.layers:
            c = l['className']
            if c in ('Dense', 'Conv2D'):
                shape = None
                if c == 'Conv2D': a, shape = patches(x, l)
                else: a = x
                if l['useBias']: a = torch.cat([a, torch.ones(*a.shape[:-1], 1)], -1)
                z = a @ params[i]; i += 1
                taps.append((a, z, l['activation']))
                link = l is self.layers[-1] and l['activation'] in ('softmax', 'sigmoid')   # left out: x are logits at the end
                x = z if link else ACT[l['activation']](z)
                if shape: x = x.reshape(x.shape[0], *shape, -1)
            elif c == 'Flatten': x = x.reshape(x.shape[0], -1)
            elif c == 'GlobalAveragePooling1D': x = x.mean(1)
            elif c == 'GlobalAveragePooling2D': x = x.mean((1, 2))
            else: raise ValueError(c)
        return x, taps                                          # x: logits (no softmax / sigmoid at the end)


def nll(f, y, lik, s2):
    if lik == 'categorical': return F.cross_entropy(f, y, reduction='none')
    if lik == 'bernoulli': return F.binary_cross_entropy_with_logits(f, y, reduction='none').sum(-1)
    if lik == 'heteroscedastic':                               # outputs: means, then log variances
        mean, logvar = f.chunk(2, -1); return 0.5 * ((y - mean) ** 2 / logvar.exp() + logvar + math.log(2 * math.pi)).sum(-1)
    v = torch.as_tensor(s2) * torch.ones(f.shape[-1])           # one noise variance, or one per output
    return (0.5 * (f - y) ** 2 / v + 0.5 * torch.log(2 * math.pi * v)).sum(-1)


def hessian_root(f, lik, s2):
    """Columns lambda_c with sum_c lambda_c lambda_c^T = Hessian of the NLL in f. [B, C, columns]"""
    C = f.shape[-1]
    if lik == 'categorical':
        p = f.softmax(-1); return (torch.eye(C) - p[:, :, None]) * p[:, None, :].sqrt()
    if lik == 'bernoulli':
        p = f.sigmoid(); return torch.diag_embed((p * (1 - p)).sqrt())
    if lik == 'heteroscedastic':                               # the Fisher in (mean, log variance)
        mean, logvar = f.chunk(2, -1); return torch.diag_embed(torch.cat([(-0.5 * logvar).exp(), torch.full_like(mean, math.sqrt(0.5))], -1))
    return torch.diag((torch.as_tensor(s2) * torch.ones(C)).rsqrt()).expand(f.shape[0], C, C)


def share(a, g, approx):
    """Weight sharing (Eschenhagen et al. 2023): a [B, T, n], g [B, T, m] -> rows whose outer products are averaged."""
    if a.dim() == 2: return a, g
    T = a.shape[1]
    if approx == 'expand': return a.reshape(-1, a.shape[-1]), g.reshape(-1, g.shape[-1])
    return a.mean(1), g.sum(1)


def factors(net, X, y, lik, s2, kind, approx):
    N = X.shape[0]
    P = [p.clone().requires_grad_() for p in net.params]
    f, taps = net.forward(X, P)
    zs = [z for _, z, _ in taps]
    if kind == 'empirical': columns = [torch.autograd.grad(nll(f, y, lik, s2).sum(), zs, retain_graph=True)]
    else:
        L = hessian_root(f, lik, s2).detach()
        columns = [torch.autograd.grad((f * L[:, :, c]).sum(), zs, retain_graph=True) for c in range(L.shape[2])]
    out = []
    for i, (a, z, _) in enumerate(taps):
        A = G = 0.
        for k, gs in enumerate(columns):
            ra, rg = share(a.detach(), gs[i], approx)
            if k == 0: A = ra.T @ ra / ra.shape[0]
            # expand: G is the SUM over positions and the mean over examples, so that N * kron(A, G) has the right scale
            G = G + rg.T @ rg / N
        out.append((A, G))
    return out


def kfra(net, X, lik, s2):
    with torch.no_grad():
        f, taps = net.forward(X, net.params)
        L = hessian_root(f, lik, s2)
        H = (L @ L.transpose(1, 2)).mean(0)
    dense = [l for l in net.layers if l['className'] == 'Dense']
    out = []
    for i in reversed(range(len(taps))):
        a, z, act = taps[i]
        if i < len(taps) - 1:
            zz = z.detach().clone().requires_grad_()
            d = torch.autograd.grad(ACT[act](zz).sum(), zz)[0]
            W = net.params[i + 1]; W = W[:-1] if dense[i + 1]['useBias'] else W
            H = (W @ H @ W.T) * (d.T @ d / d.shape[0])
        out.append((a.T @ a / a.shape[0], H))
    return [(A.detach(), G.detach()) for A, G in reversed(out)]


def sym_root(M):
    w, V = torch.linalg.eigh(M); return V @ torch.diag(w.clamp_min(0).sqrt()) @ V.T


def covariances(fs, N, tau, damping):
    out = []
    for A, G in fs:
        n, m = A.shape[0], G.shape[0]
        if damping == 'exact': Pm = N * torch.kron(A, G) + tau * torch.eye(n * m)
        else: Pm = torch.kron(math.sqrt(N) * A + math.sqrt(tau) * torch.eye(n), math.sqrt(N) * G + math.sqrt(tau) * torch.eye(m))
        out.append(torch.linalg.inv(Pm))
    return out


def output_covariance(net, X, covs):
    """[B, C, C]: sum over layers of J C J^T, J by autograd, example by example."""
    out = []
    for x in X:
        P = [p.clone().requires_grad_() for p in net.params]
        f, _ = net.forward(x[None], P); f = f[0]
        Js = [torch.stack([torch.autograd.grad(f[c], P, retain_graph=True)[i].reshape(-1) for c in range(len(f))]) for i in range(len(P))]
        out.append(sum(J @ C @ J.T for J, C in zip(Js, covs)))
    return torch.stack(out)


def evidence(net, X, y, lik, s2, fs, N, tau):
    f, _ = net.forward(X, net.params)
    ll = -nll(f, y, lik, s2).sum()
    quad = sum((p ** 2).sum() for p in net.params) * tau
    ratio = sum(torch.linalg.slogdet(N * torch.kron(A, G) + tau * torch.eye(A.shape[0] * G.shape[0]))[1]
                - A.shape[0] * G.shape[0] * math.log(tau) for A, G in fs)
    return {'logLikelihood': ll.item(), 'logDetRatio': ratio.item(), 'scatter': quad.item(),
            'logMarginalLikelihood': (ll - 0.5 * (ratio + quad)).item()}


def probit(f, cov, lik):
    if lik == 'categorical':
        return (f / (1 + math.pi / 8 * torch.diagonal(cov, dim1=1, dim2=2)).sqrt()).softmax(-1)
    return (f / (1 + math.pi / 8 * torch.diagonal(cov, dim1=1, dim2=2)).sqrt()).sigmoid()


def dense(i, o, act, bias=True): return dict(className='Dense', inputs=i, units=o, activation=act, useBias=bias)
def conv(c, f, k, act, bias=True, **kw): return dict(className='Conv2D', channels=c, filters=f, kernelSize=k, activation=act, useBias=bias, **kw)


CASES = {
    'dense_categorical': dict(lik='categorical', shape=[5], C=3, layers=[dense(5, 7, 'tanh'), dense(7, 6, 'tanh'), dense(6, 3, 'softmax')]),
    'dense_categorical_no_bias': dict(lik='categorical', shape=[4], C=3, layers=[dense(4, 6, 'tanh', False), dense(6, 3, 'softmax', False)]),
    'dense_gaussian': dict(lik='gaussian', shape=[3], C=2, s2=0.3, layers=[dense(3, 8, 'relu'), dense(8, 2, 'linear')]),
    'dense_gaussian_vector_noise': dict(lik='gaussian', shape=[3], C=2, s2=[0.3, 1.4], layers=[dense(3, 5, 'tanh'), dense(5, 2, 'linear')]),
    'dense_heteroscedastic': dict(lik='heteroscedastic', shape=[3], C=4, layers=[dense(3, 7, 'tanh'), dense(7, 4, 'linear')]),
    'linear_gaussian': dict(lik='gaussian', shape=[4], C=2, s2=0.5, layers=[dense(4, 2, 'linear')]),
    'dense_bernoulli': dict(lik='bernoulli', shape=[4], C=1, layers=[dense(4, 6, 'elu'), dense(6, 1, 'sigmoid')]),
    'conv_categorical': dict(lik='categorical', shape=[6, 5, 2], C=3, layers=[
        conv(2, 4, [3, 3], 'tanh', padding='same', strides=1), conv(4, 3, [2, 2], 'relu', padding='valid', strides=2),
        dict(className='Flatten'), dense(18, 3, 'softmax')]),
    'sequence_categorical': dict(lik='categorical', shape=[5, 3], C=4, layers=[
        dense(3, 6, 'tanh'), dict(className='GlobalAveragePooling1D'), dense(6, 4, 'softmax')]),
    'dense_bernoulli_many': dict(lik='bernoulli', shape=[4], C=3, layers=[dense(4, 6, 'elu'), dense(6, 3, 'linear')]),
}


def build(name, spec, seed, N=40, B=6, tau=2.0, peer=False):
    gen = torch.Generator().manual_seed(seed)
    net = Net(spec['layers'], gen)
    lik, s2, C = spec['lik'], spec.get('s2', 1.0), spec['C']
    X = torch.randn(N, *spec['shape'], generator=gen); Xt = 1.5 * torch.randn(B, *spec['shape'], generator=gen)
    if lik == 'categorical': y = torch.randint(C, (N,), generator=gen)
    elif lik == 'bernoulli': y = torch.randint(2, (N, C), generator=gen).double()
    else: y = torch.randn(N, C // 2 if lik == 'heteroscedastic' else C, generator=gen)
    shared = any(l['className'] in ('Conv2D', 'GlobalAveragePooling1D', 'GlobalAveragePooling2D') for l in spec['layers'])
    ft, _ = net.forward(Xt, net.params)
    doc = dict(name=name, likelihood=lik, noiseVariance=s2 if lik == 'gaussian' else None, priorPrecision=tau, datasetSize=N,
               layers=spec['layers'], weights=[p.tolist() for p in net.params], x=X.tolist(), y=y.tolist(), xTest=Xt.tolist(),
               outputsTest=ft.tolist(), curvatures=[])
    todo = [(k, a) for k in ('exact', 'empirical') for a in (('expand', 'reduce') if shared else ('expand',))]
    if not shared: todo.append(('kfra', 'expand'))
    for kind, approx in todo:
        fs = kfra(net, X, lik, s2) if kind == 'kfra' else factors(net, X, y, lik, s2, kind, approx)
        row = dict(kind=kind, weightSharing=approx, factors=[dict(A=A.tolist(), G=G.tolist()) for A, G in fs],
                   evidence=evidence(net, X, y, lik, s2, fs, N, tau), outputCovariance={}, probit={})
        for damping in ('exact', 'factored'):
            cov = output_covariance(net, Xt, covariances(fs, N, tau, damping))
            row['outputCovariance'][damping] = cov.tolist()
            if lik in ('categorical', 'bernoulli'): row['probit'][damping] = probit(ft, cov, lik).tolist()
        doc['curvatures'].append(row)
    if peer: doc['laplaceTorch'] = peer_values(net, spec, X, y, Xt, lik, s2, tau)
    return doc


def peer_values(net, spec, X, y, Xt, lik, s2, tau):
    """The same posterior from laplace-torch (kron, all weights): only where it has no bias, which it factors separately."""
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset
    from laplace import Laplace
    from laplace.curvature import CurvlinopsGGN
    mods = []
    for l, p in zip(spec['layers'], net.params):
        lin = nn.Linear(l['inputs'], l['units'], bias=False); lin.weight.data = p.T.contiguous().clone(); mods.append(lin)
        if l['activation'] == 'tanh': mods.append(nn.Tanh())
    la = Laplace(nn.Sequential(*mods), 'classification', subset_of_weights='all', hessian_structure='kron', backend=CurvlinopsGGN, prior_precision=tau)
    la.fit(DataLoader(TensorDataset(X, y), batch_size=len(X)))
    f, v = la._glm_predictive_distribution(Xt)
    return dict(logMarginalLikelihood=la.log_marginal_likelihood().item(), outputCovariance=v.tolist(),
                probit=la(Xt, pred_type='glm', link_approx='probit').tolist())


if __name__ == '__main__':
    ap = argparse.ArgumentParser(); ap.add_argument('out'); ap.add_argument('--seed', type=int, default=1); ap.add_argument('--peer', action='store_true')
    a = ap.parse_args(); out = pathlib.Path(a.out); out.mkdir(parents=True, exist_ok=True)
    for k, (name, spec) in enumerate(CASES.items()):
        doc = build(name, spec, a.seed * 100 + k, peer=a.peer and name.endswith('no_bias'))
        (out / f'{name}.json').write_text(json.dumps(doc))
        print(name, {(c['kind'], c['weightSharing']): round(c['evidence']['logMarginalLikelihood'], 6) for c in doc['curvatures']}, doc.get('laplaceTorch', {}).get('logMarginalLikelihood', ''))
