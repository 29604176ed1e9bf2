//! Which columns queries give.

use super::*;
use crate::types::Bound;
use crate::value::Value;
use proptest::prelude::*;

fn tables() -> HashMap<String, Table> {
    let column = |name: &str, ty: Type| Column {
        name: name.to_owned(),
        ty,
        nullable: false,
        unique: false,
        label: false,
        bounds: Vec::new(),
    };
    let texts = |texts: &[&str]| Type::Enum(texts.iter().map(|text| (*text).to_owned()).collect());
    let customers = vec![
        Column { unique: true, ..column("id", Type::String) },
        Column {
            bounds: vec![Bound::Compare(crate::types::Comparison::GreaterOrEqual, Value::Int(18))],
            ..column("age", Type::Int)
        },
        column("plan", texts(&["free", "pro"])),
        Column { nullable: true, ..column("charges", Type::Float) },
        column("signup", Type::Date),
        column("share", Type::Fraction),
        Column { label: true, ..column("churned", Type::Bool) },
    ];
    let visits = vec![column("id", Type::String), column("day", Type::Date), column("count", Type::Int)];
    let table = |columns| Table { columns: Some(columns), derived: Vec::new() };
    HashMap::from([
        ("customers".to_owned(), table(customers)),
        ("web.visits".to_owned(), table(visits)),
        ("blurred".to_owned(), Table::default()),
    ])
}

/// The columns as they would be declared, and what is wrong.
fn told(text: &str) -> String {
    let answer = match parse(text) {
        Ok(parsed) => check(&parsed, &tables()),
        Err(mistake) => return format!("{} at {:?}: {}", mistake.code.name, &text[mistake.range], mistake.message),
    };
    let mut out: Vec<String> = Vec::new();
    match &answer.table.columns {
        Some(columns) => out.extend(columns.iter().map(|column| {
            let marks = [
                (column.nullable, "?"),
                (column.unique, " unique"),
                (column.label, " label"),
                (!column.bounds.is_empty(), " bounded"),
                (answer.table.derived.contains(&column.name), " derived"),
            ];
            let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
            format!("{}: {}{marks}", column.name, column.ty)
        })),
        None => out.push("not known".to_owned()),
    }
    for mistake in &answer.mistakes {
        out.push(format!("! {} at {:?}", mistake.code.name, &text[mistake.range.clone()]));
    }
    out.join(", ")
}

#[test]
fn a_query_gives_columns_with_types() {
    let cases = [
        ("select id, age from customers", "id: string unique, age: int bounded"),
        ("select age as years, charges from customers", "years: int bounded, charges: float?"),
        ("select age + 1 as a, age * 1.5 as b, age / 2 as c from customers", "a: int, b: float, c: int"),
        ("select charges / nullif(age, 0) as x from customers", "x: float?"),
        ("select coalesce(charges, 0.0) as x from customers", "x: float"),
        ("select churned, not churned as stays from customers", "churned: bool label, stays: bool derived"),
        ("select churned as target, churned as again from customers", "target: bool label, again: bool derived"),
        ("select case when churned then 1 else 0 end as x from customers", "x: int derived"),
        ("select case when age > 60 then 'old' else 'young' end as x from customers", "x: \"old\" | \"young\""),
        ("select case when age > 60 then 'old' end as x from customers", "x: \"old\"?"),
        ("select coalesce(plan, 'none') as x from customers", "x: \"free\" | \"pro\" | \"none\""),
        (
            "select plan, count(*) as n, avg(charges) as m, sum(age) as s, max(signup) as d from customers group by plan",
            "plan: \"free\" | \"pro\" unique, n: int, m: float?, s: int?, d: date?",
        ),
        (
            "select avg(case when churned then 1.0 else 0.0 end) as rate, plan from customers group by plan",
            "rate: float?, plan: \"free\" | \"pro\" unique",
        ),
        ("select distinct plan from customers", "plan: \"free\" | \"pro\" unique"),
        ("select c.id, v.count from customers c left join web.visits v on c.id = v.id", "id: string, count: int?"),
        (
            "select * from customers join web.visits using (id)",
            "id: string, age: int bounded, plan: \"free\" | \"pro\", charges: float?, signup: date, share: fraction, \
          churned: bool label, day: date, count: int",
        ),
        ("select visits.day from web.visits", "day: date"),
        ("select web.visits.day from web.visits", "day: date"),
        ("select id from customers where charges is not null", "id: string unique"),
        ("select charges from customers where charges is not null and age > 3", "charges: float"),
        (
            "select signup + interval '1 day' as next, signup - date '2020-01-01' as since from customers",
            "next: date, since: unknown",
        ),
        (
            "select cast(age as double) as x, age::varchar as y, cast(age as int) as z from customers",
            "x: float, y: string, z: int bounded",
        ),
        ("select age from customers union all select count from web.visits", "age: int"),
        ("select age from customers union all select charges from customers", "age: float?"),
        ("with a as (select id, age from customers) select id from a where age > 3", "id: string unique"),
        (
            "with recursive r as (select 1 as n union all select n + 1 from r where n < 5) select n from r",
            "n: unknown?",
        ),
        (
            "select extract(year from signup) as y, date_trunc('month', signup) as m from customers",
            "y: int, m: unknown",
        ),
        ("select lag(churned) over (order by signup) as before from customers", "before: bool?"),
        ("select share, share * 100 as percent from customers", "share: fraction, percent: float"),
        ("select * from blurred", "not known"),
        ("select x, y + 1 as z from blurred", "x: unknown?, z: unknown?"),
        ("select (select max(age) from customers) as oldest", "oldest: int?"),
        ("values (1, 'a'), (2, 'b')", "column1: int, column2: \"a\" | \"b\""),
        ("select id, row_number() over (order by id) as n from customers", "id: string unique, n: int"),
        ("select count(*) filter (where churned) as n from customers", "n: int"),
        ("select age % 10 as bucket, count(*) as n from customers group by age % 10", "bucket: int, n: int"),
        ("select id from customers order by age desc limit 3", "id: string unique"),
        (
            "select c.* from customers c where exists (select 1 from web.visits v where v.id = c.id and v.day > c.signup)",
            "id: string unique, age: int bounded, plan: \"free\" | \"pro\", charges: float?, signup: date, share: fraction, \
          churned: bool label",
        ),
        ("select t.n from (select plan, count(*) as n from customers group by plan) t", "n: int"),
        ("select id from customers c left semi join web.visits v on c.id = v.id", "id: string unique"),
    ];
    for (text, wanted) in cases {
        assert_eq!(told(text), wanted.split_whitespace().collect::<Vec<_>>().join(" "), "{text}");
    }
}

#[test]
fn a_mistake_is_where_it_is() {
    let cases = [
        ("select ag from customers", "unknown-column at \"ag\""),
        ("select c.ag from customers c", "unknown-column at \"ag\""),
        ("select customers.age from customers c", "unknown-table at \"customers\""),
        ("select id\nfrom\n  nowhere", "unknown-table at \"nowhere\""),
        ("select 'é', agé from customers", "unknown-column at \"agé\""),
        ("select foo(age) as x from customers", "unknown-sql-function at \"foo\""),
        ("select id from customers where plan = 'gold'", "not-one-of at \"'gold'\""),
        ("select id from customers join web.visits using (idd)", "unknown-column at \"idd\""),
        ("select id from customers order by nme", "unknown-column at \"nme\""),
        ("select id from customers where age in (select countt from web.visits)", "unknown-column at \"countt\""),
        ("select sum(plan) as s from customers", "sql-type at \"plan\""),
    ];
    for (text, wanted) in cases {
        let told = told(text);
        assert!(told.contains(wanted), "{text}: {told}");
        assert_eq!(told.matches("! ").count(), 1 + usize::from(text.contains("'é'")), "{text}: {told}");
    }
}

/// Without optimisation the parser's frames are several times as large as in the binary, so this has a stack of 8 MiB.
#[test]
fn long_and_deep_queries_end() {
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(long_and_deep).unwrap();
    assert!(thread.join().is_ok());
}

fn long_and_deep() {
    let long = |n: usize| format!("select 1{} as x", " + 1".repeat(n));
    assert_eq!(told(&long(250)), "x: int");
    assert!(told(&long(20_000)).contains("too many operators"));
    assert!(told(&format!("select {}1{} as x", "(".repeat(5_000), ")".repeat(5_000))).contains("nests too deeply"));
    assert!(told(&vec!["select 1 as x"; 5_000].join(" union all ")).contains("too many operators"));
    assert_eq!(told(&vec!["select 1 as x"; 90].join(" union all ")), "x: int");
    let wide: Vec<String> = (0..3_000).map(|n| format!("age + {n} as a{n}")).collect();
    assert!(told(&format!("select {} from customers", wide.join(", "))).starts_with("a0: int, "));
    let nested =
        (0..10).fold("select age from customers".to_owned(), |inner, n| format!("select age from ({inner}) t{n}"));
    assert_eq!(told(&nested), "age: int bounded");
    assert_eq!(told(&format!("select {}1{} as x", "(".repeat(10), ")".repeat(10))), "x: int");
    let scalar = (0..9).fold("select 1 as x".to_owned(), |inner, _| format!("select ({inner}) as x"));
    assert_eq!(told(&scalar), "x: int?");
    assert!(told(&format!("{}select 1", "explain ".repeat(300))).contains("does something else"));
    assert!(told(&format!("select {}1 as x", "not ".repeat(200))).contains("nests too deeply"));
    assert!(
        told(&format!("select {}1{} as x", "case when true then ".repeat(100), " end".repeat(100))).contains("deeply")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever stands there, an answer comes, and each mistake is at a place in the text.
    #[test]
    fn any_text_is_answered(
        words in proptest::collection::vec(
            prop_oneof![
                Just("select "), Just("from "), Just("customers "), Just("age "), Just(", "), Just("* "), Just("( "),
                Just(") "), Just("where "), Just("count(*) "), Just("'é' "), Just("= "), Just("group by "), Just("as x "),
                Just("union "), Just("join "), Just("using (id) "), Just("over "), Just("case when "), Just("then "),
                Just("end "), Just("with a as "), Just("order by "), Just("1 "), Just("::int "), Just("\"plan\" "),
                Just("exclude "), Just("[1] "), Just("\n"), Just("; "), Just(". "), Just("web.visits "),
            ],
            0..24,
        ),
    ) {
        let text = words.concat();
        match parse(&text) {
            Ok(parsed) => {
                parsed.tables();
                for mistake in check(&parsed, &tables()).mistakes {
                    prop_assert!(text.get(mistake.range.clone()).is_some(), "{text}: {:?}", mistake);
                }
            }
            Err(mistake) => prop_assert!(mistake.range.start <= text.len() + 1, "{text}: {:?}", mistake),
        }
    }
}
