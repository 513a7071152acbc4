"""Predict from a bundle with the base install, NumPy alone.

python examples/forecast_csv.py && python examples/predict_without_torch.py oil.unrolled past.csv
"""

from __future__ import annotations

import sys

from unrolled.core.bundle import Bundle
from unrolled.prepare.write import to_csv
from unrolled.runtime import Predictor

bundle, data = sys.argv[1:]
prediction = Predictor(Bundle.read(bundle)).predict(data)
for note in prediction.notes:
    print(note.en)
print(to_csv(prediction.table()), end="")
assert "torch" not in sys.modules
