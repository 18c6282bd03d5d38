"""Computes reference values for Kronecker-factored Laplace in float64, in the slow and obvious way.

Every quantity is computed from its definition: per-example Jacobians and gradients by autograd, Kronecker products as
whole matrices, and dense inverses of the precisions. The code is not fast, and shares nothing with the library that it
checks. README.md states the definitions and the fields of the documents. check.py checks this generator.

    pip install torch==2.13.0 numpy    # add laplace-torch for --peer
    python generate.py OUT_DIR [--seed S] [--peer] [--only NAME ...]

To regenerate the documents of this folder, run python __tests__/reference/generate.py __tests__/reference from the root of the
repository. Without --peer, a document keeps the values of laplace-torch that it has. Then npm run reference -- OUT_DIR compares
the library with the documents.

The orientation is that of TensorFlow.js: dense kernels [in, out], convolution kernels [h, w, in, out], images NHWC. vec(W) is
row-major: the output index runs fastest. So the curvature of a layer is N * kron(A, G). The bias of a layer is the last row of
its matrix W, and its inputs a have a trailing 1.
"""
import argparse, json, pathlib
import torch

torch.set_default_dtype(torch.float64)
from cases import CASES, FIRST
from curvature import determined, diagonal, ekfac, evidence, full, kfra, kronecker, output_covariance
from likelihood import draw, probit
from network import Net

LARGEST_FULL = 64   # most weights for which F is stated: for a larger network F would be most of its document


def inputs(spec, count, gen, scale=1):
    """One array for each input of the network. It holds ids if the case has a vocabulary, and normal numbers otherwise."""
    shapes = [l['shape'] for l in spec['layers'] if l.get('className') == 'InputLayer'] or [spec['shape']]
    if 'ids' in spec: return [torch.randint(spec['ids'], (count, *s), generator=gen) for s in shapes]
    return [scale * torch.randn(count, *s, generator=gen) for s in shapes]


def one(values, many): return [v.tolist() for v in values] if many else values[0].tolist()


def written(block, row):
    """The factors of a block as a document states them. Only for a depthwise convolution are A and G lists of matrices, one a group."""
    grouped = block.layer['className'] == 'DepthwiseConv2D'
    return {k: [M.tolist() for M in v] if grouped and k != 'D' else (v[0] if isinstance(v, list) else v).tolist() for k, v in row.items()}


def build(name, spec, seed, N=40, B=6, tau=2.0, peer=False):
    gen = torch.Generator().manual_seed(seed)
    outputs = spec.get('outputs')
    net = Net(spec['layers'], outputs or [], gen)
    liks, noises, Cs = ([spec['lik']], [spec.get('s2', 1.0)], [spec['C']]) if outputs is None else (spec['lik'], spec['s2'], spec['C'])
    heads = list(zip(liks, noises, Cs))
    X, Xt = inputs(spec, N, gen), inputs(spec, B, gen, 1.5)
    y = [draw(lik, N, C, gen) for lik, _, C in heads]
    w = torch.tensor([0.5, 1., 2., 3., 0.])[torch.randint(5, (N,), generator=gen)] if spec.get('weighted') else torch.ones(N)
    count = w.sum().item() if spec.get('weighted') else N
    ft, taps = net.forward(Xt, net.params)
    shared = any(sum(a.shape[1] for a, _ in uses) > 1 for uses in taps)
    chain = all(l.get('className') == 'Dense' for l in spec['layers'])
    noise = [v if lik == 'gaussian' else None for lik, v, _ in heads]
    doc = dict(name=name, likelihood=liks[0] if outputs is None else liks, noiseVariance=noise[0] if outputs is None else noise,
               priorPrecision=tau, datasetSize=count, layers=spec['layers'], **({} if outputs is None else dict(outputs=outputs)),
               weights=[p.tolist() for p in net.params], x=one(X, len(X) > 1), y=one(y, len(y) > 1),
               **(dict(exampleWeights=w.tolist()) if spec.get('weighted') else {}),
               xTest=one(Xt, len(X) > 1), outputsTest=ft.tolist(), curvatures=[])
    sharings = ('expand', 'reduce') if shared else ('expand',)
    todo = [(k, a) for k in ('exact', 'empirical') for a in sharings]
    if chain and not shared: todo.append(('kfra', 'expand'))
    data = (net, X, y, heads, w)
    if name not in FIRST: todo += [('ekfac', a) for a in sharings if determined(*data, a)] + [('diagonal', 'expand'), ('full', 'expand')]
    for kind, sharing in todo:
        if kind == 'kfra': rows = kfra(net, X, heads, w)
        elif kind == 'ekfac': rows = ekfac(*data, sharing)
        elif kind == 'diagonal': rows = diagonal(*data)
        elif kind == 'full': rows = full(*data)
        else: rows = kronecker(*data, kind, sharing)
        factors = [written(b, r) for b, r in zip(net.blocks, rows)]
        if kind == 'full' and len(rows[0]['F']) > LARGEST_FULL: factors = []
        row = dict(kind=kind, weightSharing=sharing, factors=factors, evidence=evidence(*data, rows, count, tau), outputCovariance={}, probit={})
        for damping in ('exact', 'factored') if kind in ('exact', 'empirical', 'kfra') else ('exact',):
            cov = output_covariance(net, Xt, rows, count, tau, damping)
            row['outputCovariance'][damping] = cov.tolist()
            if liks[0] in ('categorical', 'bernoulli') and outputs is None: row['probit'][damping] = probit(ft, cov, liks[0]).tolist()
        doc['curvatures'].append(row)
    if peer: doc['laplaceTorch'] = peer_values(net, X[0], y[0], Xt[0], tau)
    return doc


def peer_values(net, X, y, Xt, tau):
    """The same posterior from laplace-torch (kron, all weights). Only for networks without biases, which laplace-torch factors separately."""
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset
    from laplace import Laplace
    from laplace.curvature import CurvlinopsGGN
    mods = []
    for l, p in zip(net.layers, net.params):
        lin = nn.Linear(l['inputs'], l['units'], bias=False); lin.weight.data = p.T.contiguous().clone(); mods.append(lin)
        if l['activation'] == 'tanh': mods.append(nn.Tanh())
    la = Laplace(nn.Sequential(*mods), 'classification', subset_of_weights='all', hessian_structure='kron', backend=CurvlinopsGGN, prior_precision=tau)
    la.fit(DataLoader(TensorDataset(X, y), batch_size=len(X)))
    f, v = la._glm_predictive_distribution(Xt)
    return dict(logMarginalLikelihood=la.log_marginal_likelihood().item(), outputCovariance=v.tolist(),
                probit=la(Xt, pred_type='glm', link_approx='probit').tolist())


if __name__ == '__main__':
    ap = argparse.ArgumentParser(); ap.add_argument('out'); ap.add_argument('--seed', type=int, default=1); ap.add_argument('--peer', action='store_true')
    ap.add_argument('--only', nargs='*')
    a = ap.parse_args(); out = pathlib.Path(a.out); out.mkdir(parents=True, exist_ok=True)
    for k, (name, spec) in enumerate(CASES.items()):
        if a.only and name not in a.only: continue
        path, peer = out / f'{name}.json', name.endswith('no_bias')
        doc = build(name, spec, a.seed * 100 + k, peer=a.peer and peer)
        if peer and not a.peer and path.exists():               # if all else is the same, the document keeps its values of laplace-torch
            before = json.loads(path.read_text()); values = before.pop('laplaceTorch', None)
            if values is not None and before == json.loads(json.dumps(doc)): doc['laplaceTorch'] = values
        path.write_text(json.dumps(doc))
        print(name, {(c['kind'], c['weightSharing']): round(c['evidence']['logMarginalLikelihood'], 6) for c in doc['curvatures']}, doc.get('laplaceTorch', {}).get('logMarginalLikelihood', ''))
