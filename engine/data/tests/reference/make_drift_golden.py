"""Writes drift_golden.json: what scipy and Evidently say of samples, for the tests of engine/data/src/drift.

Made with scipy 1.17.1, numpy 2.4.6, pandas 2.3.3, evidently 0.7.23 on Python 3.11:
    pip install scipy==1.17.1 numpy==2.4.6 'pandas<3' evidently==0.7.23
    python -W ignore make_drift_golden.py
"""

import json
import math
import pathlib

import evidently
import numpy as np
import pandas as pd
import scipy
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from scipy import stats

MASK = (1 << 64) - 1
METHODS = {
    "auto": None,
    "ks": "ks",
    "chi_square": "chisquare",
    "z": "z",
    "wasserstein": "wasserstein",
    "jensen_shannon": "jensenshannon",
    "psi": "psi",
}
NAMES = {
    "K-S p_value": "ks",
    "chi-square p_value": "chi_square",
    "Z-test p_value": "z",
    "Wasserstein distance (normed)": "wasserstein",
    "Jensen-Shannon distance": "jensen_shannon",
    "PSI": "psi",
}


def uniforms(seed, rows):
    """splitmix64 (G. L. Steele, D. Lea, C. H. Flood, 2014), the upper 53 bits as a fraction."""
    out = []
    for _ in range(rows):
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        out.append(((z ^ (z >> 31)) >> 11) * 2.0**-53)
    return np.array(out)


def drawn(rule):
    """Numbers by a rule that Rust follows to the bit: uniform, times scale plus shift, cut down to whole steps."""
    seed, rows, scale, shift, step = rule
    numbers = uniforms(seed, rows) * scale + shift
    return np.floor(numbers / step) * step if step else numbers


def series(cells):
    if isinstance(cells, dict):
        return pd.Series(drawn(cells["drawn"]))
    if any(isinstance(cell, str) and cell not in ("nan", "inf", "-inf") for cell in cells):
        return pd.Series(cells, dtype=object)
    return pd.Series([float(cell) for cell in cells], dtype=float)


def number(value):
    value = float(value)
    return value if math.isfinite(value) else None


def expectations(reference, current, numeric):
    """Evidently's cleaning, then each method; null where it raises or says NaN."""
    texts = reference.dtype == object
    reference = reference.replace([-np.inf, np.inf], np.nan).dropna()
    current = current.replace([-np.inf, np.inf], np.nan).dropna()
    kind = ColumnType.Numerical if numeric else ColumnType.Categorical
    out = {"rows": [len(reference), len(current)]}
    for ours, theirs in METHODS.items():
        if ours in ("ks", "wasserstein") and not numeric:
            continue
        values = pd.concat([reference, current]).nunique()
        # These two are for categories, and the z-test for two of them.
        if ours in ("chi_square", "z") and values > (2 if ours == "z" else 60):
            continue
        try:
            allowed = ColumnType.Categorical if ours in ("chi_square", "z") else kind
            test = get_stattest(reference, current, allowed, theirs)
            result = test(reference, current, kind, None)
            score = number(result.drift_score)
            out[ours] = score if score is None else {
                "rule": NAMES[test.display_name],
                "statistic": score,
                "drifted": bool(result.drifted),
                "threshold": result.actual_threshold,
            }
        except (ValueError, ZeroDivisionError, IndexError):
            out[ours] = None
    if numeric and not texts:
        test = stats.ks_2samp(reference, current)
        out["distances"] = {
            "ks": number(test.statistic),
            "ks_p": number(test.pvalue),
            "wasserstein": number(stats.wasserstein_distance(reference, current)),
            "deviation": number(np.std(reference.to_numpy())),
        }
    return out


def case(name, reference, current, numeric=True):
    expected = expectations(series(reference), series(current), numeric)
    return {"name": name, "numeric": numeric, "reference": reference, "current": current, "expected": expected}


def short(values, digits):
    return [round(float(value), digits) for value in values]


def cases():
    rng = np.random.default_rng(12)
    yield case("one row each, equal", [1.5], [1.5])
    yield case("one row each, different", [1.5], [2.5])
    yield case("one row against two", [1.0], [0.0, 2.0])
    yield case("one row against many", [0.3], short(rng.random(40), 3))
    yield case("constant and equal", [2.0] * 12, [2.0] * 7)
    yield case("constant and different", [2.0] * 12, [3.0] * 7)
    yield case("constant against varied", [2.0] * 12, short(rng.normal(2, 1, 30), 2))
    yield case("two values", [0.0, 1.0, 1.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0, 1.0])
    yield case("a new value", [0.0, 1.0] * 9, [0.0, 1.0, 2.0] * 5)
    yield case("a value gone", [0.0, 1.0, 2.0] * 9, [0.0, 1.0] * 5)
    yield case("no value in common", [1.0, 2.0, 3.0] * 5, [7.0, 8.0, 9.0] * 6)
    yield case("missing and infinite", [1.0, "nan", 2.5, "inf", 3.5, 4.0, 8.0, 9.0], ["-inf", 2.0, 2.5, "nan", 7.0])
    yield case("minus zero", [-0.0, 0.0, 1.0, 2.0], [0.0, 0.0, -0.0, 2.0])
    yield case("far from zero", short(1e9 + rng.normal(0, 1, 60), 3), short(1e9 + rng.normal(1, 1, 50), 3))
    yield case("nearly constant", short(rng.normal(0, 1e-5, 50), 8), short(rng.normal(0, 1e-5, 60), 8))
    yield case("huge", short(rng.normal(0, 1e100, 40), 0), short(rng.normal(3e99, 1e100, 40), 0))
    yield case("tiny", [float(f"{x}e-300") for x in short(rng.random(30), 3)], [float(f"{x}e-300") for x in short(rng.random(25), 3)])
    yield case("equal in all", short(range(30), 0), short(range(30), 0))
    yield case("reversed order", short(range(30), 0), short(range(29, -1, -1), 0))
    yield case("whole numbers in a narrow range", short(np.arange(90) % 22, 0), short(np.arange(66) % 21, 0))
    for index, (n, m) in enumerate([(2, 3), (5, 5), (7, 21), (20, 30), (64, 64), (100, 37), (200, 200), (333, 250), (500, 1000)]):
        for shift in (0.0, 0.15, 1.0, 4.0):
            digits = (1, 2, 4)[index % 3]
            yield case(
                f"normal {n} and {m}, {shift} apart, {digits} digits",
                short(rng.normal(0, 1, n), digits),
                short(rng.normal(shift, 1.1, m), digits),
            ) if n * m < 60_000 else case(
                f"uniform {n} and {m}, {shift} apart",
                {"drawn": [index, n, 2.0, 0.0, 0.0]},
                {"drawn": [index + 100, m, 2.0, shift / 4, 0.0]},
            )
    seed = 1000
    for n, m in [(1001, 900), (1000, 1000), (4000, 3999), (9999, 10000), (10000, 10000), (9000, 6000), (10000, 100), (7, 9000)]:
        for scale, shift, step in [(1.0, 0.0, 0.0), (1.0, 0.02, 0.0), (1.05, 0.3, 0.0), (1.0, 0.01, 0.01), (1.0, 0.0, 0.25)]:
            seed += 2
            yield case(f"exact {n} and {m}, {scale} {shift} {step}", {"drawn": [seed, n, 1.0, 0.0, step]}, {"drawn": [seed + 1, m, scale, shift, step]})
    for n, m in [(10001, 1), (10001, 3), (12000, 30), (20000, 100), (11000, 170), (15000, 2000), (20000, 20000), (60000, 90000)]:
        for scale, shift, step in [(1.0, 0.0, 0.0), (1.0, 0.02, 0.0), (1.0, 0.2, 0.0), (0.3, 0.65, 0.0), (1.0, 0.001, 0.0), (1.0, 0.0, 0.125)]:
            seed += 2
            yield case(f"asymptotic {n} and {m}, {scale} {shift} {step}", {"drawn": [seed, n, 1.0, 0.0, step]}, {"drawn": [seed + 1, m, scale, shift, step]})
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    for kinds in (1, 2, 3, 9, 26):
        for n, m in [(12, 9), (90, 70), (400, 300)]:
            first = [str(text) for text in letters[rng.integers(0, kinds, n)]]
            second = [str(text) for text in letters[np.minimum(rng.integers(0, kinds, m), rng.integers(0, kinds, m))]]
            yield case(f"{kinds} texts, {n} and {m}", first, second, numeric=False)
    yield case("missing texts", ["a", None, "b", "a", "c", "d"], [None, "b", "b", "a", None], numeric=False)
    yield case("codes", short(rng.integers(0, 7, 300), 0), short(rng.integers(1, 7, 200), 0), numeric=False)
    yield case("more than a thousand codes", short(np.arange(1100) % 11, 0), short(np.arange(300) % 12, 0), numeric=False)


def tails():
    """The distributions by themselves."""
    kolmogorov = []
    for n in (1, 2, 3, 5, 10, 33, 77, 140, 141, 400, 2000, 10_000, 100_000, 100_001, 500_000, 3_000_000):
        for z in (0.03, 0.08, 0.2, 0.35, 0.5, 0.7, 0.85, 0.88, 1.0, 1.3, 1.48, 1.5, 1.9, 2.1, 3.0, 4.2, 6.0, 12.0, 19.0, 19.5):
            d = z / math.sqrt(n)
            if 0.0 < d < 1.0:
                kolmogorov.append([n, d, float(stats.kstwo.sf(d, n))])
        for d in (0.4 / n, 0.6 / n, 0.9 / n, 1 - 0.5 / n, 0.3, 0.5, 0.7, 0.95):
            kolmogorov.append([n, d, float(stats.kstwo.sf(d, n))])
    chi_square = [
        [k, x, float(stats.chi2.sf(x, k))]
        for k in (1, 2, 3, 4, 5, 6, 7, 10, 25, 26, 99, 100, 500, 2001, 50_000)
        for x in [0.0, 1e-12, 0.001, 0.3, 1.0, 2.5, 7.0, 20.0, 90.0, 300.0, 800.0, 1400.0, 0.7 * k, 0.95 * k, 1.0 * k, 1.05 * k, 1.6 * k, 4.0 * k]
    ]
    normal = [[z, float(2 * stats.norm.sf(z))] for z in (0.0, 1e-9, 0.1, 0.5, 1.0, 1.96, 3.0, 6.0, 12.0, 30.0, 37.0)]
    return {"kolmogorov": kolmogorov, "chi_square": chi_square, "normal": normal}


golden = {
    "made_with": {
        "scipy": scipy.__version__,
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "evidently": evidently.__version__,
    },
    "cases": list(cases()),
    "tails": tails(),
}
target = pathlib.Path(__file__).with_name("drift_golden.json")
target.write_text(
    "{\n"
    + f'"made_with": {json.dumps(golden["made_with"])},\n'
    + '"cases": [\n'
    + ",\n".join(json.dumps(one, allow_nan=False) for one in golden["cases"])
    + '\n],\n"tails": '
    + json.dumps(golden["tails"], allow_nan=False)
    + "\n}\n"
)
print(target, target.stat().st_size, len(golden["cases"]))
