//! The codes of what can be wrong with a table. Described for users in `spec/07-data.md`; never reused.

use mlp_lang::finding::Code;

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ pub const $constant:ident: Code = $code:expr;)*) => {
        $($(#[doc = $meaning])+ pub const $constant: Code = $code;)*

        /// Every code of data with its meaning, in order.
        pub const ALL: &[(Code, &str)] = &[$(($constant, concat!($($meaning),+).trim_ascii())),*];
    };
}

codes! {
    /// Nothing is at the path, or it is a link that leads nowhere or in a circle.
    pub const FILE_MISSING: Code = Code::new("D0001", "file-missing");
    /// A folder, a pipe or a device stands where a file is wanted.
    pub const NOT_A_FILE: Code = Code::new("D0002", "not-a-file");
    /// The file may not be read.
    pub const NO_PERMISSION: Code = Code::new("D0003", "no-permission");
    /// The system gave an error while reading.
    pub const UNREADABLE: Code = Code::new("D0004", "unreadable");
    /// The file's size or time of change moved while it was read.
    pub const FILE_CHANGED: Code = Code::new("D0005", "file-changed");
    /// There is not one byte (or only blank lines) in it.
    pub const FILE_EMPTY: Code = Code::new("D0006", "file-empty");
    /// A header, and nothing below it.
    pub const NO_ROWS: Code = Code::new("D0007", "no-rows");
    /// Not the format the file was declared as: compressed, UTF-16, Parquet under `csv(...)`.
    pub const WRONG_FORMAT: Code = Code::new("D0008", "wrong-format");
    /// Bytes that are no UTF-8.
    pub const NOT_UTF8: Code = Code::new("D0009", "not-utf8");
    /// A NUL byte in a cell.
    pub const NUL_BYTE: Code = Code::new("D0010", "nul-byte");
    /// Two columns of the file share a name.
    pub const HEADER_DUPLICATE: Code = Code::new("D0011", "header-duplicate");
    /// A declared column is not in the file.
    pub const COLUMN_MISSING: Code = Code::new("D0012", "column-missing");
    /// A column of the file is not declared.
    pub const COLUMN_EXTRA: Code = Code::new("D0013", "column-extra");
    /// A quote is opened and never closed.
    pub const UNCLOSED_QUOTE: Code = Code::new("D0014", "unclosed-quote");
    /// A row has more or fewer cells than the header.
    pub const RAGGED_ROW: Code = Code::new("D0015", "ragged-row");
    /// A record or a cell is larger than any real one.
    pub const RECORD_TOO_LONG: Code = Code::new("D0016", "record-too-long");
    /// Text follows a closing quote.
    pub const TEXT_AFTER_QUOTE: Code = Code::new("D0017", "text-after-quote");

    /// A cell is missing in a column without `?`.
    pub const CELL_MISSING: Code = Code::new("D0020", "cell-missing");
    /// Not `true` or `false`.
    pub const NOT_BOOL: Code = Code::new("D0021", "not-bool");
    /// Not a whole number.
    pub const NOT_INT: Code = Code::new("D0022", "not-int");
    /// A whole number beyond 64 bits.
    pub const INT_OVERFLOW: Code = Code::new("D0023", "int-overflow");
    /// Not a number.
    pub const NOT_FLOAT: Code = Code::new("D0024", "not-float");
    /// `NaN`, an infinity, or a number too large for a float.
    pub const NOT_FINITE: Code = Code::new("D0025", "not-finite");
    /// Not `0.12` or `12%`.
    pub const NOT_FRACTION: Code = Code::new("D0026", "not-fraction");
    /// Not a day of the calendar.
    pub const NOT_DATE: Code = Code::new("D0027", "not-date");
    /// Not an instant.
    pub const NOT_TIME: Code = Code::new("D0028", "not-time");
    /// A text that the column's type does not list.
    pub const NOT_IN_ENUM: Code = Code::new("D0029", "not-in-enum");
    /// A value that one of the column's rules forbids.
    pub const OUT_OF_BOUNDS: Code = Code::new("D0030", "out-of-bounds");
    /// A value of a `unique` column that an earlier row has.
    pub const NOT_UNIQUE: Code = Code::new("D0031", "not-unique");

    /// A Parquet file that cannot be decoded.
    pub const PARQUET_DAMAGED: Code = Code::new("D0040", "parquet-damaged");
    /// A Parquet column of a type that does not convert without loss.
    pub const COLUMN_TYPE: Code = Code::new("D0041", "column-type");
    /// A rule or a column type that tables do not know.
    pub const RULE_UNUSABLE: Code = Code::new("D0042", "rule-unusable");
    /// The imported table could not be written.
    pub const NOT_WRITTEN: Code = Code::new("D0050", "not-written");
}
