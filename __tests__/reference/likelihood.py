"""Negative log-likelihoods and square roots of their Hessians. A head is (likelihood, noise variance, number of outputs). A network with
several outputs has a head for each. Its f is the outputs side by side, and its NLL is the sum over the heads."""
import math
import torch
import torch.nn.functional as F


def head_nll(f, y, lik, s2):
    if lik == 'categorical': return F.cross_entropy(f, y, reduction='none')
    if lik == 'bernoulli': return F.binary_cross_entropy_with_logits(f, y, reduction='none').sum(-1)
    if lik == 'poisson': return (f.exp() - y * f + torch.lgamma(y + 1)).sum(-1)     # f: log rates
    if lik == 'heteroscedastic':                               # outputs: means, then log variances
        mean, logvar = f.chunk(2, -1); return 0.5 * ((y - mean) ** 2 / logvar.exp() + logvar + math.log(2 * math.pi)).sum(-1)
    v = torch.as_tensor(s2) * torch.ones(f.shape[-1])           # one noise variance, or one per output
    return (0.5 * (f - y) ** 2 / v + 0.5 * torch.log(2 * math.pi * v)).sum(-1)


def head_root(f, lik, s2):
    """The columns lambda_c with sum_c lambda_c lambda_c^T = Hessian of the NLL in f, as [B, C, columns]."""
    C = f.shape[-1]
    if lik == 'categorical':
        p = f.softmax(-1); return (torch.eye(C) - p[:, :, None]) * p[:, None, :].sqrt()
    if lik == 'bernoulli':
        p = f.sigmoid(); return torch.diag_embed((p * (1 - p)).sqrt())
    if lik == 'poisson': return torch.diag_embed((0.5 * f).exp())
    if lik == 'heteroscedastic':                               # not the Hessian but the Fisher in (mean, log variance)
        mean, logvar = f.chunk(2, -1); return torch.diag_embed(torch.cat([(-0.5 * logvar).exp(), torch.full_like(mean, math.sqrt(0.5))], -1))
    return torch.diag((torch.as_tensor(s2) * torch.ones(C)).rsqrt()).expand(f.shape[0], C, C)


def split(f, heads): return f.split([C for _, _, C in heads], -1)


def nll(f, ys, heads):
    return sum(head_nll(part, y, lik, s2) for part, y, (lik, s2, _) in zip(split(f, heads), ys, heads))


def hessian_root(f, heads):
    if len(heads) == 1: return head_root(f, *heads[0][:2])
    roots = [head_root(part, lik, s2) for part, (lik, s2, _) in zip(split(f, heads), heads)]
    return torch.stack([torch.block_diag(*[r[b] for r in roots]) for b in range(f.shape[0])])


def probit(f, cov, lik):
    if lik == 'categorical':
        return (f / (1 + math.pi / 8 * torch.diagonal(cov, dim1=1, dim2=2)).sqrt()).softmax(-1)
    return (f / (1 + math.pi / 8 * torch.diagonal(cov, dim1=1, dim2=2)).sqrt()).sigmoid()


def draw(lik, N, C, gen):
    """Draws labels that do not depend on any network."""
    if lik == 'categorical': return torch.randint(C, (N,), generator=gen)
    if lik == 'bernoulli': return torch.randint(2, (N, C), generator=gen).double()
    if lik == 'poisson': return torch.poisson(torch.full((N, C), 1.5), generator=gen)
    return torch.randn(N, C // 2 if lik == 'heteroscedastic' else C, generator=gen)
