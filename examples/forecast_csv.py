"""Forecast a column of a CSV file, a day ahead, and keep the model: python examples/forecast_csv.py"""

from __future__ import annotations

import polars as pl

from unrolled import Forecaster
from unrolled.workflow.demo import shipped

# Hourly oil temperature of a transformer (ETTh1). A file's name would do as well; here the first ten weeks are enough.
rows = pl.read_csv(shipped("ETTh1.csv"), try_parse_dates=True).select("date", "OT").head(24 * 70)
known, later = rows.head(24 * 69), rows.tail(24)

model = Forecaster(horizon=24, window=72, epochs=3, random_state=0)
model.fit(known, "OT")
ahead = model.predict()
low, high = model.predict_interval()

for hour, truth in enumerate(later["OT"].to_list()[:6]):
    print(f"{later['date'][hour]}  {ahead[hour]:6.2f}  ({low[hour]:.2f} to {high[hour]:.2f})  truth {truth:.2f}")
print(model.evaluation_.verdict.en)

model.save("oil.unrolled")
later.write_csv("later.csv")
known.tail(72).write_csv("past.csv")
