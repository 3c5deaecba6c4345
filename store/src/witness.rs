//! What others are shown of a stream, read from the database as it stands: nothing of it is believed without being checked.

use crate::checkpoint::SignedCheckpoint;
use crate::code::{Code, Refused};
use crate::document::Hash;
use crate::fault::Fault;
use crate::log::{Outcome, Record};
use crate::proof::Witness;
use crate::store::{Store, find};

impl Store {
    /// What proofs about a stream are made of: its latest checkpoint, and the rows and records that it speaks of.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, `CLAIM_FALSE` where there is no checkpoint, or the database fails.
    pub async fn witness(&mut self, name: &str) -> Result<Witness, Fault> {
        let mut session = self.database().read().await?;
        let stream = find(&mut session, name).await?;
        let none = || Refused::new(Code::CLAIM_FALSE, format!("`{name}` has no checkpoint"));
        let checkpoint = session.last_checkpoint(stream.number).await?.ok_or_else(none)?;
        let count = checkpoint.check()?.count;
        let rows = session.state(stream.number).await?;
        let rows = rows.into_iter().filter_map(|(key, row)| Some((key, row.value?))).collect();
        let (mut admitted, mut records): (Vec<Hash>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for op in session.ops_after(stream.number, 0).await? {
            if op.position > count {
                break;
            }
            if Record::decode(&op.record)?.outcome == Outcome::Admitted {
                admitted.push(op.columns.op_id);
            }
            records.push(op.record);
        }
        Ok(Witness { checkpoint, rows, admitted, records })
    }

    /// A stream's checkpoints, the latest first.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, or the database fails.
    pub async fn checkpoints(&mut self, name: &str) -> Result<Vec<SignedCheckpoint>, Fault> {
        let mut session = self.database().read().await?;
        let stream = find(&mut session, name).await?;
        session.checkpoints(stream.number).await
    }
}
