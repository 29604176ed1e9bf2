"""The model: a centre for each label, in units of each column's own spread."""

from statistics import fmean, pstdev


class Centres:
    def __init__(self, centres, spread):
        self.centres = centres
        self.spread = spread

    @classmethod
    def of(cls, table):
        """Learns from pairs of numbers and a label."""
        spread = [pstdev(column) or 1.0 for column in zip(*(numbers for numbers, _ in table))]
        labels = sorted({label for _, label in table})
        of_label = {label: [numbers for numbers, other in table if other == label] for label in labels}
        centres = {label: [fmean(column) for column in zip(*numbers)] for label, numbers in of_label.items()}
        return cls(centres, spread)

    def predict(self, numbers):
        """The label of the nearest centre."""
        return min(self.centres, key=lambda label: self.distance(numbers, self.centres[label]))

    def distance(self, numbers, centre):
        return sum(((number - there) / unit) ** 2 for number, there, unit in zip(numbers, centre, self.spread))
