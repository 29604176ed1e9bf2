//! January to March against July to September of a city's bicycle rentals: figures of Evidently 0.7.23 on the same rows.

use super::super::*;

const BIKESHARE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/bikeshare/data/hours.csv");

/// The columns that Evidently is told are categories, and those that are amounts.
const CATEGORIES: [&str; 5] = ["season", "holiday", "weekday", "workingday", "weathersit"];
const AMOUNTS: [&str; 9] = ["day", "hr", "temp", "atemp", "hum", "windspeed", "casual", "registered", "bikers"];

/// The texts of `column` in the rows of the months, at most `rows` of them.
fn texts(column: &str, months: [&str; 3], rows: usize) -> Vec<Option<String>> {
    let mut file = csv::Reader::from_path(BIKESHARE).unwrap();
    let headers = file.headers().unwrap().clone();
    let place = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (column, month) = (place(column), place("mnth"));
    file.records()
        .map(Result::unwrap)
        .filter(|row| months.contains(&&row[month]))
        .map(|row| Some(row[column].to_owned()))
        .take(rows)
        .collect()
}

fn numbers(column: &str, months: [&str; 3], rows: usize) -> Vec<f64> {
    texts(column, months, rows).into_iter().flatten().map(|text| text.parse().unwrap()).collect()
}

const WINTER: [&str; 3] = ["Jan", "Feb", "March"];
const SUMMER: [&str; 3] = ["July", "Aug", "Sept"];

fn measured(column: &str, rows: usize) -> Drift {
    if CATEGORIES.contains(&column) {
        let (reference, current) = (texts(column, WINTER, rows), texts(column, SUMMER, rows));
        drift(&Sample::Texts(&reference), &Sample::Texts(&current), DriftMethod::Auto, false).unwrap()
    } else {
        let (reference, current) = (numbers(column, WINTER, rows), numbers(column, SUMMER, rows));
        drift(&Sample::Numbers(&reference), &Sample::Numbers(&current), DriftMethod::Auto, true).unwrap()
    }
}

#[test]
fn nine_of_fourteen_columns_drift_from_winter_to_summer() {
    let expected = [
        ("temp", 3.776_645_28, DriftMethod::Wasserstein),
        ("atemp", 3.490_389_65, DriftMethod::Wasserstein),
        ("hum", 0.464_842_40, DriftMethod::Wasserstein),
        ("windspeed", 0.369_947_38, DriftMethod::Wasserstein),
        ("casual", 1.622_221_69, DriftMethod::Wasserstein),
        ("registered", 1.438_987_07, DriftMethod::Wasserstein),
        ("bikers", 1.685_810_51, DriftMethod::Wasserstein),
        ("day", 6.960_464_33, DriftMethod::Wasserstein),
        ("hr", 0.037_228_57, DriftMethod::Wasserstein),
        ("season", 0.832_554_61, DriftMethod::JensenShannon),
        ("weathersit", 0.078_013_74, DriftMethod::JensenShannon),
        ("workingday", 0.014_636_16, DriftMethod::JensenShannon),
        ("holiday", 0.003_153_13, DriftMethod::JensenShannon),
        ("weekday", 0.021_496_53, DriftMethod::JensenShannon),
    ];
    let mut drifts = Vec::new();
    for (column, statistic, method) in expected {
        let measured = measured(column, usize::MAX);
        assert!((measured.statistic - statistic).abs() < 1e-8, "{column}: {measured:?}");
        assert_eq!((measured.rule.method(), measured.drifted), (method, statistic >= 0.1), "{column}");
        assert_eq!((measured.reference_rows, measured.current_rows), (2067, 2192));
        drifts.push(measured);
    }
    assert_eq!(share(&drifts), Some(9.0 / 14.0));
}

#[test]
fn the_first_eight_hundred_rows_are_tested_instead() {
    let expected = [
        ("hum", 3.134_483_926_e-5, DriftMethod::Ks),
        ("windspeed", 1.536_405_796e-4, DriftMethod::Ks),
        ("hr", 0.829_880_687, DriftMethod::Ks),
        ("temp", 0.0, DriftMethod::Ks),
        ("casual", 1.361_859_726e-178, DriftMethod::Ks),
        ("season", 0.0, DriftMethod::Z),
        ("weathersit", 7.239_747_817e-58, DriftMethod::ChiSquare),
        ("workingday", 0.459_595_821, DriftMethod::Z),
        ("holiday", 1.0, DriftMethod::Z),
        ("weekday", 0.456_660_551, DriftMethod::ChiSquare),
    ];
    for (column, p_value, method) in expected {
        let measured = measured(column, 800);
        assert!((measured.statistic - p_value).abs() <= 1e-8 * p_value + 1e-300, "{column}: {measured:?}");
        assert_eq!((measured.rule.method(), measured.is_p_value, measured.threshold), (method, true, 0.05), "{column}");
        assert_eq!(measured.drifted, p_value < 0.05, "{column}");
    }
    assert_eq!(AMOUNTS.len() + CATEGORIES.len(), 14);
}

#[test]
fn the_stability_index_depends_on_whose_bins_are_taken() {
    let (reference, current) = (numbers("temp", WINTER, usize::MAX), numbers("temp", SUMMER, usize::MAX));
    let (winter, summer) = (Sample::Numbers(&reference), Sample::Numbers(&current));
    let both = drift(&winter, &summer, DriftMethod::Psi, true).unwrap();
    assert_eq!(both.rule, Rule::Psi(Bins::Sturges(14)));
    assert!((both.statistic - 11.177_601_37).abs() < 1e-8, "{both:?}");
    let deciles = by_quantiles(&Numbers::new(&reference).unwrap(), &Numbers::new(&current).unwrap(), 10);
    assert_eq!(deciles.len(), 10);
    let deciles = psi(&deciles).unwrap();
    assert!((deciles - 7.697_059_45).abs() < 1e-8, "{deciles}");
}
