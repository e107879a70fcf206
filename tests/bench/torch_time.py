# SPDX-License-Identifier: GPL-3.0-or-later
"""torch_time.py -- CPU time of the same networks in PyTorch, one thread: eager in both layouts, and traced and frozen.

Usage: torch_time.py REFERENCE ARCH WIDTH [FRAMES [MEMBERS [REPEATS]]]

REFERENCE is the folder with panns.py, the executable definition of the networks. Prints one JSON line: the median CPU
milliseconds of one clip through the deterministic network in each way, and, with MEMBERS above 1, of all members: as
one batch with dropout drawn, and as that many single traced passes without dropout, whichever is better for PyTorch.
"""
import json
import os
import statistics
import sys
import time

os.environ['OMP_NUM_THREADS'] = '1'
reference, arch, width = sys.argv[1], sys.argv[2], int(sys.argv[3])
frames, members, repeats = (int(v) for v in (sys.argv[4:] + ['1001', '1', '3'][len(sys.argv) - 4:]))
sys.path.insert(0, reference)

import panns
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(0)


def batch_norm(self, name, x):
    w, b, m, v = (self.p[f'{name}.{s}'] for s in panns.BN[:4])
    return F.batch_norm(x, m, v, w, b, False, panns.BN_MOMENTUM, panns.BN_EPS)


panns.Deterministic.bn = batch_norm
params = panns.random_params(arch, width, 527, 1)
table = panns.sites(arch)


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.names = [n for n, v in params.items() if v.is_floating_point()]
        for i, n in enumerate(self.names):
            self.register_buffer(f't{i}', params[n])

    def forward(self, x):
        p = {n: getattr(self, f't{i}') for i, n in enumerate(self.names)}
        return panns.forward(panns.Deterministic(p), arch, x)[0]


def median_ms(step):
    step()
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        step()
        times.append(time.process_time() - begin)
    return round(statistics.median(times) * 1e3, 3)


def mask(site, shape):
    return F.dropout(torch.ones(shape), table[site][1], True)


with torch.no_grad():
    x = torch.randn(1, 1, frames, 64) * 10 - 45
    network = Network().eval()
    out = {'what': 'torch', 'torch': torch.__version__, 'arch': arch, 'width': width, 'frames': frames, 'members': members}
    out['eager_ms'] = median_ms(lambda: network(x))
    out['traced_ms'] = None
    try:
        traced = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, x)))
        traced(x)
        out['traced_ms'] = median_ms(lambda: traced(x))
    except RuntimeError as reason:
        out['traced_failed'] = str(reason).splitlines()[0]
    plain = dict(params)
    for n, v in params.items():
        if v.dim() == 4:
            params[n] = v.contiguous(memory_format=torch.channels_last)
    y = x.contiguous(memory_format=torch.channels_last)
    network_last = Network().eval()
    out['eager_channels_last_ms'] = median_ms(lambda: network_last(y))
    if members > 1:
        batch = x.expand(members, -1, -1, -1).contiguous()
        out['members_eager_ms'] = median_ms(lambda: panns.forward(panns.Dropout(plain, mask), arch, batch)[0])
        batch = batch.contiguous(memory_format=torch.channels_last)
        out['members_eager_channels_last_ms'] = median_ms(lambda: panns.forward(panns.Dropout(params, mask), arch, batch)[0])
        if out['traced_ms'] is not None:
            out['members_traced_ms'] = round(members * out['traced_ms'], 3)
print(json.dumps(out))
