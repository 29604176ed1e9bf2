//! What no library has a number for, and the words.

use super::super::*;

fn texts(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn what_cannot_be_measured_says_why() {
    let nothing: [f64; 0] = [];
    let missing = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let ones = [1.0; 4];
    let many: Vec<f64> = (0..30).map(f64::from).collect();
    let (words, none) = (texts(&["a", "b"]), vec![None, None]);
    let huge: Vec<f64> =
        (0..30).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 } * (1.7e308 - f64::from(i) * 1e300)).collect();
    let close: Vec<f64> = (0..30).map(|i| 1.0 + f64::from(i % 22) * f64::EPSILON).collect();
    let table = [
        (Sample::Numbers(&nothing), Sample::Numbers(&ones), DriftMethod::Auto, NoDrift::NoRows(Side::Reference)),
        (Sample::Numbers(&missing), Sample::Numbers(&ones), DriftMethod::Ks, NoDrift::NoRows(Side::Reference)),
        (Sample::Numbers(&ones), Sample::Numbers(&missing), DriftMethod::Psi, NoDrift::NoRows(Side::Current)),
        (Sample::Numbers(&many), Sample::Numbers(&missing), DriftMethod::Psi, NoDrift::NoRows(Side::Current)),
        (Sample::Texts(&none), Sample::Texts(&words), DriftMethod::Auto, NoDrift::NoRows(Side::Reference)),
        (Sample::Texts(&words), Sample::Texts(&none), DriftMethod::Auto, NoDrift::NoRows(Side::Current)),
        (Sample::Texts(&words), Sample::Numbers(&ones), DriftMethod::Auto, NoDrift::Kinds),
        (Sample::Numbers(&ones), Sample::Texts(&words), DriftMethod::Auto, NoDrift::Kinds),
        (Sample::Texts(&words), Sample::Texts(&words), DriftMethod::Ks, NoDrift::NotNumeric(DriftMethod::Ks)),
        (
            Sample::Texts(&words),
            Sample::Texts(&words),
            DriftMethod::Wasserstein,
            NoDrift::NotNumeric(DriftMethod::Wasserstein),
        ),
        (Sample::Numbers(&many), Sample::Numbers(&many), DriftMethod::Z, NoDrift::MoreThanTwo),
        (Sample::Numbers(&ones), Sample::Numbers(&ones), DriftMethod::ChiSquare, NoDrift::OneValue),
        (Sample::Numbers(&huge), Sample::Numbers(&many), DriftMethod::Wasserstein, NoDrift::TooLarge),
        (Sample::Numbers(&many), Sample::Numbers(&huge), DriftMethod::Wasserstein, NoDrift::TooLarge),
        (Sample::Numbers(&huge), Sample::Numbers(&huge), DriftMethod::Psi, NoDrift::TooLarge),
        (Sample::Numbers(&close), Sample::Numbers(&vec![1.0; 1 << 22]), DriftMethod::Psi, NoDrift::TooClose),
    ];
    let mut said = Vec::new();
    for (reference, current, method, why) in table {
        assert_eq!(drift(&reference, &current, method, true), Err(why), "{method:?} {why}");
        said.push(why.to_string());
    }
    said.sort();
    said.dedup();
    insta::assert_snapshot!(said.join("\n"), @"
    `ks` is for numbers, and the column holds categories
    `wasserstein` is for numbers, and the column holds categories
    a chi-square needs two values, and the column holds one
    a z-test compares two values, and the column holds more
    the numbers are too close together for bins
    the numbers are too large to be compared
    the reference and the window hold different kinds, numbers and texts
    the reference has no rows with a value
    the window has no rows with a value
    ");
}

#[test]
fn codes_are_categories_even_where_they_are_many() {
    let codes: Vec<f64> = (0..1500).map(|i| f64::from(i % 40)).collect();
    let measured = drift(&Sample::Numbers(&codes), &Sample::Numbers(&codes), DriftMethod::Auto, false).unwrap();
    assert_eq!(measured.rule, Rule::JensenShannon(Bins::Values(40)));
    let refused = drift(&Sample::Numbers(&codes), &Sample::Numbers(&codes), DriftMethod::Ks, false);
    assert_eq!(refused, Err(NoDrift::NotNumeric(DriftMethod::Ks)));
}

#[test]
fn the_rule_turns_at_a_thousand_rows_and_five_values() {
    let sample = |rows: u32, values: u32| -> Vec<f64> { (0..rows).map(|row| f64::from(row % values)).collect() };
    let table = [
        (1000, 6, DriftMethod::Ks),
        (1001, 6, DriftMethod::Wasserstein),
        (1000, 5, DriftMethod::ChiSquare),
        (1000, 3, DriftMethod::ChiSquare),
        (1000, 2, DriftMethod::Z),
        (1000, 1, DriftMethod::Z),
        (1001, 5, DriftMethod::JensenShannon),
        (1001, 1, DriftMethod::JensenShannon),
    ];
    for (rows, values, method) in table {
        let reference = sample(rows, values);
        let measured = drift(&Sample::Numbers(&reference), &Sample::Numbers(&[0.0]), DriftMethod::Auto, true).unwrap();
        assert_eq!(measured.rule.method(), method, "{rows} rows, {values} values");
    }
    // Values are counted over both samples.
    let measured = drift(&Sample::Numbers(&sample(9, 2)), &Sample::Numbers(&[5.0]), DriftMethod::Auto, true).unwrap();
    assert_eq!(measured.rule, Rule::ChiSquare { values: 3 });
}

#[test]
fn each_rule_has_its_own_side_of_the_threshold() {
    let table = [
        (Rule::Ks { exact: true }, true),
        (Rule::ChiSquare { values: 3 }, false),
        (Rule::Z, false),
        (Rule::Wasserstein, true),
        (Rule::JensenShannon(Bins::Values(3)), true),
        (Rule::Psi(Bins::Sturges(14)), true),
    ];
    let mut words = Vec::new();
    for (rule, at_the_threshold) in table {
        assert_eq!(rule.drifts(rule.threshold(), rule.threshold()), at_the_threshold, "{rule}");
        let far = if rule.method().gives_p_value() { 0.0 } else { 7.0 };
        assert!(rule.drifts(far, rule.threshold()), "{rule}");
        assert!(!rule.drifts(rule.threshold() * 2.0 - far, rule.threshold()), "{rule}");
        words.push(format!("{rule}: {}", rule.threshold()));
    }
    insta::assert_snapshot!(words.join("\n"), @"
    Kolmogorov-Smirnov p-value (exact): 0.05
    chi-square p-value (3 values): 0.05
    z-test p-value: 0.05
    Wasserstein distance / standard deviation: 0.1
    Jensen-Shannon distance (3 values): 0.1
    population stability index (14 bins): 0.1
    ");
}

#[test]
fn whole_numbers_get_no_bin_narrower_than_one() {
    assert_eq!(sturges((0.0, 4.0), 1 << 20, true).unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(sturges((0.0, 4.0), 1 << 20, false).unwrap().len(), 22);
    assert_eq!(sturges((3.0, 3.0), 10, false).unwrap(), [2.5, 3.5]);
}

#[test]
fn no_columns_have_no_share() {
    assert_eq!(share(&[]), None);
}
