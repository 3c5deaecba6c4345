//! Finishing: the rows of a state, made anew only where the state was changed since they were made before.
//!
//! `finish` runs whole each time, but a table of the state that it emits a row an entry is only put down, and its rows
//! are made by [`super::documents`]. Where that could be told from writing every row in its turn (a trap, a limit, two
//! emissions at one path, a table that `finish` itself changes) all is done once more, in the general way.

use super::documents::{Changes, Cost, Document};
use super::{Folding, RowChanges};
use crate::execute::{Output, Row};
use crate::trap::Trap;
use crate::value::{Point, TableId, Value};

/// The rows of the last `finish`, as it made them.
pub(super) struct Documents {
    /// The state that they are of.
    point: Point,
    list: Vec<Document>,
    /// The keys of rows that are of no document.
    others: Vec<Vec<u8>>,
}

/// What a `finish` made, before it is in the tables.
struct Made {
    rows: Rows,
    documents: Vec<Document>,
    others: Vec<Vec<u8>>,
    cost: Cost,
}

enum Rows {
    All(Vec<Row>),
    Changed(Changes),
}

impl Folding<'_> {
    /// Emits the rows of what equals a copy of the state, and says what is different in them. Where `finish` traps, the
    /// last rows stay.
    ///
    /// # Errors
    /// The trap.
    pub fn finish(&mut self) -> Result<RowChanges, Trap> {
        let before = self.documents.take();
        let changed = before.as_ref().and_then(|before| self.machine.values().changes_since(before.point));
        if let Some(before) = &before {
            self.machine.heap().forget(before.point);
        }
        let point = self.machine.heap().begin_step(0..0);
        let result = self.machine.run_deferring(self.finish, &[self.state]);
        self.last_gas = self.machine.gas_used();
        let output = self.machine.take_output();
        let is_simple = output.deferred.is_empty();
        let is_untouched = self.machine.values().changed_since(point).is_some_and(|changed| changed.is_empty());
        let made = match (&result, is_simple) {
            (Ok(_), false) if is_untouched => self.make(&output, before.zip(changed)),
            _ => None,
        };
        self.machine.heap().rewind_to(point);
        self.machine.heap().end_step(point);
        match made {
            Some(made) => Ok(self.keep(made)),
            None if is_simple => result.map(|_| self.rows.replace(output.rows, self.count)),
            None => self.finish_plainly(),
        }
    }

    /// As [`Folding::finish`], every row in its turn: rows, gas and traps must be the same, so that the other way can be
    /// checked against this one.
    ///
    /// # Errors
    /// The trap.
    pub fn finish_plainly(&mut self) -> Result<RowChanges, Trap> {
        if let Some(before) = self.documents.take() {
            self.machine.heap().forget(before.point);
        }
        let point = self.machine.heap().begin_step(0..0);
        let result = self.machine.run(self.finish, &[self.state]);
        self.last_gas = self.machine.gas_used();
        let rows = self.machine.take_output().rows;
        self.machine.heap().rewind_to(point);
        self.machine.heap().end_step(point);
        result?;
        Ok(self.rows.replace(rows, self.count))
    }

    /// Whether the next `finish` makes only those rows anew that what changes until then can change.
    #[must_use]
    pub const fn is_incremental(&self) -> bool {
        self.documents.is_some()
    }

    /// Makes the rows of the tables that were put down. Nothing where that is for the general way to do.
    fn make(&self, output: &Output, before: Option<(Documents, Vec<(TableId, Value)>)>) -> Option<Made> {
        let others: Vec<Vec<u8>> = output.rows.iter().map(|row| row.key.clone()).collect();
        let made = match before {
            Some((before, changed)) if self.are_same(&before, output) => self.update(output, before, &changed)?,
            _ => self.build(output)?,
        };
        let Made { documents, mut cost, rows, .. } = made;
        let meets = |(number, document): (usize, &Document)| {
            documents.iter().skip(number + 1).any(|other| document.meets(other))
                || output.rows.iter().any(|row| document.covers(row))
        };
        if documents.iter().enumerate().any(meets) {
            return None;
        }
        let left = self.machine.left();
        for document in &documents {
            cost.add(document.cost(self.machine.values())?)?;
        }
        (cost.gas <= left.gas && cost.output <= left.output).then_some(Made { rows, documents, others, cost })
    }

    fn are_same(&self, before: &Documents, output: &Output) -> bool {
        let (heap, limits) = (self.machine.values(), self.machine.limits());
        let is_same = |(document, deferred): (&Document, _)| document.is(heap, limits, deferred);
        before.list.len() == output.deferred.len() && before.list.iter().zip(&output.deferred).all(is_same)
    }

    fn build(&self, output: &Output) -> Option<Made> {
        let (heap, limits) = (self.machine.values(), self.machine.limits());
        let mut rows = output.rows.clone();
        let build = |deferred| Document::build(heap, limits, deferred, &mut rows);
        let documents = output.deferred.iter().map(build).collect::<Option<Vec<_>>>()?;
        Some(Made { rows: Rows::All(rows), documents, others: Vec::new(), cost: Cost::default() })
    }

    fn update(&self, output: &Output, before: Documents, changed: &[(TableId, Value)]) -> Option<Made> {
        let heap = self.machine.values();
        let Documents { mut list, others, .. } = before;
        let mut changes: Changes = others.into_iter().map(|key| (key, None)).collect();
        changes.extend(output.rows.iter().map(|row| (row.key.clone(), Some(row.value.clone()))));
        for document in &mut list {
            changes.extend(document.update(heap, changed)?);
        }
        Some(Made { rows: Rows::Changed(changes), documents: list, others: Vec::new(), cost: Cost::default() })
    }

    /// Takes over what was made.
    fn keep(&mut self, made: Made) -> RowChanges {
        let Made { rows, documents: list, others, cost } = made;
        self.last_gas += cost.gas;
        // What is there now keeps its number until everything is collected.
        let heap = self.machine.heap();
        self.collection.grown += heap.young_size();
        heap.keep_all();
        (self.young, self.young_size) = (0, 0);
        self.documents = Some(Documents { point: heap.point(), list, others });
        match rows {
            Rows::All(rows) => self.rows.replace(rows, self.count),
            Rows::Changed(changes) => self.rows.change(changes, self.count),
        }
    }
}
