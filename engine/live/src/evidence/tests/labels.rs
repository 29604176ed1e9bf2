use super::*;
use crate::evidence::{EvidenceError, LabelImport, LabelReport, LabelValue};
use std::fs;

fn number(id: &str, value: f64) -> (String, LabelValue) {
    (id.to_owned(), LabelValue::Number(value))
}

fn labels(log: &Evidence) -> Vec<String> {
    let value = |label: &Option<LabelValue>| match label {
        None => "-".to_owned(),
        Some(LabelValue::Number(number)) => number.to_string(),
        Some(LabelValue::Text(text)) => text.clone(),
    };
    everything(log).labels.iter().map(value).collect()
}

fn as_csv() -> LabelImport {
    LabelImport { shown: "labels.csv".into(), delimiter: b',', missing: vec![String::new()], at: 5 }
}

fn import(log: &Evidence, folder: &Path, text: &str) -> Result<LabelReport, EvidenceError> {
    let path = folder.join("labels.csv");
    fs::write(&path, text).expect("writes");
    log.import_labels(&path, &as_csv())
}

#[test]
fn labels_find_their_predictions_before_and_after_and_the_last_one_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    (0..3).for_each(|n| log.append(request(n)));
    let report = log.put_labels(vec![number("r0", 1.0), number("r2", 3.0), number("r9", 9.0), number("r0", 2.0)], 0);
    let expected = LabelReport { rows: 4, joined_now: 2, unknown: 1, duplicates: 1, ..LabelReport::default() };
    assert_eq!(report.expect("kept"), expected);
    assert_eq!(labels(&log), ["2", "-", "3"]);

    let report = log.put_labels(vec![number("r0", 2.0), number("r2", 4.0)], 0).expect("kept");
    assert_eq!(report, LabelReport { rows: 2, joined_now: 2, replaced: 1, unchanged: 1, ..LabelReport::default() });
    log.append(request(9));
    let all = ["2", "-", "4", "9"];
    assert_eq!(labels(&log), all, "the label came before its prediction");

    let copy = killed(folder.path());
    assert_eq!(labels(&open(copy.path())), all, "after a kill");
    drop(log);
    assert_eq!(labels(&open(folder.path())), all, "from segments");
}

#[test]
fn a_label_of_a_row_that_is_in_no_memory_any_more_is_joined() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_with(folder.path(), limits(0, 2));
    (0..5).for_each(|n| log.append(request(n)));
    log.seal().expect("seals");
    assert_eq!(log.held(), 0);
    let report = log.put_labels(vec![number("r1", 1.0), number("strange", 2.0)], 0).expect("kept");
    assert_eq!((report.joined_now, report.unknown), (1, 1));
    assert_eq!(labels(&log), ["-", "1", "-", "-", "-"]);
}

#[test]
fn a_file_of_labels_is_imported_once_however_often_it_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(&folder.path().join("log"));
    (0..3).for_each(|n| log.append(request(n)));
    let text = "seen by,request_id,bikers\nanna,r0,10\nbert,r1,11\nanna,r7,17\nanna,r0,12\n";
    let report = import(&log, folder.path(), text).expect("imports");
    assert_eq!(report, LabelReport { rows: 4, joined_now: 2, unknown: 1, duplicates: 1, ..LabelReport::default() });
    assert_eq!(labels(&log), ["12", "11", "-"]);
    let report = import(&log, folder.path(), text).expect("imports");
    assert_eq!((report.unchanged, report.replaced), (3, 0));
    drop(log);
    let names = files(&folder.path().join("log"));
    assert_eq!(names, ["labels_0_2_5_5.parquet", "log", "rows_0_2_0_7200000.parquet"], "nothing was kept twice");
}

#[test]
fn a_file_of_labels_may_be_parquet() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(&folder.path().join("log"));
    log.append(request(0));
    import(&log, folder.path(), "id,bikers\nr0,10\n").expect("imports");
    drop(log);
    // A segment of the log is a table like any other: its column `number` is renamed by declaring the label so.
    let label = column("number", Type::Float);
    let log = Evidence::open(&folder.path().join("other"), &schema(), Some(&label)).expect("opens");
    log.append(request(0));
    let parquet = folder.path().join("log/labels_0_0_5_5.parquet");
    assert_eq!(log.import_labels(&parquet, &as_csv()).expect("imports").joined_now, 1);
    assert_eq!(labels(&log), ["10"]);
}

#[test]
fn nothing_of_a_wrong_file_is_imported() {
    let cases = [
        ("no id column", "prediction,bikers\nr0,1\n"),
        ("no label column", "id,bikerz\nr0,1\n"),
        ("a wrong cell", "id,bikers\nr0,1\nr1,many\n"),
        ("a missing label", "id,bikers\nr0,1\nr1,\n"),
        ("a missing id", "id,bikers\nr0,1\n,2\n"),
        ("a ragged row", "id,bikers\nr0,1\nr1\n"),
        ("no rows", "id,bikers\n"),
        ("an empty file", ""),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(&folder.path().join("log"));
    (0..2).for_each(|n| log.append(request(n)));
    let mut told = String::new();
    for (case, text) in cases {
        let error = import(&log, folder.path(), text).expect_err(case);
        let EvidenceError::Findings(findings) = error else { panic!("{case}: {error}") };
        for finding in &findings {
            told += &format!("{case}: {} {} {:?}\n", finding.code.id, finding.message, finding.primary.place);
        }
        assert_eq!(labels(&log), ["-", "-"], "{case}");
    }
    insta::assert_snapshot!(told, @r#"
    no id column: D0012 the column `id` is not in the file Data { path: "labels.csv", row: None, line: Some(1), column: Some("id") }
    no label column: D0012 the column `bikers` is not in the file Data { path: "labels.csv", row: None, line: Some(1), column: Some("bikers") }
    a wrong cell: D0022 column `bikers` holds `many`, and a whole number is wanted Data { path: "labels.csv", row: Some(2), line: Some(3), column: Some("bikers") }
    a missing label: D0020 a cell of column `bikers` is missing Data { path: "labels.csv", row: Some(2), line: Some(3), column: Some("bikers") }
    a missing id: D0020 a cell of column `id` is missing Data { path: "labels.csv", row: Some(2), line: Some(3), column: Some("id") }
    a ragged row: D0015 the row has 1 cells, and the header 2 Data { path: "labels.csv", row: Some(2), line: Some(3), column: None }
    no rows: D0007 the table has columns but not one row Data { path: "labels.csv", row: None, line: None, column: None }
    an empty file: D0006 `labels.csv` is empty: not one byte in it Data { path: "labels.csv", row: None, line: None, column: None }
    "#);
    assert_eq!(files(&folder.path().join("log")), ["log"]);
}

#[test]
fn a_label_that_does_not_fit_its_column_is_refused_with_all_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.append(request(0));
    let text = |text: &str| ("r0".to_owned(), LabelValue::Text(text.to_owned()));
    for wrong in [number("r0", 1.5), number("r0", f64::NAN), text("many")] {
        assert!(log.put_labels(vec![number("r0", 1.0), wrong], 0).is_err());
    }
    assert_eq!(labels(&log), ["-"]);

    let sky = column("sky", Type::Enum(vec!["clear".into(), "rain".into()]));
    let log = Evidence::open(&folder.path().join("sky"), &schema(), Some(&sky)).expect("opens");
    let error = log.put_labels(vec![text("snow")], 0).expect_err("refuses").to_string();
    assert_eq!(
        error,
        "the label of `r0` is `snow`, and column `sky` wants one of `clear`, `rain`; none of these labels was kept"
    );
    assert!(log.put_labels(vec![text("rain")], 0).is_ok());

    let log = Evidence::open(&folder.path().join("none"), &schema(), None).expect("opens");
    assert!(matches!(log.put_labels(vec![text("rain")], 0), Err(EvidenceError::NoLabel)));
}
