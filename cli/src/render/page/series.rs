//! What there is to draw, from the entries of a live journal.

use mlp_core::record::Millis;
use mlp_live::machine::{Entry, Live, What, monitor};

/// Curves and marks.
#[derive(Debug, Default)]
pub struct Series {
    /// When the first and the last window ended.
    pub from: Millis,
    /// See `from`.
    pub to: Millis,
    /// One for each watch.
    pub charts: Vec<Chart>,
    /// Which version was stable from when on.
    pub versions: Vec<(Millis, String)>,
    /// Windows that were judged.
    pub windows: usize,
    /// Those with a watch that did not hold.
    pub breached: usize,
}

/// A watch over time.
#[derive(Debug)]
pub struct Chart {
    /// `health`
    pub monitor: String,
    /// As the author wrote it.
    pub text: String,
    /// The rule of the newest verdict.
    pub rule: String,
    /// One for each column, or only one.
    pub curves: Vec<Curve>,
    /// The limit at each window's end.
    pub limit: Vec<(Millis, f64)>,
}

/// One number over time.
#[derive(Debug)]
pub struct Curve {
    /// The column; empty if the watch is about none.
    pub name: String,
    /// When, how much, and whether it held.
    pub points: Vec<(Millis, f64, bool)>,
}

impl Series {
    /// Of everything about these names.
    pub fn of(entries: &[Entry], about: &[&str]) -> Series {
        let mut series = Series::default();
        let mut live = Live::default();
        for entry in entries {
            if live.apply(entry).is_err() {
                break;
            }
            series.mark_version(&live, entry.at, about);
            if let What::Monitor { monitor, event: monitor::Event::Judged { window, watches, .. } } = &entry.what
                && about.contains(&monitor.as_str())
            {
                series.add(monitor, window.to, watches);
            }
        }
        let ends = || series.charts.iter().flat_map(|chart| &chart.limit).map(|(at, _)| *at);
        (series.from, series.to) = (ends().min().unwrap_or(0), ends().max().unwrap_or(1));
        // The first version was there before the first window ended.
        if let Some((first, _)) = series.versions.first() {
            series.from = series.from.min(*first);
        }
        series
    }

    fn mark_version(&mut self, live: &Live, at: Millis, about: &[&str]) {
        for (name, _) in live.deployments().filter(|(name, _)| about.contains(name)) {
            if let Some((model, version)) = live.serving(name) {
                let name = format!("{model}@{version}");
                if self.versions.last().is_none_or(|(_, last)| *last != name) {
                    self.versions.push((at, name));
                }
            }
        }
    }

    fn add(&mut self, monitor: &str, at: Millis, verdicts: &[monitor::WatchVerdict]) {
        self.windows += 1;
        self.breached += usize::from(verdicts.iter().any(|verdict| verdict.held == Some(false)));
        for verdict in verdicts {
            let chart =
                match self.charts.iter().position(|chart| chart.monitor == monitor && chart.text == verdict.text) {
                    Some(known) => &mut self.charts[known],
                    None => {
                        let (monitor, text) = (monitor.to_owned(), verdict.text.clone());
                        self.charts.push(Chart {
                            monitor,
                            text,
                            rule: String::new(),
                            curves: Vec::new(),
                            limit: Vec::new(),
                        });
                        let last = self.charts.len() - 1;
                        &mut self.charts[last]
                    }
                };
            chart.rule.clone_from(&verdict.rule);
            if let Some(threshold) = verdict.threshold.filter(|number| number.is_finite())
                && chart.limit.last().is_none_or(|(last, _)| *last != at)
            {
                chart.limit.push((at, threshold));
            }
            let name = verdict.column.clone().unwrap_or_default();
            let curve = match chart.curves.iter().position(|curve| curve.name == name) {
                Some(known) => &mut chart.curves[known],
                None => {
                    chart.curves.push(Curve { name, points: Vec::new() });
                    let last = chart.curves.len() - 1;
                    &mut chart.curves[last]
                }
            };
            if let Some(number) = verdict.statistic.filter(|number| number.is_finite()) {
                curve.points.push((at, number, verdict.held != Some(false)));
            }
        }
    }
}
