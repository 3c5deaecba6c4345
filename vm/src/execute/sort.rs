//! Sorting by a comparator of the program: a bottom-up merge sort, stable, with every comparison a call of the machine.
//!
//! Runs of one item are merged into runs of two, four and so on, each pass from the front. A merge asks whether the
//! right run's first item comes before the left run's first: so items that neither comes before the other keep their
//! order. Which items are compared, and when, depends on the answers alone. The sort works on a copy: until it is
//! done the list is as it was or as the comparator makes it, and then the copy is put over positions 1 to n.

use super::library;
use super::run::Call;
use super::step::Mode;
use super::{Machine, Outcome};
use crate::bytecode::{Arguments, Builtin};
use crate::meter;
use crate::trap::TrapCode;
use crate::value::Value;

/// Gas of one comparison, beside what the comparator itself costs.
pub(super) const COMPARISON: u64 = 4;

/// A sort under way.
pub(super) struct Sort {
    table: Value,
    comparator: Value,
    /// The runs that are merged, and those that come of it.
    items: Vec<Value>,
    merged: Vec<Value>,
    /// How long the runs are; where the two that are merged go on and end.
    width: usize,
    left: usize,
    middle: usize,
    right: usize,
    end: usize,
}

/// Whether the arguments of `table.sort` bring a comparator.
pub(super) fn has_comparator(arguments: &[Value]) -> bool {
    matches!(arguments, [_, comparator] if !comparator.is_nil())
}

impl Sort {
    fn new(table: Value, comparator: Value, items: Vec<Value>) -> Sort {
        let merged = Vec::with_capacity(items.len());
        let mut sort = Sort { table, comparator, items, merged, width: 1, left: 0, middle: 0, right: 0, end: 0 };
        sort.take_runs(0);
        sort
    }

    /// Takes up the two runs that begin at a place.
    fn take_runs(&mut self, start: usize) {
        let count = self.items.len();
        self.left = start;
        self.middle = (start + self.width).min(count);
        self.right = self.middle;
        self.end = (self.middle + self.width).min(count);
    }

    /// The next two items to compare, that of the right run first; none where all is sorted.
    fn question(&mut self) -> Option<[Value; 2]> {
        loop {
            if self.left < self.middle && self.right < self.end {
                return Some([*self.items.get(self.right)?, *self.items.get(self.left)?]);
            }
            // One run is used up: the rest of the other follows, and the next two runs are due.
            self.merged.extend_from_slice(self.items.get(self.left..self.middle)?);
            self.merged.extend_from_slice(self.items.get(self.right..self.end)?);
            let count = self.items.len();
            let next = self.end;
            if next >= count {
                core::mem::swap(&mut self.items, &mut self.merged);
                self.merged.clear();
                self.width = self.width.saturating_mul(2);
                if self.width >= count {
                    return None;
                }
                self.take_runs(0);
            } else {
                self.take_runs(next);
            }
        }
    }

    /// Takes the item that the answer to the last question puts first.
    fn answer(&mut self, is_right_first: bool) {
        let place = if is_right_first { &mut self.right } else { &mut self.left };
        if let Some(item) = self.items.get(*place) {
            self.merged.push(*item);
        }
        *place += 1;
    }
}

impl Sort {
    /// Takes the answer where another question follows within the two runs, and gives that question; else does nothing.
    #[inline(always)]
    pub(super) fn answer_within_runs(&mut self, is_right_first: bool) -> Option<[Value; 2]> {
        let taken = if is_right_first { self.right } else { self.left };
        let (left, right) = (self.left + usize::from(!is_right_first), self.right + usize::from(is_right_first));
        if left >= self.middle || right >= self.end {
            return None;
        }
        let item = |place: usize| self.items.get(place).map(Value::copied);
        let (taken, question) = (item(taken)?, [item(right)?, item(left)?]);
        self.merged.push(taken);
        (self.left, self.right) = (left, right);
        Some(question)
    }
}

impl Machine<'_> {
    /// Begins the sort that the last instruction asks for.
    pub(super) fn begin_sort<M: Mode>(&mut self) -> Outcome<()> {
        let word = self.last_word();
        let &[table, comparator] = self.window(word)?.as_slice() else { return Err(TrapCode::ARGUMENTS) };
        self.core.meter.charge(Builtin::TableSort.cost())?;
        self.core.heap.function_of(comparator).ok_or(TrapCode::KIND)?;
        let length = library::length(&self.core.heap, &mut self.core.meter, table)?;
        let count = usize::try_from(length).unwrap_or(usize::MAX);
        self.core.meter.charge_values(count.saturating_mul(2))?;
        self.core.meter.allocate(meter::VALUE.saturating_mul(2).saturating_mul(count as u64))?;
        let item = |place: i64| self.core.heap.get(table, Value::integer(place)).unwrap_or(Value::NIL);
        let items: Vec<Value> = (1..=length).map(item).collect();
        self.core.sorts.push(Sort::new(table, comparator, items));
        self.compare_next::<M>()
    }

    /// Takes the comparator's answer from the frame that returns, and goes on.
    pub(super) fn go_on_sorting<M: Mode>(&mut self) -> Outcome<()> {
        let word = self.last_word();
        let is_right_first = match Arguments::of(word.b()) {
            Arguments { count: 0, .. } => false,
            Arguments { is_spread: false, .. } => self.register(word.a()).is_true(),
            Arguments { is_spread: true, .. } => self.arguments(word)?.first().is_some_and(|value| value.is_true()),
        };
        self.frames.pop();
        if let Some(sort) = self.core.sorts.last_mut() {
            sort.answer(is_right_first);
        }
        self.compare_next::<M>()
    }

    /// Asks the comparator, or puts the sorted items in their places.
    fn compare_next<M: Mode>(&mut self) -> Outcome<()> {
        let Some(sort) = self.core.sorts.last_mut() else { return Ok(()) };
        if let Some(question) = sort.question() {
            let closure = sort.comparator;
            self.core.meter.charge(COMPARISON)?;
            let function = self.core.heap.function_of(closure).ok_or(TrapCode::KIND)?;
            return self.enter::<M>(Call::of_comparator(function, closure), &question);
        }
        if let Some(Sort { table, items, .. }) = self.core.sorts.pop() {
            for (place, &item) in (1..).zip(&items) {
                library::put(&mut self.core.heap, &mut self.core.meter, table, place, item)?;
            }
        }
        let word = self.last_word();
        self.place(word.a(), word.c(), &[])
    }
}
