//! What the store takes from its host: time, randomness, patience, and a look at each point where it could be killed.

use crate::limit;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

macro_rules! points {
    ($($point:ident $name:literal $about:literal;)+) => {
        /// A place between two writes. Whatever ends the process there, the store resumes to the same bytes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point { $(#[doc = $about] $point),+ }

        impl Point {
            pub const ALL: &[Point] = &[$(Point::$point),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Point::$point => $name),+ }
            }

            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Point::$point => $about),+ }
            }
        }
    };
}

points! {
    AppendBegun "append.begun" "the lock is held, nothing is written";
    AppendOp "append.op" "an op of several is written";
    AppendTip "append.tip" "all ops and the tip are written, nothing is committed";
    AppendCommitted "append.committed" "ops are committed, nothing is reported";
    MaterializeFolded "materialize.folded" "rows are known, nothing is written";
    MaterializeRow "materialize.row" "a row of several is written";
    MaterializeCheckpoint "materialize.checkpoint" "rows and checkpoint are written, nothing is committed";
    MaterializeCommitted "materialize.committed" "the checkpoint is committed, nothing is reported";
    CreateProgram "create.program" "a program is written, its stream is not";
    CreateTip "create.tip" "the stream is written, nothing is committed";
    PruneChecked "prune.checked" "the archive is found right, nothing is written";
    PruneState "prune.state" "the state to go on from is written, ops are whole";
    PruneOps "prune.ops" "ops are emptied, nothing is committed";
    PruneCommitted "prune.committed" "the ops are gone, nothing is reported";
}

/// Fills bytes with randomness.
pub type Random = Box<dyn FnMut(&mut [u8])>;

/// The host. Tests give a fixed clock and a known randomness, and stop at points.
pub struct Host {
    /// Milliseconds since 1970.
    pub now: Box<dyn Fn() -> u64>,
    pub random: Random,
    /// Is told of every point as it is reached.
    pub reached: Box<dyn Fn(Point)>,
    /// Is told how far a materialization is: ops so far, and the part of all that is done.
    pub told: Box<dyn Fn(u64, f64)>,
    /// How long to wait for another writer.
    pub wait: Duration,
}

impl Host {
    /// The system's clock and randomness.
    ///
    /// # Panics
    /// If the system has no randomness to give: nothing could be signed safely.
    #[must_use]
    pub fn system() -> Host {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Host {
            now: Box::new(move || u64::try_from(now()).unwrap_or(u64::MAX)),
            random: Box::new(|bytes| getrandom::fill(bytes).expect("the system gives randomness")),
            reached: Box::new(|_| ()),
            told: Box::new(|_, _| ()),
            wait: Duration::from_millis(limit::LOG_WAIT.value),
        }
    }
}
