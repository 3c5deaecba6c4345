//! Snapshots of state: a flat list of tables that refer to each other by number, so that sharing and cycles are kept.
//!
//! The list holds the state, then each table that it reaches, numbered from 0 in the order in which the snapshot first
//! refers to them. Nothing recurs, so state may be nested as deep as it likes.

use super::encode::{Encoder, put_head};
use super::major;
use super::read::Reader;
use crate::encoding::{Options, Stop};
use crate::refusal::{Code, Refusal};
use crate::value::{Gather, Heap, TOGETHER, Value};

/// The tables that an encoder has met.
#[derive(Default)]
pub(super) struct Links {
    /// By the table's place in the heap, one more than its number; 0 where it was not met.
    numbers: Vec<u32>,
    tables: Vec<Value>,
}

impl Links {
    /// The number of a table, the next one where it is new.
    pub(super) fn number(&mut self, table: Value) -> u64 {
        let place = table.as_table().map_or(0, |id| id.0 as usize);
        if self.numbers.len() <= place {
            self.numbers.resize(place + 1, 0);
        }
        let Some(number) = self.numbers.get_mut(place) else { return 0 };
        if *number == 0 {
            self.tables.push(table);
            *number = u32::try_from(self.tables.len()).unwrap_or(u32::MAX);
        }
        u64::from(*number) - 1
    }
}

/// Appends the snapshot of a state; on refusal `out` is as it was.
///
/// # Errors
/// Where the state reaches a function, or passes a limit on snapshots.
pub fn encode_snapshot(heap: &Heap, state: Value, options: &Options, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let start = out.len();
    let mut encoder = Encoder::new(heap, options, out);
    encoder.links = Some(Links::default());
    match encoder.flat_list(state) {
        Ok(tables) => {
            let mut head = Vec::new();
            put_head(&mut head, major::ARRAY, tables as u64 + 1);
            out.splice(start..start, head);
            Ok(())
        }
        Err(stop) => {
            out.truncate(start);
            Err(stop.in_state().refusal(options))
        }
    }
}

impl Encoder<'_> {
    /// Writes the state and its tables, and says how many they are.
    fn flat_list(&mut self, state: Value) -> Result<usize, Stop> {
        self.budget.take(2, 0)?;
        self.value(state, 0)?;
        let mut next = 0;
        while let Some(&table) = self.links.as_ref().and_then(|links| links.tables.get(next)) {
            if next % TOGETHER == 0 {
                let tables = self.links.iter().flat_map(|links| &links.tables).skip(next).take(TOGETHER);
                self.heap.fetch_with_texts(tables.copied());
            }
            let offset = self.offset();
            self.budget.take(1, offset)?;
            self.content(table, 0)?;
            next += 1;
        }
        self.within_size()?;
        Ok(next)
    }
}

/// Decodes a snapshot into the heap; on refusal the heap is as it was.
///
/// # Errors
/// Every input that is not the one snapshot of a state, with the offset of the fault.
pub fn decode_snapshot(heap: &mut Heap, input: &[u8], options: &Options) -> Result<Value, Refusal> {
    let mark = heap.mark();
    let result = read(&mut Gather::with_links(heap), input, options);
    result.map_err(|stop| {
        heap.rewind(mark);
        stop.in_state().refusal(options)
    })
}

fn read(gather: &mut Gather<'_>, input: &[u8], options: &Options) -> Result<Value, Stop> {
    let mut reader = Reader::new(input, options)?;
    let count = reader.list_head(Code::STATE_FORM)?;
    if count == 0 {
        return Err(Stop::new(Code::STATE_FORM, 0));
    }
    // No table may stand in the place of the state.
    let state = reader.item(gather, options.depth)?;
    for number in 1..count {
        let start = reader.at();
        let (seen, made) = gather.links_and_tables();
        if made >= seen {
            return Err(Stop::new(Code::STATE_FORM, start));
        }
        reader.item(gather, 0)?;
        if gather.links_and_tables().1 as usize != number {
            return Err(Stop::new(Code::STATE_FORM, start));
        }
    }
    let (seen, made) = gather.links_and_tables();
    if seen != made {
        return Err(Stop::new(Code::STATE_FORM, reader.at()));
    }
    reader.end()?;
    Ok(state)
}
