//! Values that can be written: of a type, of an enum, with a unit.

use super::ItemKind;
use super::items::List;
use crate::builtin;
use crate::meaning::unquoted;
use crate::outline::TokKind;
use crate::view::{Callee, Target, View};
use crate::wanted::{Site, Wanted, column_of};
use mlp_lang::analysis::written_text;
use mlp_lang::signature::ParamType;
use mlp_lang::types::Type;

impl List<'_, '_> {
    pub(super) fn values(&mut self, ty: &Type, site: Site) {
        match ty {
            Type::Bool => self.keywords(&builtin::CONSTANTS[..2], ItemKind::Value),
            Type::Enum(_) => self.enum_values(ty, true),
            Type::Optional(inner) | Type::List(inner) => self.values(inner, site),
            Type::Time | Type::Date if matches!(self.view.callee(site.group), Callee::Word("retrain" | "run")) => {
                self.push("now", ItemKind::Value, 1).doc =
                    "When the breach was found, or the trigger fired.".to_owned();
            }
            _ => {}
        }
        self.params(Some(ty), 3, "");
    }

    pub(super) fn setting(&mut self, ty: &ParamType, site: Site) {
        match ty {
            ParamType::Plain(ty) => self.values(ty, site),
            ParamType::Optional(inner) | ParamType::List(inner) => self.setting(inner, site),
            ParamType::ValueOf { param } => {
                if let Some(ty) = self.type_of_column(param, site) {
                    self.values(&ty, site);
                } else {
                    self.params(None, 3, "");
                }
            }
            ParamType::Column { .. } => {}
        }
    }

    /// The type of the column that another setting of the call names.
    pub(super) fn type_of_column(&self, param: &str, site: Site) -> Option<Type> {
        let view = self.view;
        let group = view.outline().around(site.group).find(|group| matches!(view.callee(*group), Callee::Step(..)))?;
        let parts = &view.outline().groups.get(group)?.parts;
        let named = (0..parts.len())
            .find(|part| matches!(view.target(group, *part), Some(Target::Setting(found)) if found.name == param))?;
        let Some(Target::Setting(signature)) = view.target(group, named) else { return None };
        let of = column_of(&signature.ty)?;
        let name = view.word(parts.get(named)?.name? + 2);
        let name = unquoted(name).unwrap_or(name);
        view.columns_of_input(group, of)?.column(name).map(|column| column.ty.clone())
    }

    pub(super) fn quoted_values(&mut self, ty: &ParamType, site: Site) {
        match ty {
            ParamType::Plain(ty) => self.enum_values(ty, false),
            ParamType::Optional(inner) | ParamType::List(inner) => self.quoted_values(inner, site),
            ParamType::ValueOf { param } => {
                if let Some(ty) = self.type_of_column(param, site) {
                    self.enum_values(&ty, false);
                }
            }
            ParamType::Column { .. } => {}
        }
    }

    /// The texts of an enum, with quotes or within.
    pub(super) fn enum_values(&mut self, ty: &Type, quotes: bool) {
        match ty {
            Type::Enum(values) => {
                for value in values {
                    let label = if quotes { written_text(value) } else { value.clone() };
                    self.push(&label, ItemKind::Value, 1).detail = ty.to_string();
                }
            }
            Type::Optional(inner) | Type::List(inner) => self.enum_values(inner, quotes),
            _ => {}
        }
    }

    /// Zones that people live in.
    pub(super) fn zones(&mut self) {
        const ZONES: [&str; 18] = [
            "UTC",
            "Europe/Paris",
            "Europe/Berlin",
            "Europe/London",
            "Europe/Madrid",
            "Europe/Warsaw",
            "America/New_York",
            "America/Chicago",
            "America/Denver",
            "America/Los_Angeles",
            "America/Sao_Paulo",
            "Asia/Tokyo",
            "Asia/Shanghai",
            "Asia/Singapore",
            "Asia/Kolkata",
            "Asia/Dubai",
            "Africa/Johannesburg",
            "Australia/Sydney",
        ];
        for zone in ZONES {
            self.push(zone, ItemKind::Value, 1);
        }
    }

    /// Units behind a number, those of the type that is wanted first.
    pub(super) fn units(&mut self, digits: &str, wanted: &Wanted) {
        let (time, bytes, share) = match wanted {
            Wanted::Value(ty) | Wanted::Setting(ParamType::Plain(ty)) => match present(ty) {
                Type::Duration => (1, 9, 9),
                Type::Size => (9, 1, 9),
                Type::Fraction => (9, 9, 1),
                Type::Int | Type::Float => return,
                _ => (5, 5, 5),
            },
            Wanted::Setting(ParamType::Optional(inner)) => {
                return self.units(digits, &Wanted::Setting((**inner).clone()));
            }
            _ => (5, 5, 4),
        };
        for unit in builtin::UNITS {
            let rank = match unit.word {
                "%" => share,
                "ms" | "s" | "m" | "h" | "d" => time,
                _ => bytes,
            };
            if rank == 9 {
                continue;
            }
            let item = self.push(&format!("{digits}{}", unit.word), ItemKind::Unit, rank);
            item.doc = unit.doc.to_owned();
        }
    }
}

impl View<'_> {
    /// The type of what a string is compared with: of `plan` in `plan == "`.
    pub(super) fn compared(&self, tok: usize) -> Option<Type> {
        let operator = tok.checked_sub(1)?;
        let left = operator.checked_sub(1)?;
        if self.kind(operator)? != TokKind::Operator || self.kind(left)? != TokKind::Word {
            return None;
        }
        let site = self.site(left)?;
        let name = self.word(left);
        if let Wanted::Expectation(Some(schema)) | Wanted::Columns(Some(schema)) = self.wanted(site)
            && let Some(column) = schema.column(name)
        {
            return Some(column.ty.clone());
        }
        self.facts().params.get(name).map(|(ty, _)| ty.clone())
    }
}

fn present(ty: &Type) -> &Type {
    match ty {
        Type::Optional(inner) | Type::List(inner) => present(inner),
        ty => ty,
    }
}

/// Whether a parameter of one type could stand where another is wanted.
pub(super) fn could_fit(found: &Type, wanted: &Type) -> bool {
    match (present(found), present(wanted)) {
        (_, Type::Unknown) | (Type::Unknown, _) => true,
        (Type::Int, Type::Float) | (Type::Enum(_), Type::String) | (Type::String, Type::Enum(_)) => true,
        (found, wanted) => found == wanted,
    }
}
