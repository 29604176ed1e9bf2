"""Makes hours.csv from the published bikeshare.csv: the same rows in the same order, with the hour as a time in front.

    python make_hours.py bikeshare.csv hours.csv

Day 1 of 2011 is 2011-01-01. The source's clock is local and says nothing of
daylight saving; it is taken for UTC.
"""

import csv
import datetime
import sys

published, made = sys.argv[1:]
with open(published, newline="") as source, open(made, "w", newline="") as target:
    rows = csv.DictReader(source)
    out = csv.writer(target, lineterminator="\n")
    out.writerow(["at", *rows.fieldnames])
    for row in rows:
        at = datetime.datetime(2011, 1, 1) + datetime.timedelta(days=int(row["day"]) - 1, hours=int(row["hr"]))
        out.writerow([at.isoformat() + "Z", *(row[name] for name in rows.fieldnames)])
