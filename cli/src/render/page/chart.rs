//! One watch as a picture: its numbers, its limit, and the versions that served.

use super::escape;
use super::series::{Chart, Series};
use crate::render::time;
use mlp_core::record::Millis;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 28.0;

/// Told apart by people who do not see all colours, on light and on dark.
const COLOURS: [&str; 8] = ["#4269d0", "#e09f00", "#e8604c", "#2f9e8f", "#3a9a4a", "#d9679a", "#9660d8", "#8a6d5a"];

/// A figure with its caption.
pub fn figure(chart: &Chart, series: &Series) -> String {
    let scale = Scale::of(chart, series);
    let mut svg =
        format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n", escape(&chart.text));
    svg.push_str(&versions(series, &scale));
    svg.push_str(&axes(series, &scale));
    svg.push_str(&limit(chart, &scale));
    let mut labels = Vec::new();
    for (index, curve) in chart.curves.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let points: Vec<String> =
            curve.points.iter().map(|(at, number, _)| format!("{:.1},{:.1}", scale.x(*at), scale.y(*number))).collect();
        svg.push_str(&format!("<polyline class=\"curve\" stroke=\"{colour}\" points=\"{}\"/>\n", points.join(" ")));
        for (at, number, _) in curve.points.iter().filter(|(_, _, held)| !held) {
            svg.push_str(&format!(
                "<circle class=\"breach\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\"/>\n",
                scale.x(*at),
                scale.y(*number)
            ));
        }
        if let Some((_, last, _)) = curve.points.last().filter(|_| !curve.name.is_empty()) {
            labels.push((scale.y(*last), colour, curve.name.as_str()));
        }
    }
    svg.push_str(&names(labels));
    svg.push_str("</svg>\n");
    format!(
        "<figure>\n<figcaption>{}<small>{}: {}</small></figcaption>\n{svg}</figure>\n",
        escape(&chart.text),
        escape(&chart.monitor),
        escape(&chart.rule)
    )
}

/// From time and numbers to places.
struct Scale {
    from: Millis,
    to: Millis,
    low: f64,
    high: f64,
}

impl Scale {
    fn of(chart: &Chart, series: &Series) -> Scale {
        let numbers = chart.curves.iter().flat_map(|curve| &curve.points).map(|(_, number, _)| *number);
        let all: Vec<f64> = numbers.chain(chart.limit.iter().map(|(_, limit)| *limit)).collect();
        let high = all.iter().copied().fold(0.0, f64::max);
        let low = all.iter().copied().fold(0.0, f64::min);
        let high = if high > low { high + (high - low) * 0.06 } else { low + 1.0 };
        Scale { from: series.from, to: series.to.max(series.from + 1), low, high }
    }

    fn x(&self, at: Millis) -> f64 {
        let share = (at - self.from) as f64 / (self.to - self.from) as f64;
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, number: f64) -> f64 {
        let share = (number - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }
}

/// Which version served when: alternating bands with their names on top.
fn versions(series: &Series, scale: &Scale) -> String {
    let mut svg = String::new();
    for (index, (at, name)) in series.versions.iter().enumerate() {
        let end = series.versions.get(index + 1).map_or(series.to, |(next, _)| *next);
        let (left, right) = (scale.x(*at), scale.x(end));
        if index % 2 == 1 {
            svg.push_str(&format!(
                "<rect class=\"band\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>\n",
                (right - left).max(0.0),
                HEIGHT - TOP - BOTTOM
            ));
        }
        if index > 0 {
            svg.push_str(&format!(
                "<line class=\"turn\" x1=\"{left:.1}\" x2=\"{left:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\n",
                TOP - 6.0,
                HEIGHT - BOTTOM
            ));
        }
        svg.push_str(&format!(
            "<text class=\"version\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            left + 4.0,
            TOP - 9.0,
            escape(name)
        ));
    }
    svg
}

fn axes(series: &Series, scale: &Scale) -> String {
    let bottom = HEIGHT - BOTTOM;
    let mut svg =
        format!("<line class=\"axis\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\n", WIDTH - RIGHT);
    for number in ticks(scale.low, scale.high) {
        let y = scale.y(number);
        svg.push_str(&format!(
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0,
            short(number)
        ));
    }
    for (at, name) in time::calendar_marks(series.from, series.to, 9) {
        svg.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            scale.x(at),
            bottom + 18.0,
            escape(&name)
        ));
    }
    svg
}

fn limit(chart: &Chart, scale: &Scale) -> String {
    let points: Vec<String> =
        chart.limit.iter().map(|(at, limit)| format!("{:.1},{:.1}", scale.x(*at), scale.y(*limit))).collect();
    let Some((_, last)) = chart.limit.last() else { return String::new() };
    format!(
        "<polyline class=\"limit\" points=\"{}\"/>\n<text class=\"limit-name\" x=\"{}\" y=\"{:.1}\">limit {}</text>\n",
        points.join(" "),
        WIDTH - RIGHT + 6.0,
        scale.y(*last) + 4.0,
        short(*last)
    )
}

/// Names beside the ends of their curves, moved apart so that all can be read.
fn names(mut labels: Vec<(f64, &str, &str)>) -> String {
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut svg = String::new();
    let mut free = f64::MIN;
    for (y, colour, name) in labels {
        let y = y.max(free);
        free = y + 14.0;
        svg.push_str(&format!(
            "<text x=\"{}\" y=\"{:.1}\" style=\"fill:{colour}\">{}</text>\n",
            WIDTH - RIGHT + 6.0,
            y + 4.0,
            escape(name)
        ));
    }
    svg
}

/// Round numbers from `low` to `high`, about five.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough);
    let step = step.unwrap_or(power * 10.0);
    let first = (low / step).ceil() as i64;
    (first..).map(|n| n as f64 * step).take_while(|number| *number <= high).take(12).collect()
}

fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 1.06), [0.0, 0.5, 1.0]);
        assert_eq!(ticks(0.0, 100.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks(-1.0, 1.0), [-1.0, -0.5, 0.0, 0.5, 1.0]);
    }
}
