//! The store's named limits, each written once.

use kerai_vm::limit::Limit;

macro_rules! limits {
    ($($(#[doc = $about:literal])+ $constant:ident $name:literal = $value:expr;)+) => {
        $($(#[doc = $about])+ pub const $constant: Limit = Limit { name: $name, value: $value, about: concat!($($about),+) };)+

        /// All limits, in the order of the table.
        pub const ALL: &[Limit] = &[$($constant),+];
    };
}

limits! {
    /// bytes of one op's body
    OP_BODY "op.body" = 64 << 10;
    /// bytes of one op's payload, as canonical CBOR
    OP_PAYLOAD "op.payload" = 1 << 20;
    /// fields of one op's payload that have a commitment of their own
    OP_FIELDS "op.fields" = 4096;
    /// bytes of an actor's or a stream's name, and of an op's type
    OP_NAME "op.name" = 256;
    /// bytes of an op's resource
    OP_RESOURCE "op.resource" = 4096;
    /// ops that are committed in one transaction
    LOG_BATCH "log.batch" = 32_768;
    /// bytes of ops after which a transaction takes no more of them
    LOG_BATCH_SIZE "log.batch.size" = 32 << 20;
    /// ops that are read back at a time
    LOG_READ "log.read" = 8192;
    /// milliseconds that a writer waits for another one
    LOG_WAIT "log.wait" = 10_000;
    /// milliseconds between two looks at a file by one who follows its log
    LOG_LOOK "log.look" = 100;
    /// milliseconds after which one who follows a server's log looks at it though nothing was heard
    LOG_HEAR "log.hear" = 5000;
    /// milliseconds that a ULID may be ahead of the time at which its op is received, unless the binding says otherwise
    LOG_AHEAD "log.ahead" = 300_000;
    /// times that one who follows a log tries to reach a database that was lost
    DATABASE_TRIES "database.tries" = 60;
    /// milliseconds between two such tries
    DATABASE_PAUSE "database.pause" = 500;
    /// states that a fold under way can go back to without reading a snapshot
    FOLD_POINTS "fold.points" = 8;
    /// bytes of snapshots that are written for each record of the log, about
    FOLD_SNAPSHOT "fold.snapshot" = 256;
    /// bytes of ops that are kept in memory from when they are committed to when they are folded
    FOLD_RECENT "fold.recent" = 512 << 20;
    /// entries that a page of a stored map holds before it is divided
    PAGE_ENTRIES "page.entries" = 32;
    /// rule ids that a decision may name
    GATE_RULES "gate.rules" = 1024;
    /// ops between two states that an audit can go back to, once an op was late
    AUDIT_POINT "audit.point" = 512;
    /// states that an audit can go back to; before the oldest it folds from the first op again
    AUDIT_POINTS "audit.points" = 64;
    /// ops that are looked at together, ahead of the log
    AUDIT_BATCH "audit.batch" = 256;
    /// threads that look at ops ahead of the log
    AUDIT_JOBS "audit.jobs" = 256;
    /// ops, rows or pages that an audit reads together from a database
    AUDIT_READ "audit.read" = 1024;
    /// differing rows that an audit tells of
    AUDIT_ROWS "audit.rows" = 100;
    /// bytes of one proof
    PROOF_SIZE "proof.size" = 64 << 20;
    /// bytes of one program, source, checkpoint, row or proof in an evidence pack
    PACK_PART "pack.part" = 64 << 20;
    /// archives that an audit reads beside a stream
    PACK_ARCHIVES "pack.archives" = 64;
    /// bytes of all programs and sources in an evidence pack
    PACK_PROGRAMS "pack.programs" = 256 << 20;
}

/// The limit as a length.
pub(crate) const fn length(limit: Limit) -> usize {
    limit.value as usize
}
