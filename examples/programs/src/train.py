"""Nearest centre of two classes, with the standard library alone.

What a program is given, it finds by the variables that the engine sets: MLP_PARAMS, MLP_IN_<INPUT>, MLP_OUT_<OUTPUT>.
"""

import csv
import json
import os
import random

from centres import Centres

LABEL = "diagnosis"

with open(os.environ["MLP_PARAMS"]) as file:
    params = json.load(file)

with open(os.environ["MLP_IN_ROWS"], newline="") as file:
    rows = list(csv.DictReader(file))
features = [name for name in rows[0] if name != LABEL]
table = [([float(row[name]) for name in features], row[LABEL]) for row in rows]

# A generator of its own, with a seed that is a setting: the same rows are split the same way each time.
random.Random(params["seed"]).shuffle(table)
held_out = round(len(table) * params["test"])
test, train = table[:held_out], table[held_out:]
print(f"{len(train)} rows to learn from, {len(test)} to measure on")

model = Centres.of(train)
right = positives = found = 0
for done, (numbers, label) in enumerate(test, start=1):
    said = model.predict(numbers)
    right += said == label
    positives += label == "malignant"
    found += label == said == "malignant"
    if done % 50 == 0:
        print(f"mlp:progress {done / len(test)}", flush=True)

with open(os.environ["MLP_OUT_MODEL"], "w") as file:
    json.dump({"features": features, "centres": model.centres, "spread": model.spread}, file)

scores = {"accuracy": right / len(test), "recall": found / positives, "rows": len(test)}
with open(os.environ["MLP_OUT_SCORES"], "w") as file:
    json.dump(scores, file)
