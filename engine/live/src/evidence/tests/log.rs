use super::*;
use crate::evidence::EvidenceError;
use proptest::prelude::*;
use std::fs;

/// Every cell as text, so that NaN equals NaN.
fn shown(rows: &Rows) -> String {
    format!("{rows:#?}")
}

#[test]
fn what_was_appended_is_read_back_from_memory_from_the_log_and_from_segments() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    (0..7).for_each(|n| log.append(request(n)));
    let from_memory = everything(&log);
    assert_eq!(ids(&from_memory), ["r0", "r1", "r2", "r3", "r4", "r5", "r6"]);
    assert_eq!(from_memory.predictions, Predictions::Numbers(vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]));
    assert_eq!(from_memory.column("open"), Some(&Cells::Numbers(vec![0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0])));

    let copy = killed(folder.path());
    let from_log = everything(&open(copy.path()));
    assert_eq!(shown(&from_log), shown(&from_memory));

    drop(log);
    assert_eq!(files(folder.path()), ["log", "rows_0_6_0_21600000.parquet"]);
    let reopened = open(folder.path());
    assert_eq!(shown(&everything(&reopened)), shown(&from_memory), "loaded into memory");
    drop(reopened);
    let small = open_with(folder.path(), limits(0, 100));
    assert_eq!(small.held(), 0);
    assert_eq!(shown(&everything(&small)), shown(&from_memory), "read from the segment for each window");
}

#[test]
fn a_segment_has_the_declared_types_and_keeps_the_names_of_the_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.append(request(1));
    drop(log);
    let file = fs::File::open(folder.path().join("rows_0_0_3600000_3600000.parquet")).expect("is there");
    let (schema, _) = mlp_data::cells::read_batches(file, None).expect("reads");
    let columns: Vec<String> = schema.fields().iter().map(|f| format!("{}: {}", f.name(), f.data_type())).collect();
    insta::assert_snapshot!(columns.join("\n"), @r#"
    temp: Float64
    hr: Int64
    open: Boolean
    sky: Utf8
    at: Timestamp(ms, "UTC")
    id: Utf8
    id_: Utf8
    request: Utf8
    at_: Timestamp(ms, "UTC")
    version: UInt64
    prediction: Float64
    "#);
}

#[test]
fn rows_of_one_request_are_numbered() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.introduce(3, &yes_or_no());
    log.append(classified(1, 3, 3));
    log.append(classified(2, 3, 1));
    let rows = everything(&log);
    assert_eq!(ids(&rows), ["r1/0", "r1/1", "r1/2", "r2"]);
    assert_eq!(rows.classes, ["no", "yes"]);
    assert_eq!(rows.predictions, Predictions::Probabilities([0.25, 0.75].repeat(4)));
    drop(log);
    assert_eq!(everything(&open(folder.path())), rows, "from the segment");
}

#[test]
fn a_window_holds_its_begin_and_not_its_end_and_one_version_if_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    for n in 0..10 {
        log.append(Predicted { version: 1 + (n % 2) as u64, ..request(n) });
    }
    log.flush().expect("flushes");
    let window = |from, to, version| log.window(from * HOUR, to * HOUR, version).expect("reads").ids.join(" ");
    assert_eq!(window(3, 6, None), "r3 r4 r5");
    assert_eq!(window(3, 6, Some(2)), "r3 r5");
    assert_eq!(window(3, 3, None), "");
    assert_eq!(window(6, 3, None), "");
    assert_eq!(window(10, 99, None), "");
}

#[test]
fn a_torn_end_is_cut_wherever_the_write_was_cut_short() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    (0..4).for_each(|n| log.append(request(n)));
    log.flush().expect("flushes");
    let copy = killed(folder.path());
    let bytes = fs::read(copy.path().join("log")).expect("reads");
    let mut seen = Vec::new();
    for length in (0..bytes.len()).step_by(3).chain([bytes.len()]) {
        fs::write(copy.path().join("log"), &bytes[..length]).expect("writes");
        let log = Evidence::open_with(copy.path(), &schema(), None, limits(9, 100)).expect("opens");
        let rows = everything(&log);
        assert_eq!(ids(&rows), ["r0", "r1", "r2", "r3"][..rows.len()], "cut at {length}");
        seen.push(rows.len());
        log.append(request(9));
        assert_eq!(ids(&everything(&log)).last(), Some(&"r9"), "cut at {length}: goes on");
        drop(log);
        fs::read_dir(copy.path())
            .expect("lists")
            .for_each(|e| fs::remove_file(e.expect("an entry").path()).expect("removes"));
    }
    assert_eq!((seen.first(), seen.last()), (Some(&0), Some(&4)));
    assert!(seen.is_sorted());
}

#[test]
fn a_crash_between_segment_and_log_doubles_no_row_and_loses_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    (0..3).for_each(|n| log.append(request(n)));
    log.seal().expect("seals");
    (3..5).for_each(|n| log.append(request(n)));
    log.put_labels(vec![("r3".into(), super::super::LabelValue::Number(7.0))], 0).expect("kept");
    log.flush().expect("flushes");
    let before = killed(folder.path());
    log.seal().expect("seals");
    let after = killed(folder.path());
    // The new segments are there, the log is not emptied, the segment that was merged is not removed.
    for name in files(before.path()) {
        fs::copy(before.path().join(&name), after.path().join(&name)).expect("copies");
    }
    fs::write(after.path().join("rows_5_9_0_0.parquet.tmp"), b"half a segment").expect("writes");
    let names = ["labels_0_0_0_0.parquet", "log", "rows_0_2_0_7200000.parquet", "rows_0_4_0_14400000.parquet"];
    assert_eq!(files(after.path())[..4], names);

    let log = open(after.path());
    let rows = everything(&log);
    assert_eq!(ids(&rows), ["r0", "r1", "r2", "r3", "r4"]);
    assert_eq!(rows.labels[3], Some(super::super::LabelValue::Number(7.0)));
    log.append(request(5));
    drop(log);
    assert_eq!(files(after.path()), ["labels_0_0_0_0.parquet", "log", "rows_0_5_0_18000000.parquet"]);
    assert_eq!(everything(&open(after.path())).len(), 6);
}

#[test]
fn small_segments_are_merged_until_they_are_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_with(folder.path(), limits(1_000, 5));
    for n in 0..12 {
        log.append(request(n));
        log.seal().expect("seals");
    }
    let rows: Vec<String> = files(folder.path()).into_iter().filter(|name| name.starts_with("rows")).collect();
    let hours = |from: i64, to: i64| format!("rows_{from}_{to}_{}_{}.parquet", from * HOUR, to * HOUR);
    assert_eq!(rows, [hours(0, 4), hours(10, 11), hours(5, 9)]);
    assert_eq!(everything(&log).len(), 12);
}

#[test]
fn a_log_becomes_a_segment_by_itself_when_it_is_long_or_old() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_with(folder.path(), limits(1_000, 10));
    (0..10).for_each(|n| log.append(request(n)));
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    let sealed = |count| files(folder.path()).iter().filter(|name| name.starts_with("rows")).count() == count;
    while !sealed(1) {
        assert!(std::time::Instant::now() < deadline, "ten rows are a segment");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(log);
    let old = Limits { age: Duration::from_millis(20), ..limits(1_000, 10) };
    let log = open_with(folder.path(), old);
    log.append(request(10));
    while !sealed(2) {
        assert!(std::time::Instant::now() < deadline, "an old row is put into a segment");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(log);
}

#[test]
fn probabilities_without_names_and_crooked_requests_are_dropped_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.append(classified(1, 8, 2));
    log.append(Predicted { columns: vec![("temp".into(), Cells::Numbers(vec![1.0; 3]))], ..request(2) });
    assert!(everything(&log).is_empty());
    assert_eq!(log.dropped(), 2 + 3);
    log.introduce(8, &yes_or_no());
    log.append(classified(1, 8, 2));
    assert_eq!((everything(&log).len(), log.dropped()), (2, 5));
}

#[test]
fn a_burst_is_logged_or_counted_never_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_with(folder.path(), Limits { memory: 1_000_000, ..Limits::default() });
    let wide = |n: i64| Predicted {
        columns: vec![("temp".into(), Cells::Numbers(vec![0.5; 4_000]))],
        predictions: Predictions::Numbers(vec![1.0; 4_000]),
        ..request(n)
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (log, wide) = (&log, &wide);
            scope.spawn(move || (0..25).for_each(|n| log.append(wide(thread * 100 + n))));
        }
    });
    let logged = everything(&log).len() as u64;
    assert_eq!(logged + log.dropped(), 4 * 25 * 4_000);
}

#[test]
fn a_file_that_is_no_log_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("log"), b"dear diary, today").expect("writes");
    let error = Evidence::open(folder.path(), &schema(), None).expect_err("refuses");
    assert!(matches!(error, EvidenceError::Damaged { .. }), "{error}");
    assert_eq!(fs::read(folder.path().join("log")).expect("reads"), b"dear diary, today");
}

#[test]
fn a_damaged_segment_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.append(request(1));
    drop(log);
    let path = folder.path().join("rows_0_0_3600000_3600000.parquet");
    fs::write(&path, b"PAR1 nothing PAR1").expect("writes");
    let error = Evidence::open(folder.path(), &schema(), None).expect_err("refuses").to_string();
    assert!(error.contains("rows_0_0_3600000_3600000.parquet is damaged"), "{error}");
}

#[test]
fn what_another_pipeline_logged_stays_readable() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.append(request(1));
    let other =
        vec![("temp".into(), Cells::Texts(vec![Some("warm".into())])), ("new".into(), Cells::Numbers(vec![1.0]))];
    log.append(Predicted { columns: other, ..request(2) });
    log.introduce(2, &yes_or_no());
    log.append(classified(3, 2, 1));
    let rows = everything(&log);
    assert_eq!(format!("{:?}", rows.column("temp")), "Some(Numbers([0.1, NaN, 0.5]))");
    assert_eq!(format!("{:?}", rows.column("new")), "Some(Numbers([NaN, 1.0, NaN]))");
    assert_eq!(format!("{:?}", rows.predictions), "Probabilities([NaN, NaN, NaN, NaN, 0.25, 0.75])");
    drop(log);
    assert_eq!(shown(&everything(&open(folder.path()))), shown(&rows), "from the segment");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever comes in whatever order, and is sealed, closed or killed between: each window is what a plain list says.
    #[test]
    fn a_window_is_what_a_plain_list_says(
        steps in proptest::collection::vec((0i64..60, 0u8..12), 1..60),
        memory in 0usize..20,
        segment in 1usize..12,
    ) {
        let mut folder = tempfile::tempdir().expect("a folder");
        let mut log = open_with(folder.path(), limits(memory, segment));
        let mut list: Vec<(i64, String)> = Vec::new();
        for (place, (hour, then)) in steps.into_iter().enumerate() {
            let id = format!("p{place}");
            log.append(Predicted { request: id.clone(), ..request(hour) });
            list.push((hour, id));
            match then {
                0 => log.seal().expect("seals"),
                1 => {
                    drop(log);
                    log = open_with(folder.path(), limits(memory, segment));
                }
                2 => {
                    log.flush().expect("flushes");
                    folder = killed(folder.path());
                    log = open_with(folder.path(), limits(memory, segment));
                }
                _ => {}
            }
        }
        log.flush().expect("flushes");
        list.sort_by_key(|(hour, _)| *hour);
        for (from, to) in [(0, 60), (10, 30), (29, 31), (45, 200)] {
            let rows = log.window(from * HOUR, to * HOUR, None).expect("reads");
            let wanted: Vec<&str> =
                list.iter().filter(|(hour, _)| (from..to).contains(hour)).map(|(_, id)| id.as_str()).collect();
            prop_assert_eq!(ids(&rows), wanted);
        }
    }
}
