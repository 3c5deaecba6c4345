//! Commit records: what the log says of an op, for ever.

use crate::code::{Code, Refused};
use crate::document::{Form, Hash, Reader};

/// What became of an op that has a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Admitted,
    Denied,
    Rejected(Code),
}

impl Outcome {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Admitted => "admitted",
            Outcome::Denied => "denied",
            Outcome::Rejected(_) => "rejected",
        }
    }

    /// Why not; none where the op was admitted.
    #[must_use]
    pub const fn code(self) -> Option<Code> {
        match self {
            Outcome::Admitted => None,
            Outcome::Denied => Some(Code::POLICY_DENY),
            Outcome::Rejected(code) => Some(code),
        }
    }

    /// The outcome that a code comes to.
    #[must_use]
    pub fn of_code(code: Option<&str>) -> Option<Outcome> {
        Some(match code.map(Code::of) {
            None => Outcome::Admitted,
            Some(Some(Code::POLICY_DENY)) => Outcome::Denied,
            Some(code) => Outcome::Rejected(code?),
        })
    }

    /// The outcome of its two names.
    #[must_use]
    pub fn of(name: &str, code: Option<&str>) -> Option<Outcome> {
        Outcome::of_code(code).filter(|outcome| outcome.name() == name)
    }
}

/// A commit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Gapless from 1, which is the genesis.
    pub position: u64,
    pub op: Hash,
    pub outcome: Outcome,
    /// The rules that decided; none where the policy was not asked.
    pub rules: Vec<String>,
    /// The hash of what the policy was asked; none where it was not.
    pub input: Option<Hash>,
    /// Milliseconds since 1970 when the log received the op; it never decreases.
    pub received: u64,
    /// The position of the governance op under which was decided.
    pub governance: u64,
}

impl Record {
    /// The canonical bytes, which are a leaf of the log's tree.
    ///
    /// # Errors
    /// Where a rule id has no canonical form.
    pub fn encode(&self) -> Result<Vec<u8>, Refused> {
        let mut form = Form::new();
        form.bytes("op", &self.op).text_if("code", self.outcome.code().map(Code::name));
        form.bytes_or_null("input", self.input.as_ref().map(<[u8; 32]>::as_slice)).texts("rules", &self.rules);
        form.text("outcome", self.outcome.name()).integer("position", self.position);
        form.integer("governance", self.governance).integer("received_ms", self.received);
        form.finish().map_err(|refusal| Refused::new(Code::POLICY_FAULT, refusal.to_string()))
    }

    /// What bytes that may be a record say of its time, which alone follows from nothing else: it stands at their end.
    /// A guess, until the whole that it is part of was compared.
    pub(crate) fn time_in(bytes: &[u8]) -> Option<u64> {
        const NAME: &[u8] = b"\x6breceived_ms";
        let time = |size: usize| {
            let (before, time) = bytes.split_at_checked(bytes.len().checked_sub(size)?)?;
            let (head, digits) = time.split_first()?;
            let number = digits.iter().fold(0, |number, &byte| number << 8 | u64::from(byte));
            before.ends_with(NAME).then_some(if digits.is_empty() { u64::from(*head) } else { number })
        };
        [9, 5, 3, 2, 1].into_iter().find_map(time)
    }

    /// What bytes that may be a record say is the hash of what the policy was asked: a guess as well, which is held against
    /// that hash later.
    pub(crate) fn input_in(bytes: &[u8]) -> Option<Hash> {
        const NAME: &[u8] = b"\x65input\x58\x20";
        // Only the op's hash comes before it, and a code at times.
        let place = bytes.windows(NAME.len()).position(|window| window == NAME)?;
        bytes.get(place + NAME.len()..)?.first_chunk().copied()
    }

    /// Reads a record.
    ///
    /// # Errors
    /// `LOG_DAMAGED`: records come from the log alone.
    pub fn decode(bytes: &[u8]) -> Result<Record, Refused> {
        let damaged = |what: String| Refused::new(Code::LOG_DAMAGED, what);
        let reader = Reader::open(bytes).map_err(|refusal| damaged(format!("a record: {refusal}")))?;
        reader.and_then(read).ok_or_else(|| damaged("a record is not in its form".into()))
    }
}

fn read(mut reader: Reader) -> Option<Record> {
    let outcome = reader.text("outcome")?;
    let code = reader.text("code");
    let record = Record {
        position: reader.integer("position")?,
        op: reader.hash("op")?,
        outcome: Outcome::of(&outcome, code.as_deref())?,
        rules: reader.texts("rules")?,
        input: reader.hash_or_null("input")?,
        received: reader.integer("received_ms")?,
        governance: reader.integer("governance")?,
    };
    reader.is_spent().then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guessed_of_a_record_is_what_it_says() {
        let outcomes = [Outcome::Admitted, Outcome::Denied, Outcome::Rejected(Code::POLICY_FAULT)];
        for (number, outcome) in outcomes.into_iter().cycle().take(60).enumerate() {
            let (input, received) = (Some([number as u8; 32]), 1_u64 << number);
            let rules = vec!["input".to_owned(); number % 3];
            let record = Record { position: 7, op: [9; 32], outcome, rules, input, received, governance: 1 };
            let bytes = record.encode().expect("a record");
            assert_eq!((Record::input_in(&bytes), Record::time_in(&bytes)), (input, Some(received)));
        }
        assert_eq!(Record::input_in(b"\x65input\x58\x20 cut off"), None);
    }
}
