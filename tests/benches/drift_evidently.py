"""The work of engine/data/benches/drift.rs, done by Evidently 0.7; run by that bench when MLP_BENCH_PYTHON is set.

Prints one line for each figure: its name and a number. Needs `pip install 'evidently==0.7.*' 'pandas<3'`.
`drift rules alone` is the median of three runs over the statistics with nothing around them; `report` is one run of the
report a user would ask for.
"""

import sys
import time

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from evidently.presets import DataDriftPreset

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000


def uniforms(seed, rows):
    """splitmix64, the upper 53 bits as a fraction."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, rows + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(float) * 2.0**-53


def column(place):
    reference, current = uniforms(2 * place + 1, ROWS), uniforms(2 * place + 2, ROWS)
    moved = 0.0 if place % 2 == 0 else 0.1
    if place < 10:
        return reference, current + moved
    if place < 15:
        return np.floor(reference * 5.0), np.floor(current * 5.0 * (1.0 - moved))
    names = np.array([f"category {name}" for name in range(8)], dtype=object)
    return (
        names[np.floor(reference * 8.0).astype(int)],
        names[np.floor(current * (1.0 - moved) * 8.0).astype(int)],
    )


columns = [column(place) for place in range(20)]
reference = pd.DataFrame({f"c{place}": pair[0] for place, pair in enumerate(columns)})
current = pd.DataFrame({f"c{place}": pair[1] for place, pair in enumerate(columns)})


def rules():
    statistics = []
    for place, name in enumerate(reference.columns):
        kind = ColumnType.Numerical if place < 15 else ColumnType.Categorical
        cleaned = [frame[name].replace([-np.inf, np.inf], np.nan).dropna() for frame in (reference, current)]
        test = get_stattest(cleaned[0], cleaned[1], kind, None)
        statistics.append(float(test(cleaned[0], cleaned[1], kind, None).drift_score))
    return statistics


times = []
for _ in range(3):
    start = time.perf_counter()
    statistics = rules()
    times.append(time.perf_counter() - start)
for statistic in statistics:
    print("statistic", repr(statistic))
print("drift rules alone", sorted(times)[1])

start = time.perf_counter()
definition = DataDefinition(
    numerical_columns=[f"c{place}" for place in range(15)],
    categorical_columns=[f"c{place}" for place in range(15, 20)],
)
Report([DataDriftPreset()]).run(
    Dataset.from_pandas(current, data_definition=definition),
    Dataset.from_pandas(reference, data_definition=definition),
)
print("report", time.perf_counter() - start)
