//! What a user reads when a table is wrong, and the laws of reading.

use super::*;
use mlp_lang::finding::Place;
use mlp_lang::pipeline::{Expectation, Expr, Stat};
use mlp_lang::span::Span;
use mlp_lang::types::{Bound, Column, Schema, Type};
use mlp_lang::value::Value;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::PathBuf;

fn column(name: &str, ty: Type) -> Column {
    Column { name: name.into(), ty, nullable: false, unique: false, label: false, bounds: Vec::new() }
}

fn customers() -> DataNode {
    let ages = Value::Range { low: Value::Int(18).into(), high: Value::Int(120).into(), inclusive: true };
    let plans = Type::Enum(vec!["free".into(), "pro".into()]);
    let columns = vec![
        Column { unique: true, ..column("id", Type::String) },
        Column { bounds: vec![Bound::Within(ages)], ..column("age", Type::Int) },
        column("plan", plans),
        Column { nullable: true, ..column("charges", Type::Float) },
    ];
    DataNode {
        schema: Schema { name: Some("Customer".into()), columns },
        source: DataSource::Csv { path: "c.csv".into(), delimiter: b',', missing: vec![String::new()] },
        expectations: Vec::new(),
        pii: None,
    }
}

fn import_file(data: &DataNode, path: &Path) -> (Result<Imported, Vec<Finding>>, Option<Vec<u8>>) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let out = folder.path().join("out.parquet");
    let imported = TableReader.import(data, path, "c.csv", &out);
    (imported, std::fs::read(out).ok())
}

fn import(data: &DataNode, bytes: &[u8]) -> (Result<Imported, Vec<Finding>>, Option<Vec<u8>>) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("c.csv");
    std::fs::write(&path, bytes).expect("a scratch file");
    import_file(data, &path)
}

fn told(imported: Result<Imported, Vec<Finding>>) -> String {
    let mut out = String::new();
    match imported {
        Ok(imported) => writeln!(out, "  {} rows {:?}", imported.rows, imported.stats).expect("text"),
        Err(findings) => {
            for f in findings {
                let Place::Data { row, line, column, .. } = &f.primary.place else { panic!("not in data") };
                writeln!(out, "  {} {}: {}", f.code.id, f.code.name, f.message).expect("text");
                writeln!(out, "    row {row:?} line {line:?} column {column:?}").expect("text");
                f.notes.iter().for_each(|n| writeln!(out, "    note: {n}").expect("text"));
                f.help.iter().for_each(|h| writeln!(out, "    help: {h}").expect("text"));
            }
        }
    }
    out
}

#[test]
fn every_kind_of_bad_file_is_told_with_its_place() {
    let cases: &[(&str, &[u8])] = &[
        ("fine", b"id,age,plan,charges\na,20,pro,1.5\nb,30,free,\n"),
        ("bom", b"\xef\xbb\xbfid,age,plan,charges\na,20,pro,1.5\n"),
        ("bom before a quote", b"\xef\xbb\xbf\"id\",age,plan,charges\na,20,pro,1.5\n"),
        ("crlf", b"id,age,plan,charges\r\na,20,pro,1.5\r\nb,x,pro,1\r\n"),
        ("quoted newline", b"id,age,plan,charges\n\"a\nb\",20,pro,1.5\nc,x,pro,1\n"),
        ("other order, no last newline", b"plan,charges,id,age\npro,1,a,20"),
        ("word in a number", b"id,age,plan,charges\na,forty,pro,cheap\n"),
        ("missing column", b"id,agee,plan,charges\na,20,pro,1\n"),
        ("misspelt and extra", b"id,agee,plan,charges,note\na,20,pro,1,x\n"),
        ("other columns", b"name,mail\nann,ann@example.org\n"),
        ("extra column", b"id,age,plan,charges,note\na,20,pro,1,x\n"),
        ("duplicate headers", b"id,age,plan,age,charges\na,20,pro,20,1\n"),
        ("unclosed quote", b"id,age,plan,charges\na,20,pro,1\nb,30,\"pro,1\nc,4,pro,1\n"),
        ("quote at the very end", b"id,age,plan,charges\na,20,pro,\""),
        ("text after a quote", b"id,age,plan,charges\na,20,pro,1\n\"b\"c,30,\"pro\" ,1\n"),
        ("text after a quote, in the header", b"id,\"age\"s,plan,charges\na,20,pro,1\n"),
        ("quotes inside a bare cell", b"id,age,plan,charges\na\"b\"c,20,p\"r\"o,1\n"),
        ("ragged", b"id,age,plan,charges\na,20,pro\nb,20,pro,1,2\n"),
        ("empty", b""),
        ("blank lines", b"\n\n\r\n"),
        ("header alone", b"id,age,plan,charges\n"),
        ("latin-1", b"id,age,plan,charges\ncaf\xe9,20,pro,1\n"),
        ("latin-1 header", b"id,\xe2ge,plan,charges\na,20,pro,1\n"),
        ("utf-16", b"\xff\xfei\0d\0"),
        ("utf-16 without a mark", b"i\0d\0,\0a\0g\0e\0"),
        ("utf-16 without a mark, big end first", b"\0i\0d\0,\0a\0g\0e"),
        ("utf-32", b"\xff\xfe\0\0i\0\0\0"),
        ("utf-32, big end first", b"\0\0\xfe\xff\0\0\0i"),
        ("gzip", b"\x1f\x8b\x08\0\0\0"),
        ("nul", b"id,age,plan,charges\na\0b,20,pro,1\n"),
        ("two marks", b"\xef\xbb\xbf\xef\xbb\xbfid,age,plan,charges\na,20,pro,1\n"),
        ("unseen characters", "id,age,plan,charges\na,2\u{200b}0,pro\u{202e},1\u{a0}000\n".as_bytes()),
        ("long, odd and large", b"id,age,plan,charges\na,a text that is far too long to be missing,p\"\\,1e400\n"),
        ("values", b"id,age,plan,charges\na,130,por,NaN\na,99999999999999999999,,inf\nc,2.5,pro,\"1,000\"\n"),
        ("semicolons", b"id;age;plan;charges\na;20;pro;1\n"),
        ("no header", b"a,20,pro,1\n"),
        ("no header, equal cells", b"1,1,pro,1\n"),
    ];
    let mut out = String::new();
    for (name, bytes) in cases {
        let (imported, written) = import(&customers(), bytes);
        assert_eq!(imported.is_ok(), written.is_some(), "{name}: a table exactly when nothing is wrong");
        write!(out, "{name}: {:?}\n{}\n", String::from_utf8_lossy(bytes), told(imported)).expect("text");
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_stands_at_the_path_is_told() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    std::fs::write(folder.path().join("customers.csv"), "x").expect("a scratch file");
    let mut out = told(import_file(&customers(), &folder.path().join("custmers.csv")).0);
    out += &told(import_file(&customers(), folder.path()).0);
    out += &told(import_file(&customers(), &folder.path().join("no/c.csv")).0);
    insta::assert_snapshot!(out);
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_told() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a scratch folder");
    let at = |name: &str| folder.path().join(name);
    symlink("gone.csv", at("c.csv")).expect("a link");
    symlink("c.csv", at("twice.csv")).expect("a link");
    symlink("b.csv", at("a.csv")).expect("a link");
    symlink("a.csv", at("b.csv")).expect("a link");
    symlink("b.csv", at("into.csv")).expect("a link");
    let told: String = ["c.csv", "twice.csv", "a.csv", "into.csv"]
        .map(|name| format!("{name}\n{}", told(import_file(&customers(), &at(name)).0)))
        .concat();
    insta::assert_snapshot!(told.replace(&*folder.path().to_string_lossy(), "FOLDER"));
}

/// Asked of the mapping itself: the superuser, as whom tests may run, may read anything.
#[test]
fn errors_of_the_system_are_told_in_words() {
    use std::io::{Error, ErrorKind};
    let told: String = [ErrorKind::PermissionDenied, ErrorKind::NotADirectory, ErrorKind::TimedOut]
        .map(|kind| {
            let mut report = report::Report::new("c.csv");
            source::report_io(Path::new("no/c.csv"), "no/c.csv", &Error::from(kind), &mut report);
            told(Err(report.finish()))
        })
        .concat();
    insta::assert_snapshot!(told);
}

fn asking(data: &mut DataNode, stats: &[Stat]) {
    for stat in stats {
        let condition = Expr::Stat(stat.clone());
        data.expectations.push(Expectation { condition, text: String::new(), span: Span::new(0, 0) });
    }
}

#[test]
fn fractions_days_and_times_are_cells() {
    let mut data = customers();
    data.schema.columns = vec![column("share", Type::Fraction), column("day", Type::Date), column("at", Type::Time)];
    let [share, at] = ["share", "at"].map(str::to_owned);
    asking(&mut data, &[Stat::Min(share.clone()), Stat::Max(share), Stat::Fresh("day".into()), Stat::Fresh(at)]);
    let cases: [&[u8]; 3] = [
        b"share,day,at\n12%,2024-02-29,2024-01-01T00:00:00Z\n0.5,2023-01-01,2024-01-01T01:30:00.25+01:00\n",
        b"share,day,at\nhalf,2023-02-29,2024-01-01T00:00:00\n1e400%,24-01-01,2024-01-01T00:00:00.0000001Z\n",
        b"share,day,at\n% 5,29.02.2024,yesterday\n5%%,0000-01-01,2024-13-01T00:00:00Z\n",
    ];
    insta::assert_snapshot!(cases.map(|bytes| told(import(&data, bytes).0)).join("\n"));
}

#[test]
fn parquet_of_other_writers_is_converted_without_loss_or_told() {
    use arrow_array::types::Int32Type;
    use arrow_array::{
        ArrayRef, DictionaryArray, Float32Array, Int32Array, RecordBatch, TimestampMillisecondArray, UInt64Array,
    };
    use std::sync::Arc;
    let file = |count: u64, share: f32, zone: Option<&str>| {
        let plans: DictionaryArray<Int32Type> = ["pro", "free"].into_iter().collect();
        let times = TimestampMillisecondArray::from(vec![0, 1_700_000_000_123]).with_timezone_opt(zone);
        let columns: [(&str, ArrayRef); 5] = [
            ("age", Arc::new(Int32Array::from(vec![20, 30]))),
            ("share", Arc::new(Float32Array::from(vec![0.5, share]))),
            ("plan", Arc::new(plans)),
            ("at", Arc::new(times)),
            ("count", Arc::new(UInt64Array::from(vec![1, count]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).expect("a batch");
        let mut bytes = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
        writer.write(&batch).expect("memory");
        writer.close().expect("memory");
        bytes
    };
    let mut data = customers();
    data.source = DataSource::Parquet { path: "c.parquet".into() };
    data.schema.columns = vec![
        column("age", Type::Int),
        column("share", Type::Float),
        column("plan", Type::Enum(vec!["free".into(), "pro".into()])),
        column("at", Type::Time),
        column("count", Type::Int),
    ];
    asking(&mut data, &["age", "share", "plan", "at", "count"].map(|c| Stat::Max(c.into())));
    let cases = [
        ("fine", file(7, 0.25, Some("+02:00"))),
        ("too large, not a number", file(u64::MAX, f32::NAN, Some("UTC"))),
        ("a time of no zone", file(7, 0.25, None)),
    ];
    insta::assert_snapshot!(cases.map(|(name, bytes)| format!("{name}\n{}", told(import(&data, &bytes).0))).join("\n"));
}

#[test]
fn a_wide_header_and_many_bad_cells_make_a_short_report() {
    let wide: Vec<String> = (0..200_000).map(|i| format!("c{i}")).collect();
    let header = format!("id,age,plan,charges,{}\n", wide.join(","));
    let many = format!("id,age,plan,charges\n{}", (0..1244).map(|i| format!("r{i},x,pro,1\n")).collect::<String>());
    let mut out = told(import(&customers(), header.as_bytes()).0);
    let last = told(import(&customers(), many.as_bytes()).0);
    out += last.lines().find(|l| l.contains("note: and")).unwrap_or("no count");
    insta::assert_snapshot!(out);
}

#[test]
fn statistics_are_those_that_were_asked_for() {
    let mut data = customers();
    let asked = [
        Stat::Rows,
        Stat::Missing("charges".into()),
        Stat::Unique("plan".into()),
        Stat::Distinct("age".into()),
        Stat::Min("age".into()),
        Stat::Max("id".into()),
        Stat::Mean("charges".into()),
    ];
    asking(&mut data, &asked);
    let some = told(import(&data, b"id,age,plan,charges\na,20,pro,1\nb,30,pro,2\nc,20,pro,\n").0);
    let none = told(import(&data, b"id,age,plan,charges\n").0);
    insta::assert_snapshot!(some + &none);
}

#[test]
fn parquet_written_here_reads_back_to_the_same_bytes() {
    let csv = b"id,age,plan,charges\na,20,pro,1.5\nb,30,free,\n";
    let (_, first) = import(&customers(), csv);
    let first = first.expect("a table");
    let mut data = customers();
    data.source = DataSource::Parquet { path: "c.parquet".into() };
    let (imported, second) = import(&data, &first);
    assert_eq!(imported.map(|i| i.rows).ok(), Some(2));
    assert_eq!(second.as_ref(), Some(&first));
    for cut in 0..first.len() {
        assert!(import(&data, &first[..cut]).0.is_err(), "cut at {cut}");
    }
}

/// Not a test of speed: a way to see it. `MLP_CSV=file cargo test --release -p mlp-data -- --ignored --nocapture`
#[test]
#[ignore = "needs a large file, named by MLP_CSV, with columns a to e"]
fn speed() {
    let path = PathBuf::from(std::env::var_os("MLP_CSV").expect("MLP_CSV names a file"));
    let mut data = customers();
    data.schema.columns = vec![
        column("a", Type::Int),
        column("b", Type::Float),
        column("c", Type::String),
        column("d", Type::Date),
        column("e", Type::Bool),
    ];
    let start = std::time::Instant::now();
    let rows = import_file(&data, &path).0.expect("a good file").rows;
    println!("{rows} rows, {:.0} rows/s", rows as f64 / start.elapsed().as_secs_f64());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn what_the_csv_crate_writes_is_read_back(
        rows in proptest::collection::vec((any::<i64>(), -1e300..1e300f64, "[^\0]{1,12}"), 1..40),
    ) {
        let mut data = customers();
        data.schema.columns = vec![column("i", Type::Int), column("f", Type::Float), column("s", Type::String)];
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["i", "f", "s"]).expect("memory");
        for (i, f, s) in &rows {
            writer.write_record([i.to_string(), format!("{f:?}"), s.clone()]).expect("memory");
        }
        let bytes = writer.into_inner().expect("memory");
        let (imported, first) = import(&data, &bytes);
        prop_assert_eq!(imported.map(|i| i.rows).map_err(|f| format!("{f:?}")), Ok(rows.len() as u64));
        let mut table = tempfile::tempfile().expect("a scratch file");
        std::io::Write::write_all(&mut table, &first.clone().expect("a table")).expect("a scratch file");
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(table, 1000).expect("Parquet");
        let mut back = Vec::new();
        for batch in reader {
            use arrow_array::cast::AsArray;
            let batch = batch.expect("a batch");
            let ints = batch.column(0).as_primitive::<arrow_array::types::Int64Type>();
            let floats = batch.column(1).as_primitive::<arrow_array::types::Float64Type>();
            let texts = batch.column(2).as_string::<i32>();
            back.extend((0..batch.num_rows()).map(|r| (ints.value(r), floats.value(r), texts.value(r).to_owned())));
        }
        prop_assert_eq!(back, rows);
        prop_assert_eq!(import(&data, &bytes).1, first);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[ab,\"\n\r0-9]{0,80}") {
        let mut data = customers();
        let _ = import(&data, &bytes);
        let _ = import(&data, format!("id,age,plan,charges\n{text}").as_bytes());
        data.source = DataSource::Parquet { path: "p".into() };
        let _ = import(&data, &[b"PAR1", bytes.as_slice(), b"PAR1"].concat());
    }
}
