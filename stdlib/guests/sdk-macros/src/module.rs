//! Reading a step's module: structs, doc comments and attributes into a [`Step`].

use proc_macro2::TokenStream;
use quote::ToTokens;
use serde_json::{Value as Json, json};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprLit, Fields, Item, ItemMod, ItemStruct, Lit, LitStr, Result, Token, UnOp};

/// A step, as its author wrote it.
pub struct Step {
    /// As called: the module's name.
    pub name: String,
    /// The module's doc comment.
    pub doc: String,
    /// The fields of `Params`; none without the struct.
    pub params: Option<Vec<Param>>,
    /// The fields of `Inputs`; none without the struct.
    pub inputs: Option<Vec<Input>>,
    /// The fields of `Outputs`.
    pub outputs: Vec<Output>,
}

/// A setting.
pub struct Param {
    pub name: String,
    pub doc: String,
    pub ty: ParamType,
    pub default: Option<Json>,
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// The type of a setting.
pub enum ParamType {
    Bool,
    Int,
    Float,
    Fraction,
    Duration,
    Size,
    Text,
    OneOf(Vec<String>),
    Column { of: String },
    ValueOf { param: String },
    Optional(Box<ParamType>),
    List(Box<ParamType>),
}

/// A table or model that the step takes.
pub struct Input {
    pub name: String,
    pub doc: String,
    /// `None`: a table.
    pub flavor: Option<String>,
}

/// What the step gives.
pub struct Output {
    pub name: String,
    pub doc: String,
    pub kind: OutputKind,
    /// Of a table: whether its rows are rows of an input.
    pub rows: Option<Rows>,
}

/// Which rows a table has, by the name of an input.
pub enum Rows {
    /// All of it.
    AllOf(String),
    /// Some of it: those that no other part has.
    PartOf(String),
}

/// What an output is.
pub enum OutputKind {
    SameAs(String),
    Table(Vec<Field>),
    Model(String),
    Metrics { fields: Vec<Field>, by: Option<String> },
}

/// A named number, or a column.
pub struct Field {
    pub name: String,
    pub doc: String,
    pub ty: String,
    pub nullable: bool,
}

impl Step {
    /// Reads the module and gives it back without the attributes that only these macros understand.
    pub fn read(item: &ItemMod) -> Result<(Step, ItemMod)> {
        let mut module = item.clone();
        let name = plain_name(&item.ident)?;
        let doc = doc_of(&item.attrs);
        let span = item.ident.span();
        let Some((_, items)) = &mut module.content else {
            return Err(Error::new(span, "write the step's module inline: `pub mod name { ... }`"));
        };
        let mut step = Step { name, doc, params: None, inputs: None, outputs: vec![] };
        let mut has_run = false;
        for item in items {
            match item {
                Item::Struct(s) if s.ident == "Params" => step.params = Some(fields(s, param)?),
                Item::Struct(s) if s.ident == "Inputs" => step.inputs = Some(fields(s, input)?),
                Item::Struct(s) if s.ident == "Outputs" => step.outputs = fields(s, output)?,
                Item::Fn(f) if f.sig.ident == "run" => has_run = true,
                _ => {}
            }
        }
        if step.outputs.is_empty() {
            return Err(Error::new(span, "a step needs `pub struct Outputs { ... }`"));
        }
        if !has_run {
            return Err(Error::new(span, "a step needs `pub fn run(...) -> Result<Outputs, Error>`"));
        }
        step.check_names(span)?;
        Ok((step, module))
    }

    /// Every input or setting that an attribute names must exist: the signature is checked here, not at its reader's.
    fn check_names(&self, span: proc_macro2::Span) -> Result<()> {
        let input = |name: &str| self.inputs.iter().flatten().any(|i| i.name == name && i.flavor.is_none());
        let param = |name: &str| self.params.iter().flatten().any(|p| p.name == name);
        for p in self.params.iter().flatten() {
            let mut ty = &p.ty;
            while let ParamType::Optional(inner) | ParamType::List(inner) = ty {
                ty = inner;
            }
            match ty {
                ParamType::Column { of } if !input(of) => {
                    return Err(Error::new(span, format!("`{}`: there is no table `{of}` in Inputs", p.name)));
                }
                ParamType::ValueOf { param: of } if !param(of) => {
                    return Err(Error::new(span, format!("`{}`: there is no setting `{of}` in Params", p.name)));
                }
                _ => {}
            }
        }
        for o in &self.outputs {
            match &o.kind {
                OutputKind::SameAs(of) if !input(of) => {
                    return Err(Error::new(span, format!("`{}`: there is no table `{of}` in Inputs", o.name)));
                }
                OutputKind::Metrics { by: Some(of), .. } if !param(of) => {
                    return Err(Error::new(span, format!("`{}`: there is no setting `{of}` in Params", o.name)));
                }
                _ => {}
            }
            if let Some(Rows::AllOf(of) | Rows::PartOf(of)) = &o.rows
                && !input(of)
            {
                return Err(Error::new(span, format!("`{}`: there is no table `{of}` in Inputs", o.name)));
            }
        }
        Ok(())
    }
}

/// The fields of one of the three structs, in order, their attributes taken off.
fn fields<T>(item: &mut ItemStruct, read: fn(&syn::Field, Arguments) -> Result<T>) -> Result<Vec<T>> {
    let name = item.ident.clone();
    let Fields::Named(named) = &mut item.fields else {
        return Err(Error::new(name.span(), format!("`{name}` needs named fields")));
    };
    if named.named.is_empty() {
        return Err(Error::new(name.span(), format!("`{name}` has no fields: leave it out")));
    }
    let mut all = vec![];
    for field in &mut named.named {
        let mut arguments = Arguments::default();
        for attribute in &field.attrs {
            if is_ours(attribute) {
                arguments.extend(attribute)?;
            }
        }
        all.push(read(field, arguments)?);
        field.attrs.retain(|a| !is_ours(a));
    }
    Ok(all)
}

fn is_ours(attribute: &Attribute) -> bool {
    ["param", "input", "output"].iter().any(|name| attribute.path().is_ident(name))
}

fn param(field: &syn::Field, arguments: Arguments) -> Result<Param> {
    let ty = param_type(&field.ty, &arguments)?;
    let default = match (&arguments.default, &ty) {
        (Some(value), ParamType::Optional(_)) => {
            return Err(Error::new(
                field.ty.span(),
                format!("an optional setting has no default; {value} is one, so drop the Option"),
            ));
        }
        (default, _) => default.clone(),
    };
    Ok(Param {
        name: field_name(field)?,
        doc: doc_of(&field.attrs),
        ty,
        default,
        min: arguments.min,
        max: arguments.max,
    })
}

fn param_type(ty: &syn::Type, arguments: &Arguments) -> Result<ParamType> {
    let (name, inner) = last_segment(ty)?;
    Ok(match (name.as_str(), inner) {
        ("bool", None) => ParamType::Bool,
        ("i64", None) => ParamType::Int,
        ("f64", None) => ParamType::Float,
        ("Fraction", None) => ParamType::Fraction,
        ("Duration", None) => ParamType::Duration,
        ("Size", None) => ParamType::Size,
        ("String", None) if arguments.one_of.is_empty() => ParamType::Text,
        ("String", None) => ParamType::OneOf(arguments.one_of.clone()),
        ("Column", None) => match &arguments.column_of {
            Some(of) => ParamType::Column { of: of.clone() },
            None => return Err(Error::new(ty.span(), "say of which table: `#[param(column_of = \"rows\")]`")),
        },
        ("ValueOf", None) => match &arguments.value_of {
            Some(param) => ParamType::ValueOf { param: param.clone() },
            None => return Err(Error::new(ty.span(), "say of which column: `#[param(value_of = \"by\")]`")),
        },
        ("Option", Some(inner)) => ParamType::Optional(Box::new(param_type(inner, arguments)?)),
        ("Vec", Some(inner)) => ParamType::List(Box::new(param_type(inner, arguments)?)),
        _ => {
            return Err(Error::new(
                ty.span(),
                "a setting is bool, i64, f64, Fraction, Duration, Size, String, Column or ValueOf, or an Option or \
                 Vec of one",
            ));
        }
    })
}

fn input(field: &syn::Field, arguments: Arguments) -> Result<Input> {
    let flavor = match (last_segment(&field.ty)?.0.as_str(), arguments.flavor) {
        ("Dataset", None) => None,
        ("Model", Some(flavor)) => Some(flavor),
        ("Model", None) => {
            return Err(Error::new(field.ty.span(), "say which models fit: `#[input(flavor = \"classifier\")]`"));
        }
        _ => return Err(Error::new(field.ty.span(), "an input is a Dataset, or a Model with a flavor")),
    };
    Ok(Input { name: field_name(field)?, doc: doc_of(&field.attrs), flavor })
}

fn output(field: &syn::Field, arguments: Arguments) -> Result<Output> {
    let kind = match last_segment(&field.ty)?.0.as_str() {
        "Dataset" => match (arguments.same_as, arguments.columns) {
            (Some(of), None) => OutputKind::SameAs(of),
            (None, Some(columns)) => OutputKind::Table(columns),
            _ => {
                return Err(Error::new(
                    field.ty.span(),
                    "say which columns it has: `#[output(same_as = \"rows\")]` or `#[output(columns(id: string))]`",
                ));
            }
        },
        "Model" => OutputKind::Model(arguments.flavor.ok_or_else(|| {
            Error::new(field.ty.span(), "say of which flavor it is: `#[output(flavor = \"classifier\")]`")
        })?),
        "Metrics" => OutputKind::Metrics {
            fields: arguments.metrics.ok_or_else(|| {
                Error::new(field.ty.span(), "name the numbers: `#[output(metrics(rmse: float, rows: int))]`")
            })?,
            by: arguments.by,
        },
        _ => return Err(Error::new(field.ty.span(), "an output is a Dataset, a Model or Metrics")),
    };
    if arguments.rows.is_some() && !matches!(kind, OutputKind::SameAs(_) | OutputKind::Table(_)) {
        return Err(Error::new(field.ty.span(), "only a Dataset has rows: leave `all_of` and `part_of` out"));
    }
    Ok(Output { name: field_name(field)?, doc: doc_of(&field.attrs), kind, rows: arguments.rows })
}

/// What the attributes of one field say.
#[derive(Default)]
struct Arguments {
    default: Option<Json>,
    min: Option<f64>,
    max: Option<f64>,
    one_of: Vec<String>,
    column_of: Option<String>,
    value_of: Option<String>,
    flavor: Option<String>,
    same_as: Option<String>,
    rows: Option<Rows>,
    columns: Option<Vec<Field>>,
    metrics: Option<Vec<Field>>,
    by: Option<String>,
}

impl Arguments {
    fn extend(&mut self, attribute: &Attribute) -> Result<()> {
        attribute.parse_nested_meta(|meta| {
            let Some(key) = meta.path.get_ident().map(ToString::to_string) else {
                return Err(meta.error("not a name"));
            };
            match key.as_str() {
                "default" => self.default = Some(json!({ "value": literal(&meta.value()?.parse()?)? })),
                "default_label" => self.default = Some(json!({ "label": { "of": self.table(&meta)? } })),
                "default_features" => self.default = Some(json!({ "features": { "of": self.table(&meta)? } })),
                "min" => self.min = Some(number(&meta.value()?.parse()?)?),
                "max" => self.max = Some(number(&meta.value()?.parse()?)?),
                "one_of" => {
                    let list: syn::ExprArray = meta.value()?.parse()?;
                    for element in &list.elems {
                        self.one_of.push(text(element)?);
                    }
                }
                "column_of" => self.column_of = Some(text(&meta.value()?.parse()?)?),
                "value_of" => self.value_of = Some(text(&meta.value()?.parse()?)?),
                "flavor" => self.flavor = Some(text(&meta.value()?.parse()?)?),
                "same_as" => self.same_as = Some(text(&meta.value()?.parse()?)?),
                "all_of" => self.rows = Some(Rows::AllOf(text(&meta.value()?.parse()?)?)),
                "part_of" => self.rows = Some(Rows::PartOf(text(&meta.value()?.parse()?)?)),
                "by" => self.by = Some(text(&meta.value()?.parse()?)?),
                "columns" => self.columns = Some(field_list(meta.input)?),
                "metrics" => self.metrics = Some(field_list(meta.input)?),
                _ => return Err(meta.error(format!("`{key}` is not known here"))),
            }
            Ok(())
        })
    }

    fn table(&self, meta: &syn::meta::ParseNestedMeta) -> Result<String> {
        self.column_of.clone().ok_or_else(|| meta.error("say `column_of = \"...\"` before it"))
    }
}

/// `(/** doc */ accuracy: fraction, score: float?)`
fn field_list(input: ParseStream) -> Result<Vec<Field>> {
    let content;
    syn::parenthesized!(content in input);
    Ok(Punctuated::<Field, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

impl Parse for Field {
    fn parse(input: ParseStream) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let name: syn::Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty: syn::Ident = input.parse()?;
        let scalars = ["bool", "int", "float", "fraction", "duration", "size", "date", "time", "string"];
        if !scalars.iter().any(|s| ty == s) {
            return Err(Error::new(ty.span(), format!("`{ty}` is none of {}", scalars.join(", "))));
        }
        let nullable = input.parse::<Option<Token![?]>>()?.is_some();
        Ok(Field { name: plain_name(&name)?, doc: doc_of(&attributes), ty: ty.to_string(), nullable })
    }
}

fn field_name(field: &syn::Field) -> Result<String> {
    match &field.ident {
        Some(ident) => plain_name(ident),
        None => Err(Error::new(field.span(), "needs a name")),
    }
}

/// Names go into WIT and into calls: plain snake_case alone.
fn plain_name(ident: &syn::Ident) -> Result<String> {
    let name = ident.to_string();
    let plain = name.split('_').all(|word| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    });
    match plain {
        true => Ok(name),
        false => Err(Error::new(ident.span(), "write it in snake_case, each word starting with a letter")),
    }
}

/// `Option<Column>` is `("Option", Some(Column))`.
fn last_segment(ty: &syn::Type) -> Result<(String, Option<&syn::Type>)> {
    let syn::Type::Path(path) = ty else {
        return Err(Error::new(ty.span(), "name a type here"));
    };
    let Some(segment) = path.path.segments.last() else {
        return Err(Error::new(ty.span(), "name a type here"));
    };
    let inner = match &segment.arguments {
        syn::PathArguments::AngleBracketed(generics) => match generics.args.first() {
            Some(syn::GenericArgument::Type(inner)) => Some(inner),
            _ => None,
        },
        _ => None,
    };
    Ok((segment.ident.to_string(), inner))
}

fn doc_of(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .filter(|a| a.path().is_ident("doc"))
        .filter_map(|a| match &a.meta {
            syn::Meta::NameValue(pair) => text(&pair.value).ok(),
            _ => None,
        })
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned())
        .collect();
    lines.join("\n").trim().to_owned()
}

fn text(expression: &Expr) -> Result<String> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(LitStr::value(text)),
        other => Err(Error::new(other.span(), "text in quotes is wanted here")),
    }
}

fn number(expression: &Expr) -> Result<f64> {
    literal(expression)?.as_f64().ok_or_else(|| Error::new(expression.span(), "a number is wanted here"))
}

/// A literal as plain JSON.
fn literal(expression: &Expr) -> Result<Json> {
    let bad = |tokens: TokenStream| Error::new(expression.span(), format!("`{tokens}` is no plain value"));
    Ok(match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value().into(),
        Expr::Lit(ExprLit { lit: Lit::Bool(flag), .. }) => flag.value.into(),
        Expr::Lit(ExprLit { lit: Lit::Int(whole), .. }) => whole.base10_parse::<i64>()?.into(),
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse::<f64>()?.into(),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => match literal(&unary.expr)? {
            Json::Number(n) if n.is_i64() => n.as_i64().map_or(0, |i| -i).into(),
            Json::Number(n) => (-n.as_f64().unwrap_or(0.0)).into(),
            _ => return Err(bad(expression.to_token_stream())),
        },
        Expr::Array(list) => Json::Array(list.elems.iter().map(literal).collect::<Result<_>>()?),
        other => return Err(bad(other.to_token_stream())),
    })
}
