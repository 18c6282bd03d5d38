"""Curvatures of a network's blocks, computed from their definitions. w holds the weight of each example; N is the sum of w."""
import math
import torch
from layers import ACT
from likelihood import hessian_root, nll


def share(a, g, sharing):
    """Weight sharing (Eschenhagen et al. 2023). From a [B, T, n] and g [B, T, m] it makes the rows whose outer products are averaged:
    [B T, n] and [B T, m] for expand, [B, n] and [B, m] for reduce."""
    if sharing == 'expand': return a.reshape(-1, a.shape[-1]), g.reshape(-1, g.shape[-1])
    return a.mean(1), g.sum(1)


# The weighted sum of the outer products of the rows, divided by total. rows has one or more rows for each example.
def gram(rows, w, total): return (rows * w.repeat_interleave(rows.shape[0] // w.shape[0])[:, None]).T @ rows / total


def kronecker(net, X, y, heads, w, fisher, sharing):
    """A and G for every group of every block (for an embedding the diagonal of A), and D for a scale and shift."""
    N = w.sum()
    P = [p.clone().requires_grad_() for p in net.params]
    f, taps = net.forward(X, P)
    zs = [z for uses in taps for _, z in uses]
    if fisher == 'empirical': columns = [torch.autograd.grad(nll(f, y, heads).sum(), zs, retain_graph=True)]
    else:
        L = hessian_root(f, heads).detach()
        columns = [torch.autograd.grad((f * L[:, :, c]).sum(), zs, retain_graph=True) for c in range(L.shape[2])]
    squares = diagonal(net, X, y, heads, w, fisher) if any(b.kind == 'diagonal' for b in net.blocks) else None
    out, at = [], 0
    for i, (block, uses) in enumerate(zip(net.blocks, taps)):
        if block.kind == 'diagonal': out.append(squares[i]); continue
        how = 'expand' if block.kind == 'embedding' else sharing
        a = torch.cat([a.detach() for a, _ in uses], 1)         # every use of a layer adds positions
        As, Gs = [], []
        for p in range(block.groups):
            A = G = 0.
            for k, gs in enumerate(columns):
                g = torch.cat(gs[at:at + len(uses)], 1)
                ra, rg = share(a[:, :, p], g[:, :, p], how)
                if k == 0: A = gram(ra, w, N * (ra.shape[0] // w.shape[0]))
                # G is the sum over positions and the mean over examples. A is the mean over both, so that N kron(A, G) has the right scale
                G = G + gram(rg, w, N)
            As.append(torch.diagonal(A) if block.kind == 'embedding' else A); Gs.append(G)
        at += len(uses)
        out.append(dict(A=As, G=Gs))
    return out


def kfra(net, X, heads, w):
    """A and H by the recursion of Botev et al. (2017), for chains of dense layers only."""
    with torch.no_grad():
        f, taps = net.forward(X, net.params)
        L = hessian_root(f, heads)
        H = (w[:, None, None] * (L @ L.transpose(1, 2))).sum(0) / w.sum()
    out = []
    for i in reversed(range(len(taps))):
        a, z = (t[:, 0, 0] for t in taps[i][0])
        if i < len(taps) - 1:
            zz = z.detach().clone().requires_grad_()
            d = torch.autograd.grad(ACT[net.layers[i]['activation']](zz).sum(), zz)[0]
            W = net.params[i + 1]; W = W[:-1] if net.blocks[i + 1].bias else W
            H = (W @ H @ W.T) * gram(d, w, w.sum())
        out.append(dict(A=[gram(a, w, w.sum())], G=[H]))
    return [{k: [M.detach() for M in v] for k, v in row.items()} for row in reversed(out)]


def jacobians(net, X):
    """Yields for each example f [C], and the Jacobian df/dvec(W) [C, size] of every block by autograd."""
    for b in range(X[0].shape[0]):
        P = [p.clone().requires_grad_() for p in net.params]
        f = net.forward([x[b:b + 1] for x in X], P)[0][0]
        rows = [torch.autograd.grad(f[c], P, retain_graph=True, allow_unused=True) for c in range(len(f))]
        yield f.detach(), [torch.stack([torch.zeros_like(P[i]).reshape(-1) if r[i] is None else r[i].reshape(-1) for r in rows]) for i in range(len(P))]


def gradients(net, X, y, heads, fisher):
    """For every block an array [examples, columns, size]: the gradient of each example for each column of the root of its output
    Hessian, or for its label."""
    out = [[] for _ in net.blocks]
    for b, (f, J) in enumerate(jacobians(net, X)):
        if fisher == 'empirical':
            ff = f[None].requires_grad_()
            L = torch.autograd.grad(nll(ff, [v[b:b + 1] for v in y], heads).sum(), ff)[0][0][:, None]
        else: L = hessian_root(f[None], heads)[0]
        for i in range(len(J)): out[i].append(L.T @ J[i])
    return [torch.stack(g) for g in out]


def mean_square(g, w): return (w[:, None, None] * g ** 2).sum((0, 1)) / w.sum()


def diagonal(net, X, y, heads, w, fisher='exact'):
    return [dict(D=mean_square(g, w).reshape(p.shape)) for g, p in zip(gradients(net, X, y, heads, fisher), net.params)]


def full(net, X, y, heads, w):
    g = torch.cat(gradients(net, X, y, heads, 'exact'), -1)     # [N, columns, all weights]
    return [dict(F=torch.einsum('b,bki,bkj->ij', w, g, g) / w.sum())]


def bases(row):
    """U_A and U_G of every group, with eigenvalues ascending. For an embedding A is diagonal, and U_A is the identity."""
    return [(torch.eye(len(A)) if A.dim() == 1 else torch.linalg.eigh(A)[1], torch.linalg.eigh(G)[1]) for A, G in zip(row['A'], row['G'])]


def shaken(row, noise):
    """The factors with random errors of that size, relative to the largest entry, as float32 would have."""
    gen = torch.Generator().manual_seed(0)
    def shake(M):
        E = noise * M.abs().max() * torch.randn(M.shape, generator=gen); return M + (E + E.T if M.dim() == 2 else E)
    return dict(A=[shake(A) for A in row['A']], G=[shake(G) for G in row['G']])


def ekfac(net, X, y, heads, w, sharing, noise=0.):
    """The bases of the exact factors, and the second moments D of the per-example gradients in these bases (George et al. 2018)."""
    out = []
    for block, row, g in zip(net.blocks, kronecker(net, X, y, heads, w, 'exact', sharing), gradients(net, X, y, heads, 'exact')):
        if block.kind == 'diagonal': out.append(row); continue
        if noise: row = shaken(row, noise)
        grouped = g.reshape(*g.shape[:2], block.groups, block.n, block.m)
        D = [mean_square((U.T @ grouped[:, :, p] @ V).flatten(2), w).reshape(block.n, block.m) for p, (U, V) in enumerate(bases(row))]
        out.append(dict(row, D=torch.cat(D)))
    return out


def determined(net, X, y, heads, w, sharing):
    """Whether the factors determine the basis. They do not if eigenvalues are equal, as under `reduce` when taps have the same sums over
    positions. Then every rounding error gives another curvature."""
    pairs = zip(ekfac(net, X, y, heads, w, sharing), ekfac(net, X, y, heads, w, sharing, 1e-7))
    return all((dense(a) - dense(b)).abs().max() <= 2e-5 * dense(a).abs().max() for a, b in pairs)


def square(A): return torch.diag(A) if A.dim() == 1 else A


def joined(parts): return parts[0] if len(parts) == 1 else torch.block_diag(*parts)


def dense(row):
    """The curvature of a block as a matrix on vec(W), row-major. It is block-diagonal over the groups."""
    if 'F' in row: return row['F']
    if 'A' not in row: return torch.diag(row['D'].reshape(-1))
    if 'D' not in row: return joined([torch.kron(square(A), G) for A, G in zip(row['A'], row['G'])])
    parts, per = [], row['D'].shape[0] // len(row['A'])
    for p, (U, V) in enumerate(bases(row)):
        Q = torch.kron(U.contiguous(), V.contiguous()); parts.append(Q @ torch.diag(row['D'][p * per:(p + 1) * per].reshape(-1)) @ Q.T)
    return joined(parts)


def precision(row, N, tau, damping):
    if damping == 'factored' and 'A' in row:
        def damped(M): return math.sqrt(N) * M + math.sqrt(tau) * torch.eye(M.shape[0])
        return joined([torch.kron(damped(square(A)), damped(G)) for A, G in zip(row['A'], row['G'])])
    H = dense(row)
    return N * H + tau * torch.eye(H.shape[0])


def output_covariance(net, X, rows, N, tau, damping):
    """The output covariances [B, C, C]: for each example the sum of J C J^T over the blocks. The full curvature has one block for all
    weights."""
    covs = [torch.linalg.inv(precision(row, N, tau, damping)) for row in rows]
    out = []
    for _, J in jacobians(net, X):
        if 'F' in rows[0]: J = [torch.cat(J, -1)]
        out.append(sum(j @ C @ j.T for j, C in zip(J, covs)))
    return torch.stack(out)


def evidence(net, X, y, heads, w, rows, N, tau):
    f, _ = net.forward(X, net.params)
    ll = -(w * nll(f, y, heads)).sum()
    quad = sum((p ** 2).sum() for p in net.params) * tau
    ratio = 0
    for row in rows:
        Pm = precision(row, N, tau, 'exact')
        ratio = ratio + (torch.linalg.slogdet(Pm)[1] - Pm.shape[0] * math.log(tau))
    return {'logLikelihood': ll.item(), 'logDetRatio': ratio.item(), 'scatter': quad.item(),
            'logMarginalLikelihood': (ll - 0.5 * (ratio + quad)).item()}
