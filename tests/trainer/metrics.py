# SPDX-License-Identifier: GPL-3.0-or-later
# What scikit-learn says of answers: metrics.py FILE prints name and value, a line each. FILE: a line per clip, the class that
# is right, then the probabilities of all classes, which for the multi-label figures are scores of "the right class is this".
import sys

import numpy
from sklearn import metrics

rows = numpy.loadtxt(sys.argv[1])
label, p = rows[:, 0].astype(int), rows[:, 1:]
classes = list(range(p.shape[1]))
truth = numpy.eye(p.shape[1])[label]
print("accuracy", metrics.accuracy_score(label, p.argmax(1)))
print("uar", metrics.balanced_accuracy_score(label, p.argmax(1)))
print("nll", metrics.log_loss(label, p, labels=classes))
print("brier", ((p - truth) ** 2).sum(1).mean())
for c in classes:
    print(f"ap{c}", metrics.average_precision_score(truth[:, c], p[:, c]))
    print(f"auc{c}", metrics.roc_auc_score(truth[:, c], p[:, c]))
    print(f"bce{c}", metrics.log_loss(truth[:, c], p[:, c]))
