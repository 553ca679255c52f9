//! Where columns stand, by the line that names them.
use crate::csv::Row;
use crate::descriptor::{ABSENT, Columns, Header, Layout, Plan};
use serde::{Deserialize, Serialize};

/// What the header that was read last says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct HeaderState {
    /// Between columns, once it is known.
    pub(crate) delimiter: Option<u8>,
    found: Option<Found>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Found {
    /// Columns it names.
    width: usize,
    /// The place of each name that the descriptor knows.
    positions: Vec<Option<usize>>,
    #[serde(skip)]
    columns: Option<Box<Columns>>,
}

impl HeaderState {
    /// Makes ready what is not kept in a snapshot.
    pub(crate) fn prepare(&mut self, plan: &Plan) {
        if let Some(found) = &mut self.found
            && found.columns.is_none()
        {
            let at = |name: usize| found.positions.get(name).copied().flatten().unwrap_or(ABSENT);
            found.columns = Some(Box::new(plan.sources.at(plan.forms.answered_by, at)));
        }
    }

    /// Takes `row` for the header if it names all that is needed; else the name of a column that it lacks.
    pub(crate) fn take(&mut self, row: &Row<'_>, plan: &'static Plan) -> Result<(), &'static str> {
        let positions = positions(plan, (0..row.width()).map(|number| row.field(number)));
        if let Some(lacking) = lacking(plan, &positions) {
            return Err(lacking);
        }
        self.found = Some(Found { width: row.width(), positions, columns: None });
        self.prepare(plan);
        Ok(())
    }

    /// Where the columns of a row stand, and how wide it must be; none if no header was read.
    pub(crate) fn columns(&self) -> Option<(&Columns, usize)> {
        let found = self.found.as_ref()?;
        Some((found.columns.as_deref()?, found.width))
    }

    /// The place of a name of the descriptor.
    pub(crate) fn position(&self, name: usize) -> Option<usize> {
        self.found.as_ref()?.positions.get(name).copied().flatten()
    }
}

/// The place of each name of the plan among `fields`.
pub(crate) fn positions<'f>(plan: &Plan, fields: impl Iterator<Item = &'f [u8]>) -> Vec<Option<usize>> {
    let mut positions = vec![None; plan.names.len()];
    for (at, field) in fields.enumerate() {
        let field = field.trim_ascii();
        for (name, position) in plan.names.iter().zip(&mut positions) {
            if position.is_none() && name.is(field) {
                *position = Some(at);
            }
        }
    }
    positions
}

/// The name of a column without which nothing can be read.
pub(crate) fn lacking(plan: &'static Plan, positions: &[Option<usize>]) -> Option<&'static str> {
    let is_there = |name: &usize| positions.get(*name).copied().flatten().is_some();
    let group = plan.needed.iter().find(|group| !group.iter().any(is_there))?;
    group.first().and_then(|&name| plan.names.get(name)).map(|name| name.name.as_str())
}

/// Whether the columns of `row` hold their own names, in a format that needs no header.
pub(crate) fn names_itself(row: &Row<'_>, layout: &Layout, plan: &Plan) -> bool {
    let own = |&name: &usize| {
        let field = layout.positions.get(name).map(|&position| row.field(position).trim_ascii());
        plan.names.get(name).zip(field).is_some_and(|(name, field)| name.is(field))
    };
    !plan.needed.is_empty() && plan.needed.iter().all(|group| group.iter().any(own))
}

/// Whether `row` holds nothing but the names of types.
pub(crate) fn is_type_line(row: &Row<'_>) -> bool {
    const TYPES: [&[u8]; 12] = [
        b"INTEGER",
        b"INT",
        b"BIGINT",
        b"SMALLINT",
        b"VARCHAR",
        b"CHAR",
        b"TEXT",
        b"STRING",
        b"UNIQUEIDENTIFIER",
        b"DATETIME",
        b"TIMESTAMP",
        b"FLOAT",
    ];
    let is_type = |field: &[u8]| {
        let name = field.split(|&byte| byte == b'(').next().unwrap_or_default().trim_ascii();
        TYPES.iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    row.width() > 1 && (0..row.width()).all(|number| is_type(row.field(number)))
}

/// The delimiter that makes one of the first lines a header; none if more bytes are needed to know.
pub(crate) fn delimiter(plan: &'static Plan, first: &[u8], whole: bool) -> Option<u8> {
    let usual = plan.delimiters.first().copied().unwrap_or(b',');
    if plan.delimiters.len() < 2 || plan.header == Header::None {
        return Some(usual);
    }
    let zeros = first.iter().take_while(|byte| **byte == 0).count();
    let first = first.get(zeros..).unwrap_or_default();
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    let mut rest = first;
    while let Some(end) =
        rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).or(whole.then_some(rest.len()))
    {
        let (line, behind) = rest.split_at_checked(end)?;
        for &delimiter in &plan.delimiters {
            let fields = line.split(|&byte| byte == delimiter).map(|field| {
                let field = field.trim_ascii();
                field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field)
            });
            if lacking(plan, &positions(plan, fields)).is_none() {
                return Some(delimiter);
            }
        }
        match behind.get(1..) {
            Some(behind) => rest = behind,
            None => break,
        }
    }
    whole.then_some(usual)
}
