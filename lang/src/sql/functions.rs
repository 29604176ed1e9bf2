//! The functions that queries have: how many arguments, which type, whether the result can be missing.
//!
//! Names follow DataFusion, which are those of PostgreSQL where both have them.

use super::scope::Typed;
use super::unify::unify;
use super::{Class, class};
use crate::types::Type;
use std::ops::RangeInclusive;

/// What a function looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One row.
    Scalar,
    /// Many rows, or with `over` the rows around.
    Aggregate,
    /// The rows around, and nothing else.
    Window,
    /// The clock or chance.
    Volatile,
}

/// What type the result has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Int,
    Float,
    Text,
    Truth,
    Day,
    Instant,
    /// That of the first argument.
    First,
    /// A whole number of whole numbers, else a float.
    Sum,
    /// One of the arguments.
    OneOf,
    /// Of the rows around: that of the first argument, and it may be missing.
    Other,
    Unknown,
}

/// Whether the result can be missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// When an argument is.
    WithArguments,
    /// When all arguments are.
    WithAll,
    Never,
    Always,
}

/// One function.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) kind: Kind,
    pub(super) shape: Shape,
    pub(super) counts: RangeInclusive<usize>,
    /// What the first argument must be.
    pub(super) wants: Option<Class>,
    missing: Missing,
}

impl Known {
    /// The type of the result.
    pub(super) fn result(&self, arguments: &[Typed]) -> Type {
        let first = || arguments.first().map_or(Type::Unknown, |first| first.ty.clone());
        match self.shape {
            Shape::Int => Type::Int,
            Shape::Float => Type::Float,
            Shape::Text => Type::String,
            Shape::Truth => Type::Bool,
            Shape::Day => Type::Date,
            Shape::Instant => Type::Time,
            Shape::First | Shape::Other => first(),
            Shape::Sum => match first() {
                Type::Int => Type::Int,
                ty if class(&ty) == Class::Number => Type::Float,
                _ => Type::Unknown,
            },
            Shape::OneOf => {
                let mut types = arguments.iter().map(|argument| argument.ty.clone());
                let first = types.next().unwrap_or(Type::Unknown);
                types.fold(first, |so_far, ty| unify(&so_far, &ty))
            }
            Shape::Unknown => Type::Unknown,
        }
    }

    /// Whether the result can be missing.
    pub(super) fn may_miss(&self, arguments: &[Typed]) -> bool {
        match self.missing {
            Missing::WithArguments => arguments.iter().any(|argument| argument.nullable),
            Missing::WithAll => arguments.iter().all(|argument| argument.nullable),
            Missing::Never => false,
            Missing::Always => true,
        }
    }

    /// How many arguments, for messages.
    pub(super) fn wanted(&self) -> String {
        let (low, high) = (*self.counts.start(), *self.counts.end());
        let noun = if high == 1 { "argument" } else { "arguments" };
        match (low, high) {
            (low, high) if low == high => format!("{low} {noun}"),
            (low, MANY) => format!("{low} or more arguments"),
            (low, high) => format!("{low} to {high} {noun}"),
        }
    }
}

const MANY: usize = usize::MAX;

type Row = (&'static str, Kind, Shape, RangeInclusive<usize>, Option<Class>, Missing);

const NUMBER: Option<Class> = Some(Class::Number);
const TEXT: Option<Class> = Some(Class::Text);

use Kind::{Aggregate, Scalar, Volatile, Window};
use Missing::{Always, Never, WithAll, WithArguments};

/// Names of one row each, separated by spaces.
const FUNCTIONS: &[Row] = &[
    // Numbers.
    ("abs", Scalar, Shape::First, 1..=1, NUMBER, WithArguments),
    (
        "acos acosh asin asinh atan atanh cbrt cos cosh cot degrees exp ln log10 log2 radians sin sinh sqrt tan tanh",
        Scalar,
        Shape::Float,
        1..=1,
        NUMBER,
        WithArguments,
    ),
    ("atan2 nanvl", Scalar, Shape::Float, 2..=2, NUMBER, WithArguments),
    ("log pow power", Scalar, Shape::Float, 1..=2, NUMBER, WithArguments),
    ("ceil floor round trunc", Scalar, Shape::Float, 1..=2, NUMBER, WithArguments),
    ("pi", Scalar, Shape::Float, 0..=0, None, Never),
    ("gcd lcm factorial", Scalar, Shape::Int, 1..=2, NUMBER, WithArguments),
    ("signum sign", Scalar, Shape::Float, 1..=1, NUMBER, WithArguments),
    ("mod", Scalar, Shape::Sum, 2..=2, NUMBER, WithArguments),
    ("iszero isnan", Scalar, Shape::Truth, 1..=1, NUMBER, WithArguments),
    ("width_bucket", Scalar, Shape::Int, 4..=4, None, WithArguments),
    ("random rand", Volatile, Shape::Float, 0..=0, None, Never),
    // Choices.
    ("coalesce ifnull nvl", Scalar, Shape::OneOf, 1..=MANY, None, WithAll),
    ("greatest least", Scalar, Shape::OneOf, 1..=MANY, None, WithAll),
    ("nullif", Scalar, Shape::First, 2..=2, None, Always),
    ("nvl2 if iff", Scalar, Shape::Unknown, 3..=3, None, Always),
    // Texts.
    ("btrim initcap lower ltrim reverse rtrim trim upper", Scalar, Shape::Text, 1..=2, TEXT, WithArguments),
    ("left right repeat", Scalar, Shape::Text, 2..=2, TEXT, WithArguments),
    ("lpad rpad replace substr substring", Scalar, Shape::Text, 2..=3, TEXT, WithArguments),
    ("split_part translate substr_index substring_index", Scalar, Shape::Text, 3..=3, TEXT, WithArguments),
    ("overlay", Scalar, Shape::Text, 3..=4, TEXT, WithArguments),
    ("chr to_hex", Scalar, Shape::Text, 1..=1, NUMBER, WithArguments),
    ("concat", Scalar, Shape::Text, 1..=MANY, None, Never),
    ("concat_ws", Scalar, Shape::Text, 2..=MANY, TEXT, WithArguments),
    ("regexp_replace", Scalar, Shape::Text, 3..=4, TEXT, WithArguments),
    ("md5", Scalar, Shape::Text, 1..=1, None, WithArguments),
    (
        "ascii bit_length char_length character_length length len octet_length",
        Scalar,
        Shape::Int,
        1..=1,
        None,
        WithArguments,
    ),
    ("instr position strpos levenshtein find_in_set", Scalar, Shape::Int, 2..=2, TEXT, WithArguments),
    ("regexp_count regexp_instr", Scalar, Shape::Int, 2..=7, TEXT, WithArguments),
    ("contains ends_with starts_with", Scalar, Shape::Truth, 2..=2, TEXT, WithArguments),
    ("regexp_like", Scalar, Shape::Truth, 2..=3, TEXT, WithArguments),
    ("uuid gen_random_uuid", Volatile, Shape::Text, 0..=0, None, Never),
    // Days and times.
    ("to_date", Scalar, Shape::Day, 1..=MANY, None, WithArguments),
    ("make_date", Scalar, Shape::Day, 3..=3, None, WithArguments),
    ("last_day", Scalar, Shape::Day, 1..=1, None, WithArguments),
    (
        "to_timestamp to_timestamp_micros to_timestamp_millis to_timestamp_nanos to_timestamp_seconds from_unixtime",
        Scalar,
        Shape::Instant,
        1..=MANY,
        None,
        WithArguments,
    ),
    ("to_local_time", Scalar, Shape::Instant, 1..=1, None, WithArguments),
    ("date_bin", Scalar, Shape::Instant, 2..=3, None, WithArguments),
    ("date_part datepart", Scalar, Shape::Float, 2..=2, None, WithArguments),
    ("date_trunc datetrunc", Scalar, Shape::Unknown, 2..=2, None, WithArguments),
    ("to_char date_format", Scalar, Shape::Text, 2..=2, None, WithArguments),
    ("to_unixtime unix_timestamp", Scalar, Shape::Int, 1..=MANY, None, WithArguments),
    ("datediff date_diff date_add date_sub dateadd", Scalar, Shape::Unknown, 2..=3, None, Always),
    ("now current_timestamp localtimestamp", Volatile, Shape::Instant, 0..=1, None, Never),
    ("current_date today", Volatile, Shape::Day, 0..=0, None, Never),
    ("current_time localtime", Volatile, Shape::Unknown, 0..=1, None, Never),
    // What has no column type of ours, or a type that depends on a text.
    (
        "sha224 sha256 sha384 sha512 digest encode decode arrow_cast arrow_typeof arrow_metadata version get_field \
         union_extract union_tag struct named_struct row map make_map map_keys map_values map_extract element_at \
         regexp_match string_to_array string_to_list array_to_string list_to_string make_array make_list array_append \
         array_cat array_concat array_contains array_has array_has_all array_has_any array_dims array_distance \
         array_distinct array_element array_empty empty array_except array_extract array_indexof array_intersect \
         array_join array_length array_max array_min array_ndims array_pop_back array_pop_front array_position \
         array_positions array_prepend array_push_back array_push_front array_remove array_remove_all array_remove_n \
         array_repeat array_replace array_replace_all array_replace_n array_resize array_reverse array_slice array_sort \
         array_union arrays_overlap cardinality flatten generate_series range list_append list_contains list_distinct \
         list_element list_extract list_length list_slice list_sort list_sum unnest overlaps crc32 hash",
        Scalar,
        Shape::Unknown,
        0..=MANY,
        None,
        Always,
    ),
    // Many rows.
    ("count approx_distinct", Aggregate, Shape::Int, 1..=MANY, None, Never),
    ("regr_count", Aggregate, Shape::Int, 2..=2, None, Never),
    ("sum", Aggregate, Shape::Sum, 1..=1, NUMBER, Always),
    (
        "avg mean stddev stddev_pop stddev_samp var var_pop var_samp var_sample var_population variance",
        Aggregate,
        Shape::Float,
        1..=1,
        NUMBER,
        Always,
    ),
    ("median approx_median", Aggregate, Shape::Unknown, 1..=1, NUMBER, Always),
    ("min max any_value mode", Aggregate, Shape::First, 1..=1, None, Always),
    (
        "corr covar covar_pop covar_samp regr_avgx regr_avgy regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy",
        Aggregate,
        Shape::Float,
        2..=2,
        NUMBER,
        Always,
    ),
    (
        "approx_percentile_cont approx_percentile_cont_with_weight percentile_cont quantile_cont percentile_disc",
        Aggregate,
        Shape::Float,
        1..=4,
        NUMBER,
        Always,
    ),
    ("bool_and bool_or every", Aggregate, Shape::Truth, 1..=1, Some(Class::Truth), Always),
    ("bit_and bit_or bit_xor", Aggregate, Shape::Int, 1..=1, NUMBER, Always),
    ("string_agg", Aggregate, Shape::Text, 2..=2, None, Always),
    ("array_agg", Aggregate, Shape::Unknown, 1..=1, None, Always),
    ("first_value last_value", Aggregate, Shape::Other, 1..=1, None, Always),
    ("nth_value", Aggregate, Shape::Other, 2..=2, None, Always),
    ("grouping", Aggregate, Shape::Int, 1..=MANY, None, Never),
    // The rows around.
    ("row_number rank dense_rank", Window, Shape::Int, 0..=0, None, Never),
    ("ntile", Window, Shape::Int, 1..=1, None, Never),
    ("percent_rank cume_dist", Window, Shape::Float, 0..=0, None, Never),
    ("lag lead", Window, Shape::Other, 1..=3, None, Always),
];

/// The function of this name, in lower case.
pub(super) fn find(name: &str) -> Option<Known> {
    let row = FUNCTIONS.iter().find(|(names, ..)| names.split_ascii_whitespace().any(|known| known == name))?;
    let (_, kind, shape, counts, wants, missing) = row.clone();
    Some(Known { kind, shape, counts, wants, missing })
}

/// All names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().flat_map(|(names, ..)| names.split_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_function_is_there_once() {
        let mut seen = HashSet::new();
        for name in names() {
            assert!(seen.insert(name), "{name}");
            assert!(find(name).is_some());
        }
    }
}
