"""Classify sequences of different length, given as a list of arrays: python examples/classify_arrays.py"""

from __future__ import annotations

import numpy as np

from unrolled import Classifier
from unrolled.workflow.demo import shipped

# Spoken digits, as log energies of 20 mel bands; zero, one and two are enough here.
with np.load(shipped("digits_train.npz")) as archive:
    sequences = np.split(archive["values"].astype(np.float32), archive["starts"][1:-1])
    labels = archive["y"]
chosen = np.flatnonzero(np.isin(labels, ["0", "1", "2"]))
X, y = [sequences[at] for at in chosen], labels[chosen]

net = [{"gru": {"size": 32}}, {"pool": {"kind": "mean_max"}}, "linear"]
model = Classifier(net=net, epochs=10, batch_size=8, learning_rate=0.01, random_state=0)
model.fit(X[::2], y[::2])  # every second recording; the others judge

print("sequences of", sorted({len(x) for x in X})[0], "to", max(map(len, X)), "steps")
print("classes", model.classes_.tolist(), "accuracy", model.score(X[1::2], y[1::2]))
print("probabilities of the first", np.round(model.predict_proba(X[1:2])[0], 2))
