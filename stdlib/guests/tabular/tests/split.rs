//! What `tabular.split` promises.

use mlp_sdk::{Error, Table, testing};
use mlp_std_tabular::split::{Inputs, Params, run};

const NOTHING: Params =
    Params { test: None, train_rows: None, before: None, by: None, shuffle: true, seed: 0, stratify: None };

fn table() -> Table {
    testing::table(vec![
        testing::ints("id", 0..10),
        testing::dates("day", [5, 3, 8, 1, 9, 2, 7, 4, 6, 0]),
        testing::levels(
            "plan",
            &["pro", "free"],
            ["free", "free", "pro", "free", "pro", "free", "free", "pro", "free", "free"],
        ),
        testing::floats("charges", [Some(0.5); 10].into_iter().enumerate().map(|(i, c)| c.filter(|_| i != 4))),
    ])
}

/// The ids of both parts, in the order written.
fn split(params: Params) -> Result<(Vec<i64>, Vec<i64>), Error> {
    let outputs = run(params, Inputs { rows: table().into() })?;
    let ids = |part: mlp_sdk::Dataset| -> Vec<i64> {
        let texts = part.read().expect("in memory").cells("id").expect("a column").texts();
        texts.into_iter().flatten().map(|id| id.parse().expect("an int")).collect()
    };
    Ok((ids(outputs.train), ids(outputs.test)))
}

fn error(params: Params) -> String {
    split(params).expect_err("must be refused").to_string()
}

#[test]
fn the_same_seed_draws_the_same_rows_and_keeps_their_order() {
    let share = Params { test: Some(0.3), seed: 7, ..NOTHING };
    let (train, test) = split(share.clone()).expect("splits");
    assert_eq!(
        (&train, &test),
        (&vec![0, 1, 3, 4, 5, 8, 9], &vec![2, 6, 7]),
        "as in every version and on every machine"
    );
    assert_eq!(split(share.clone()).expect("splits"), (train.clone(), test));
    assert_ne!(split(Params { seed: 8, ..share }).expect("splits").0, train);
}

#[test]
fn in_order_the_last_rows_are_for_testing() {
    let in_order = Params { shuffle: false, ..NOTHING };
    let (train, test) = split(Params { test: Some(0.25), ..in_order.clone() }).expect("splits");
    assert_eq!((train, test), ((0..7).collect(), vec![7, 8, 9]), "2.5 rows round to 3");
    let (train, test) = split(Params { train_rows: Some(9), ..in_order }).expect("splits");
    assert_eq!((train, test), ((0..9).collect(), vec![9]));
}

#[test]
fn by_a_column_the_largest_are_for_testing() {
    let by_day = Params { by: Some("day".into()), ..NOTHING };
    let (train, test) = split(Params { before: Some("1970-01-08".into()), ..by_day.clone() }).expect("splits");
    assert_eq!((train, test), (vec![9, 3, 5, 1, 7, 0, 8], vec![6, 2, 4]));
    let (train, test) = split(Params { test: Some(0.2), ..by_day }).expect("splits");
    assert_eq!((train, test), (vec![9, 3, 5, 1, 7, 0, 8, 6], vec![2, 4]));
    let by_plan = Params { by: Some("plan".into()), before: Some("free".into()), ..NOTHING };
    let (train, _) = split(by_plan).expect("splits");
    assert_eq!(train, vec![2, 4, 7], "an enum's order is the one declared");
}

#[test]
fn strata_keep_their_shares() {
    for seed in 0..20 {
        let params = Params { test: Some(0.4), seed, stratify: Some("plan".into()), ..NOTHING };
        let (train, test) = split(params).expect("splits");
        let pro = |ids: &[i64]| ids.iter().filter(|id| [2, 4, 7].contains(*id)).count();
        assert_eq!((train.len(), test.len(), pro(&train), pro(&test)), (6, 4, 2, 1), "4 * 3 / 10 is nearest to 1");
    }
}

#[test]
fn every_row_is_in_exactly_one_part() {
    for seed in 0..20 {
        for share in [0.1, 0.34, 0.5, 0.9] {
            let (mut train, test) = split(Params { test: Some(share), seed, ..NOTHING }).expect("splits");
            train.extend(test);
            train.sort_unstable();
            assert_eq!(train, (0..10).collect::<Vec<_>>());
        }
    }
}

#[test]
fn settings_that_do_not_fit_together_are_refused_by_name() {
    assert_eq!(error(NOTHING), "test: say where to cut: one of `test`, `train_rows` and `before`");
    assert_eq!(
        error(Params { test: Some(0.2), train_rows: Some(3), ..NOTHING }),
        "train_rows: only one of test, train_rows may be given"
    );
    assert_eq!(
        error(Params { before: Some("3".into()), ..NOTHING }),
        "by: `before` cuts by a column's value: name the column, `by: signup`"
    );
    assert_eq!(
        error(Params { before: Some("soon".into()), by: Some("day".into()), ..NOTHING }),
        "before: column `day`: `soon` is no value of a column of type date"
    );
    assert_eq!(
        error(Params { test: Some(0.5), by: Some("charges".into()), ..NOTHING }),
        "column `charges`: cannot order rows by it: 1 cell is missing"
    );
    assert_eq!(
        error(Params { test: Some(0.5), stratify: Some("charges".into()), ..NOTHING }),
        "stratify: column `charges`: a column of floats has no groups to keep the shares of: use a bool, an int, an enum \
         or a text"
    );
}

#[test]
fn an_empty_part_is_refused() {
    assert_eq!(error(Params { test: Some(0.0), ..NOTHING }), "test: leaves no row of 10 for testing");
    assert_eq!(error(Params { test: Some(1.0), ..NOTHING }), "test: leaves no row of 10 for training");
    assert_eq!(error(Params { train_rows: Some(10), ..NOTHING }), "train_rows: 10 of 10 rows leaves an empty part");
    assert_eq!(
        error(Params { before: Some("1970-01-01".into()), by: Some("day".into()), ..NOTHING }),
        "before: leaves no row of 10 for training"
    );
}
