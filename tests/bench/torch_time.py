# SPDX-License-Identifier: GPL-3.0-or-later
"""torch_time.py -- CPU time of the same networks in PyTorch, one thread: eager in both layouts, and traced and frozen.

Usage: torch_time.py REFERENCE ARCH WIDTH [FRAMES [REPEATS]]

REFERENCE is the folder with panns.py, the executable definition of the networks. Prints one JSON line: the median CPU
milliseconds of one clip through the deterministic network in each way.
"""
import json
import os
import statistics
import sys
import time

os.environ['OMP_NUM_THREADS'] = '1'
reference, arch, width = sys.argv[1], sys.argv[2], int(sys.argv[3])
frames, repeats = (int(v) for v in (sys.argv[4:] + ['1001', '3'][len(sys.argv) - 4:]))
sys.path.insert(0, reference)

import panns
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(0)
torch.set_flush_denormal(True)  # as we do; with random weights the deep networks meet such numbers, which are slow


def batch_norm(self, name, x):
    w, b, m, v = (self.p[f'{name}.{s}'] for s in panns.BN[:4])
    return F.batch_norm(x, m, v, w, b, False, panns.BN_MOMENTUM, panns.BN_EPS)


panns.Deterministic.bn = batch_norm
params = panns.random_params(arch, width, 527, 1)


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


with torch.no_grad():
    x = torch.randn(1, 1, frames, 64) * 10 - 45
    network = Network().eval()
    out = {'what': 'torch', 'torch': torch.__version__, 'arch': arch, 'width': width, 'frames': frames}
    out['eager_ms'] = median_ms(lambda: network(x))
    out['traced_ms'] = None
    try:
        traced = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, x)))
        traced(x)
        out['traced_ms'] = median_ms(lambda: traced(x))
    except RuntimeError as reason:
        out['traced_failed'] = str(reason).splitlines()[0]
    for n, v in params.items():
        if v.dim() == 4:
            params[n] = v.contiguous(memory_format=torch.channels_last)
    y = x.contiguous(memory_format=torch.channels_last)
    network_last = Network().eval()
    out['eager_channels_last_ms'] = median_ms(lambda: network_last(y))
print(json.dumps(out))
