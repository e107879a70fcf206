# SPDX-License-Identifier: GPL-3.0-or-later
"""torch_train.py -- a step of training the same networks in PyTorch: forward, loss, backward, Adam.

Usage: torch_train.py REFERENCE ARCH WIDTH LAYOUT POSTERIOR [SIGNS [THREADS [STEPS]]]

REFERENCE is the folder with panns.py, the executable definition of the networks; LAYOUT contiguous or channels_last;
POSTERIOR deterministic or flipout, whose SIGNS are channel or element. 32 clips of 301 frames, 527 classes. Prints one
JSON line: medians of CPU and wall time of a step, and the most memory that the program had.
"""
import json
import os
import resource
import statistics
import sys
import time

reference, arch, width, layout, posterior = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]
signs = sys.argv[6] if len(sys.argv) > 6 else 'channel'
threads = int(sys.argv[7]) if len(sys.argv) > 7 else 2
steps = int(sys.argv[8]) if len(sys.argv) > 8 else 3
os.environ['OMP_NUM_THREADS'] = str(threads)  # before its threads are made
sys.path.insert(0, reference)

import panns
import torch
import torch.nn.functional as F

torch.set_num_threads(threads)
torch.manual_seed(0)
torch.set_flush_denormal(True)
last = layout == 'channels_last'


def batch_norm(self, name, x):
    w, b, m, v = (self.p[f'{name}.{s}'] for s in panns.BN[:4])
    return F.batch_norm(x, m, v, w, b, True, panns.BN_MOMENTUM, panns.BN_EPS)


panns.Deterministic.bn = batch_norm
p = panns.random_params(arch, width, 527, 1)
for name, value in p.items():
    if value.dim() == 4 and last:
        p[name] = value.contiguous(memory_format=torch.channels_last)
leaves = [v.requires_grad_() for n, v in p.items() if v.is_floating_point() and 'running' not in n]
if posterior == 'flipout':
    mu = {n: v for n, v in p.items() if panns.is_conv_or_fc(n)}
    rho = {n: torch.full_like(v, -5.0, requires_grad=True) for n, v in mu.items()}
    leaves += list(rho.values())

x = torch.randn(32, 1, 301, 64) * 10 - 45
if last:
    x = x.contiguous(memory_format=torch.channels_last)
y = (torch.rand(32, 527) < 0.02).float()
adam = torch.optim.Adam(leaves, 1e-4)


def network():
    if posterior != 'flipout':
        return panns.Deterministic(p)
    eps = {n: torch.randn_like(v) for n, v in mu.items()}
    found = panns.Flipout(p, mu, rho, eps, lambda name, which, shape: torch.randint(0, 2, shape).float() * 2 - 1)
    found.variant = signs
    return found


def step():
    n = network()
    n.train = True
    adam.zero_grad()
    loss = F.binary_cross_entropy_with_logits(panns.forward(n, arch, x)[0], y)
    if posterior == 'flipout':
        loss = loss + 1e-6 * panns.kl(mu, rho)
    loss.backward()
    adam.step()


step()
cpu, wall = [], []
for _ in range(steps):
    cpu_begin, begin = time.process_time(), time.perf_counter()
    step()
    wall.append(time.perf_counter() - begin)
    cpu.append(time.process_time() - cpu_begin)
print(json.dumps({'bench': 'torch_train', 'torch': torch.__version__, 'arch': arch, 'width': width, 'layout': layout,
                  'posterior': posterior, 'signs': signs, 'threads': threads, 'cpu_s': round(statistics.median(cpu), 4),
                  'wall_s': round(statistics.median(wall), 4), 'clips_per_s': round(32 / statistics.median(wall), 2),
                  'peak_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}))
