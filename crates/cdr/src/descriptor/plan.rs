//! A descriptor, compiled: which column says what, by position, and how each is read.
use super::raw::{AnsweredBy, Dialect, Header, Quotes, ReaderKind, Shape, Unit};
use crate::civil::TimeForms;
use crate::{Description, Outcome, Zone};

/// The position of a column that a row does not have: behind the last of any row.
pub(crate) const ABSENT: usize = u32::MAX as usize;

/// Columns of which the first that is not empty counts.
pub(crate) type Choice = [usize; 3];

/// A compiled descriptor.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    /// The file it was compiled from.
    pub(crate) text: String,
    pub(crate) reader: ReaderKind,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) spreadsheet: bool,
    pub(crate) gives_way: bool,
    /// None for that of the source.
    pub(crate) zone: Option<Zone>,
    pub(crate) description: Description,
    pub(crate) shape: Shape,
    /// At least one.
    pub(crate) delimiters: Vec<u8>,
    pub(crate) quotes: Quotes,
    pub(crate) trim: bool,
    pub(crate) header: Header,
    pub(crate) type_line: bool,
    pub(crate) skip: Vec<String>,
    /// What stands in a column of rows that are passed over, in the order of [`Columns::pass_over`].
    pub(crate) pass_over: Vec<Vec<String>>,
    pub(crate) names: Vec<Name>,
    /// By width, where columns stand in order.
    pub(crate) layouts: Vec<Layout>,
    /// The widths, in words.
    pub(crate) expected: String,
    /// The number of a name.
    pub(crate) overflow: Option<usize>,
    /// Numbers of names, in the places of positions.
    pub(crate) sources: Columns,
    /// Groups of names: without one of each, a header is none.
    pub(crate) needed: Vec<Vec<usize>>,
    pub(crate) forms: Forms,
    pub(crate) numbers: Numbers,
}

/// A column's name.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) name: String,
    /// Other spellings.
    pub(crate) spellings: Vec<String>,
}

impl Name {
    pub(crate) fn is(&self, text: &[u8]) -> bool {
        self.name.as_bytes().eq_ignore_ascii_case(text)
            || self.spellings.iter().any(|spelling| spelling.as_bytes().eq_ignore_ascii_case(text))
    }
}

/// Where columns stand in rows of certain widths.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) narrowest: usize,
    pub(crate) widest: usize,
    /// A column that must hold an id for the layout to count.
    pub(crate) id: Option<usize>,
    /// By the number of the name.
    pub(crate) positions: Vec<usize>,
    pub(crate) columns: Columns,
}

/// Where each thing stands, counted from 0; [`ABSENT`] if nowhere.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) started: usize,
    pub(crate) answered: usize,
    pub(crate) ended: usize,
    pub(crate) duration: usize,
    pub(crate) billable: usize,
    pub(crate) outcome: usize,
    pub(crate) direction: usize,
    pub(crate) created_in: usize,
    pub(crate) channel: usize,
    pub(crate) target_channel: usize,
    pub(crate) context: usize,
    pub(crate) application: usize,
    pub(crate) data: usize,
    pub(crate) identity_where: usize,
    pub(crate) calling: Choice,
    pub(crate) dialled: Choice,
    pub(crate) sent: Choice,
    pub(crate) rang: Choice,
    pub(crate) extension: Choice,
    pub(crate) diverter: Choice,
    pub(crate) trunk: Choice,
    pub(crate) account: Choice,
    pub(crate) source_address: Choice,
    pub(crate) tenant: Choice,
    pub(crate) call_id: Choice,
    pub(crate) leg_id: Choice,
    pub(crate) identity: [usize; 4],
    pub(crate) pass_over: Vec<usize>,
    /// The columns of the tracker of channel events.
    pub(crate) events: [usize; 12],
    /// What tells that a call was answered; in the numbers of names, what does where there is no time of answer.
    pub(crate) answered_by: AnsweredBy,
    /// Those that hold text of the call, which whoever calls may have chosen.
    pub(crate) texts: Vec<usize>,
}

impl Columns {
    /// The same with each number of a name made a position, or [`ABSENT`].
    pub(crate) fn at(&self, answered_by: Option<AnsweredBy>, position: impl Fn(usize) -> usize) -> Self {
        let at = |name: usize| if name == ABSENT { ABSENT } else { position(name) };
        let choice = |names: Choice| {
            let mut at = names.map(at);
            // What is there comes first.
            at.sort_by_key(|&position| position == ABSENT);
            at
        };
        let (answered, outcome) = (at(self.answered), at(self.outcome));
        let single = [self.data, self.channel, self.target_channel];
        let several = [
            self.dialled,
            self.calling,
            self.account,
            self.call_id,
            self.leg_id,
            self.sent,
            self.rang,
            self.extension,
            self.diverter,
            self.trunk,
            self.source_address,
            self.tenant,
        ];
        let mut texts: Vec<usize> = single.into_iter().chain(several.into_iter().flatten()).map(at).collect();
        texts.retain(|&position| position != ABSENT);
        texts.sort_unstable();
        texts.dedup();
        Self {
            started: at(self.started),
            answered,
            ended: at(self.ended),
            duration: at(self.duration),
            billable: at(self.billable),
            outcome,
            direction: at(self.direction),
            created_in: at(self.created_in),
            channel: at(self.channel),
            target_channel: at(self.target_channel),
            context: at(self.context),
            application: at(self.application),
            data: at(self.data),
            identity_where: at(self.identity_where),
            calling: choice(self.calling),
            dialled: choice(self.dialled),
            sent: choice(self.sent),
            rang: choice(self.rang),
            extension: choice(self.extension),
            diverter: choice(self.diverter),
            trunk: choice(self.trunk),
            account: choice(self.account),
            source_address: choice(self.source_address),
            tenant: choice(self.tenant),
            call_id: choice(self.call_id),
            leg_id: choice(self.leg_id),
            identity: self.identity.map(at),
            pass_over: self.pass_over.iter().map(|&name| at(name)).collect(),
            events: self.events.map(at),
            answered_by: answered_by.unwrap_or(match (answered, outcome) {
                (ABSENT, ABSENT) => AnsweredBy::BillableSeconds,
                (ABSENT, _) => self.answered_by,
                _ => AnsweredBy::AnswerTime,
            }),
            texts,
        }
    }
}

/// How values are read.
#[derive(Debug)]
pub(crate) struct Forms {
    pub(crate) started: TimeForms,
    pub(crate) answered: TimeForms,
    pub(crate) ended: TimeForms,
    pub(crate) duration: Unit,
    pub(crate) billable: Unit,
    pub(crate) answered_by: Option<AnsweredBy>,
    pub(crate) outcomes: Vec<(String, Outcome)>,
    /// The outcome's column says why calls ended, and of none whether it was answered.
    pub(crate) outcome_is_cause: bool,
    pub(crate) inbound: Vec<String>,
    pub(crate) internal: Vec<String>,
}

impl Forms {
    /// The outcome that stands in its column.
    #[inline]
    pub(crate) fn outcome(&self, text: &[u8]) -> Outcome {
        let of = |spelling: &&(String, Outcome)| spelling.0.as_bytes() == text;
        self.outcomes.iter().find(of).map_or_else(|| self.outcome_in_any_case(text), |spelling| spelling.1)
    }

    #[cold]
    fn outcome_in_any_case(&self, text: &[u8]) -> Outcome {
        // Padded inside its quotes.
        let text = text.trim_ascii();
        let of = |spelling: &&(String, Outcome)| spelling.0.as_bytes().eq_ignore_ascii_case(text);
        self.outcomes.iter().find(of).map_or(Outcome::Failed, |spelling| spelling.1)
    }

    /// Whether day and month of some times can only be told apart by what the records hold.
    pub(crate) fn has_two_orders(&self) -> bool {
        [&self.started, &self.answered, &self.ended].iter().any(|forms| forms.has_two_orders())
    }
}

/// What is done to numbers.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// They are handed on as they stand.
    pub(crate) nothing: bool,
    pub(crate) drop: Vec<String>,
    pub(crate) strip: Vec<u8>,
    pub(crate) replace: Vec<(u8, u8)>,
}
