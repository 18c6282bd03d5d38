"""Training by laplace-torch's marglik_training (Immer et al. 2021, algorithm 1), epoch by epoch, in float64.

    python -m venv environment
    environment/bin/pip install torch==2.13.0 numpy==2.4.6 scipy==1.17.1
    environment/bin/pip install --no-deps -r requirements.txt
    environment/bin/python generate.py > margLikTraining.json

A batch is the whole data set and the optimizer is plain gradient descent, so nothing depends on an order. marglik_training runs as
released; what it does is written down by subclasses of its optimizers and a wrapper of its constructor. One thing is mended, except in
the runs `…AsReleased`: laplace/utils/matrix.py imports `pow` of `math`, which makes a number of a tensor. With Kronecker factors the
gradient in log sigma_noise then lacks the log determinant. Python's own `pow` keeps it.

Biases are blocks of their own in laplace-torch and rows of the kernel here. So the networks with Kronecker factors have no bias but a
constant input; the network with biases has the full matrix, which is the same in both.

It prints to stderr by how much the log evidence of each run is lower than that of the run `maximum`.
"""

import builtins
import importlib
import json
import sys
import warnings

import numpy as np
import torch
from torch import nn

import laplace.utils.matrix as matrix
from laplace.curvature import CurvlinopsGGN

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
warnings.filterwarnings('ignore')
# The package has a function of the module's name.
own = importlib.import_module('laplace.marglik_training')
EPOCHS = 10
# Adam at a constant rate never comes to rest. Rprop does, and goes to the same maximum.
TO_THE_MAXIMUM = {'optimizer': torch.optim.Rprop, 'n_hypersteps': 400, 'options': {'step_sizes': (1e-8, 1)}}
RELEASED_POW = matrix.pow
numbers = lambda tensor: torch.as_tensor(tensor).detach().reshape(-1).tolist()


def network(sizes, bias, weights):
    layers = []
    for (n, m), w in zip(zip(sizes, sizes[1:]), weights):
        layer = nn.Linear(n, m, bias=bias)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(w[:n]).T)
            if bias:
                layer.bias.copy_(torch.tensor(w[n]))
        layers += [layer, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def weights_of(model):
    """One matrix for each layer: the kernel [in, out], and the bias as a last row."""
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    rows = lambda layer: [layer.weight.T] + ([] if layer.bias is None else [layer.bias[None]])
    return [torch.cat(rows(layer)).tolist() for layer in linear]


def point(lap, log_precision, log_sigma):
    """The evidence at these hyperparameters with its slopes. The slopes are checked against central differences."""
    logs = [log_precision.detach().clone(), *([] if log_sigma is None else [log_sigma.detach().clone()])]
    evidence = lambda *values: lap.log_marginal_likelihood(*(torch.exp(v) for v in values))
    grads = torch.autograd.grad(evidence(*[v.requires_grad_() for v in logs]), logs)
    with torch.no_grad():
        for at, grad in enumerate(grads):
            for i in range(len(grad)):
                step = torch.zeros_like(grad)
                step[i] = 1e-5
                moved = lambda sign: evidence(*(v + sign * step if k == at else v for k, v in enumerate(logs)))
                difference = (moved(1) - moved(-1)).item() / 2e-5
                assert abs(difference - grad[i].item()) < 1e-6 * max(1, abs(difference)), (difference, grad)
        value = evidence(*logs).item()
    noise = {} if log_sigma is None else {
        'noiseVariance': torch.exp(2 * logs[1]).item(),
        'logNoiseSlope': grads[1].item() / 2,
    }
    return {
        'priorPrecision': numbers(torch.exp(logs[0])),
        'logPrecisionSlopes': numbers(grads[0]),
        'logMarginalLikelihood': value,
        **noise,
    }


def trained(case, *, optimizer=torch.optim.Adam, n_hypersteps=10, options={}, mended=True):
    """The weights after each epoch, and for each evaluated epoch the evidence before and after its steps in the hyperparameters."""
    model = network(case['sizes'], case['useBias'], case['initial'])
    epochs, fitted, hyper = [], [], {}

    class Descent(torch.optim.SGD):
        def step(self, *args):
            super().step(*args)
            epochs.append({'epoch': len(epochs), 'weights': weights_of(model)})

    class Hyper(optimizer):
        def __init__(self, parameters, **rate):
            super().__init__(parameters, **rate, **options)
            hyper['now'] = [*parameters, None][:2]
            hyper['steps'] = 0

        def step(self, *args):
            if hyper['steps'] % n_hypersteps == 0:
                fitted[-1]['before'] = [None if p is None else p.detach().clone() for p in hyper['now']]
            super().step(*args)
            hyper['steps'] += 1
            fitted[-1]['after'] = [None if p is None else p.detach().clone() for p in hyper['now']]

    laplace_of = own.Laplace

    def watched(*args, **options):
        lap = laplace_of(*args, **options)
        fitted.append({'lap': lap, 'epoch': len(epochs) - 1})
        return lap

    regression = case['likelihood'] == 'regression'
    data = torch.utils.data.TensorDataset(torch.tensor(case['x']), torch.tensor(case['y']))
    matrix.pow = builtins.pow if mended else RELEASED_POW
    own.Laplace, own.Adam = watched, Hyper
    try:
        last, *_ = own.marglik_training(
            model,
            torch.utils.data.DataLoader(data, batch_size=len(data)),
            case['likelihood'],
            case['structure'],
            CurvlinopsGGN,
            Descent,
            {'lr': case['rate']},
            n_epochs=EPOCHS,
            n_hypersteps=n_hypersteps,
            prior_structure='layerwise' if case['per'] == 'layer' else 'scalar',
            marglik_frequency=case['frequency'],
            n_epochs_burnin=case['burnIn'],
        )
    finally:
        own.Laplace, own.Adam = laplace_of, torch.optim.Adam
        matrix.pow = builtins.pow
    # The last one is made after training, for the best weights.
    for one in fitted[:-1]:
        entry = epochs[one['epoch']]
        entry['before'], entry['after'] = point(one['lap'], *one['before']), point(one['lap'], *one['after'])
    best = {'weights': weights_of(model), 'priorPrecision': numbers(last.prior_precision)}
    return {'epochs': epochs, 'best': best | ({'noiseVariance': float(last.sigma_noise) ** 2} if regression else {})}


def maximised(case):
    """Steps until next to nothing is left of the slopes."""
    run = trained(case, **TO_THE_MAXIMUM)
    for one in (epoch['after'] for epoch in run['epochs'] if 'after' in epoch):
        slopes = [*one['logPrecisionSlopes'], one.get('logNoiseSlope', 0)]
        assert max(map(abs, slopes)) < 1e-4, slopes
    return run


def last_of(run):
    return run | {'epochs': run['epochs'][-1:]}


def report(name, runs):
    """Prints the differences of the log evidences after the first evaluated epoch and after the last."""
    evidences = {
        kind: [epoch['after']['logMarginalLikelihood'] for epoch in run['epochs'] if 'after' in epoch] for kind, run in runs.items()
    }
    own = evidences.pop('maximum')
    first = own[0] - evidences['defaults'][0]
    print(f'{name}: after the first estimate defaults is {first:.2f} nats lower than maximum; after the last', file=sys.stderr)
    for kind, values in evidences.items():
        print(f'    {kind}: {own[-1] - values[-1]:.2f}', file=sys.stderr)


def case_of(seed, name, likelihood, x, y, outputs, hidden=5, structure='kron', per='all', frequency=1, burn_in=0, rate=0.2, bias=False):
    rng = np.random.default_rng(seed)
    sizes = [len(x[0]), hidden, outputs]
    case = {
        'name': name,
        'likelihood': likelihood,
        'structure': structure,
        'per': per,
        'frequency': frequency,
        'burnIn': burn_in,
        'rate': rate,
        'sizes': sizes,
        'useBias': bias,
        'initial': [np.round(rng.normal(size=(n + bias, m)), 3).tolist() for n, m in zip(sizes, sizes[1:])],
        'x': x.tolist(),
        'y': y.tolist(),
    }
    runs = {'maximum': maximised(case), 'defaults': trained(case)}
    if likelihood == 'regression' and structure == 'kron':
        runs['defaultsAsReleased'] = last_of(trained(case, mended=False))
        runs['maximumAsReleased'] = last_of(trained(case, **TO_THE_MAXIMUM, mended=False))
    report(name, runs)
    return case | {'runs': runs}


def wave(seed, n, columns):
    """A noisy wave; its inputs may have a constant first column."""
    rng = np.random.default_rng(seed)
    t = np.linspace(-2, 2, n)
    x = np.stack([np.ones(n), t], 1)[:, -columns:]
    y = np.stack([np.sin(2 * t), np.cos(t)], 1) + 0.2 * rng.normal(size=(n, 2))
    return np.round(x, 3), np.round(y, 3)


def clouds(seed, n):
    """Three overlapping clouds of points in the plane, with a constant first column."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    centres = np.array([[0, 1.2], [-1, -0.6], [1, -0.6]])
    x = centres[y] + 0.7 * rng.normal(size=(n, 2))
    return np.round(np.concatenate([np.ones((n, 1)), x], 1), 3), y


x2, y2 = wave(1, 24, 2)
x1, _ = wave(1, 24, 1)
xc, yc = clouds(2, 36)
print(json.dumps([
    case_of(1, 'a number', 'regression', x2, y2[:, :1], 1),
    case_of(1, 'a number, each layer', 'regression', x2, y2[:, :1], 1, per='layer', frequency=2, burn_in=4),
    case_of(3, 'a number, full matrix with biases', 'regression', x1, y2[:, :1], 1, structure='full', bias=True),
    case_of(4, 'classes, each layer', 'classification', xc, yc, 3, per='layer', rate=0.5),
    case_of(5, 'two numbers', 'regression', x2, y2, 2),
]))
