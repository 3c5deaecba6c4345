//! The table of outcome codes: why an operation was not admitted, or why the store says no. Each is written once.

/// What becomes of an op that bears a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It has a position in the log, and the policy said no.
    Denied,
    /// It has a position in the log, and is not folded.
    Rejected,
    /// It has no position: counted, or kept as evidence, and nothing more.
    Refused,
    /// No op is at fault: the store can't do what it was asked.
    Store,
}

impl Class {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Class::Denied => "denied",
            Class::Rejected => "rejected",
            Class::Refused => "refused",
            Class::Store => "store",
        }
    }
}

macro_rules! codes {
    ($($code:ident $class:ident $summary:literal, $explanation:literal;)+) => {
        /// A stable code: it never changes its meaning, and `kerai explain CODE` prints its page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(non_camel_case_types, reason = "a code is written in code as users see it")]
        pub enum Code { $(#[doc = $summary] $code),+ }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &[Code] = &[$(Code::$code),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Code::$code => stringify!($code)),+ }
            }

            #[must_use]
            pub const fn class(self) -> Class {
                match self { $(Code::$code => Class::$class),+ }
            }

            /// One line: what is wrong.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Code::$code => $summary),+ }
            }

            /// Why, and what to do.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Code::$code => $explanation),+ }
            }

            #[must_use]
            pub fn of(name: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.name() == name)
            }
        }
    };
}

codes! {
    POLICY_DENY Denied "the policy denies the op",
        "The stream's policy decided so; the rule ids say which rules did, and `default` means that no rule allowed it. Ask who governs the stream, or bind another policy.";
    DUP_COMMIT Rejected "the author gave another content under this ULID before",
        "An author uses a ULID once. Make a new ULID for new content.";
    REPEATED Rejected "the author committed the same content under this ULID before",
        "The op was signed twice, at two places of its author's chain. The first one counts; nothing is lost.";
    CLOCK_SKEW Rejected "the ULID is too far ahead of the clock",
        "A ULID may be ahead of the time at which the op is received by five minutes, or by what the stream's binding says. Set the clock of the machine that makes ULIDs.";
    BAD_PATH Rejected "the resource is not `gatos://repo/ns/path`, or a segment of it is unsafe",
        "Segments are non-empty text in normalization form C, not `.` or `..`, without `%`, backslash and control characters. Rename the resource.";
    ACTOR_UNBOUND Rejected "the actor is not bound to the key that signed",
        "Governance says which keys an actor signs with. Sign with one of them, or bind the key by a `governance.actor` op.";
    CAP_EXPIRED Rejected "a grant that the op claims has expired",
        "A grant is worth nothing from its `expires_ms` on, by the time at which the log received the op. Ask for a new one: a `governance.grant` op whose `prev` names the old one.";
    CAP_REVOKED Rejected "a grant that the op claims was revoked",
        "Revoked is for ever. Ask for a grant under another id, or leave it out of `caps`.";
    CAP_FOREIGN Rejected "a grant that the op claims is another actor's",
        "A grant with an `actor` is that actor's alone. Ask for one of your own, or leave it out of `caps`.";
    EPOCH_BROKEN Rejected "the op names other roots than the stream's binding, or comes before the end of a closed epoch",
        "An op consents to one fold and one policy by their roots: sign it again under the roots that are bound now, or have the binding accept those. And no op goes behind what `kerai epoch new` closed: give it a new ULID.";
    POLICY_FAULT Rejected "the policy trapped or answered out of turn",
        "A policy program answers every input with a decision and rule ids of its own. Repair the policy and bind the repaired one.";
    OP_FORM Refused "not an op",
        "An op's body is canonical CBOR with exactly the fields of docs/reference/op.md; in JSON Lines each op is an object with at least `ulid`, `type` and `payload`.";
    OP_SIZE Refused "the op is too large",
        "Body and payload have limits. Keep large content outside and put its root into the payload.";
    PROOF_INVALID Refused "the signature does not verify",
        "The signature is not the author's over this op, or is not in its one form. Sign it again with the author's key.";
    PAYLOAD_ROOT Refused "payload and salts do not give the payload root",
        "The payload that came along is not the one that was signed. Send the one that was, with its salts.";
    AUTHOR_UNKNOWN Refused "no actor of the stream signs with this key",
        "Ops by strangers are counted and forgotten. Bind the key to an actor by a `governance.actor` op first.";
    STREAM_OTHER Refused "the op belongs to another stream",
        "An op names its stream by the op id of the stream's genesis. Send it to the stream that it names.";
    CHAIN_GAP Refused "the author's earlier ops are missing",
        "An author's ops come one after the other without gaps. Send the missing ones first.";
    CHAIN_FORK Refused "the author signed another op at this place of the chain",
        "Two ops with one sequence number are a fork: the first one stands, the second is kept as evidence. The author's key may be in two places.";
    FF_VIOLATION Refused "the op follows another history than the log's",
        "The op's `prev` is not the author's last op here: the author signed another chain. It is kept as evidence; sign the op again on top of this log.";
    ACK_TIMEOUT Store "another writer held the log for too long",
        "One writer at a time commits to a log. Another process may hang inside its transaction: try again, or end that process; nothing was written.";
    DATABASE_ADDRESS Store "there is no database at this address",
        "Give the path of an SQLite file, or `postgres://USER@HOST/DATABASE` with a database that exists; `createdb` makes one.";
    DATABASE_GONE Store "the database can't be reached, or the connection to it was lost",
        "What was not reported as committed is committed whole or not at all. Do it again: what was there before is told as a repeat and changes nothing.";
    DATABASE_DENIED Store "the database does not let this user do that",
        "docs/reference/postgres.md says which rights each command needs; a file must be writable, and its folder too.";
    DATABASE_FULL Store "the disk of the database is full",
        "Nothing of the last transaction was written. Make room and do it again.";
    DATABASE_DISK Store "the disk of the database can't be written or read",
        "A quota or a bound on the size of files was reached, or the disk fails; the system's log says which. Nothing of the last transaction was written.";
    DATABASE_TLS Store "there is no TLS to the server as the address asks for it",
        "The server has none, or its certificate is not vouched for: `sslmode=verify-full` wants one for the host's own name by a root that this machine trusts, or by that of `sslrootcert=FILE`. Ask its operator for that root; over a Unix socket (`?host=/var/run/postgresql`) and through a tunnel of your own, `sslmode=disable` does.";
    DATABASE_REFUSED Store "the database refuses the rows",
        "They contradict what is stored: another program writes here, or the database was restored from parts. `kerai verify` says where.";
    SCHEMA_NEWER Store "the database was written by a newer kerai",
        "This build knows only older schemas and would do harm. Use a newer kerai; the database was not touched.";
    SCHEMA_FOREIGN Store "the database is not kerai's",
        "The file or database holds something else. Name another one with `--db`.";
    STREAM_UNKNOWN Store "there is no such stream",
        "`kerai stream list` shows the streams of this database; `kerai stream create` makes one.";
    STREAM_EXISTS Store "a stream of this name exists",
        "Names of streams are unique in a database. Choose another name.";
    STREAM_NAME Store "not a name for a stream",
        "A stream's name is a segment of a path: non-empty, not `.` or `..`, without `/`, `%`, backslash and control characters.";
    LOG_SHORT Store "the log has no such position",
        "Positions count from 1, the genesis, to the stream's count, which `kerai stream list --json` shows.";
    PRUNED Store "what this needs was pruned",
        "Ops before the end of a closed epoch were moved to an archive. `kerai verify NAME --archive FILE` audits them with it, `kerai unpack FILE -o DIR` lays them out. A pruned stream goes on with the fold that was bound when the epoch was closed: bind that one again.";
    EPOCH_OPEN Store "there is no closed epoch that could be pruned",
        "`kerai epoch new NAME` closes the epoch. The fold that was bound then must be bound still: under another one all ops are folded again, and none can be given up.";
    ARCHIVE_WRONG Store "the archive does not hold the stream's ops",
        "Nothing was pruned. Make the archive from this stream after the epoch was closed, `kerai pack NAME -o FILE`, without `--redact`, and see that `kerai verify FILE` finds it right.";
    PROGRAM_KIND Store "a program of another kind was needed",
        "Streams bind a fold, a policy and a governance fold. `kerai show FILE` says what kind a program is.";
    BUNDLE_BROKEN Store "the bundle is not in its form",
        "A bundle is one canonical file, which `kerai build DIR --bundle FILE` writes. It was cut short or changed: get it again.";
    BUNDLE_SIGNATURE Store "the bundle's signature is not its signer's",
        "The signature covers the bundle's root. The bundle was changed after it was signed, or signed by another key: get it again.";
    BUNDLE_UNSIGNED Store "the bundle is not signed",
        "A stream is bound by bundles that a key of one of its actors signed: `kerai build DIR --bundle FILE --sign KEY`.";
    BUNDLE_SIGNER Store "the bundle is signed by a key that the stream does not know",
        "Sign it by the key of one of the stream's actors, or make the signer one of them by a governance op first.";
    BUNDLE_OLD Store "the stream is bound from a later bundle",
        "A stream is never bound back to an older bundle, nor to another one of the same number. Build the bundle again, with a greater `--number`.";
    BUNDLE_PROGRAM Store "the bundle does not hold that program",
        "`kerai show FILE` lists the programs of a bundle by their paths. Where there are several of a kind, name one.";
    PROGRAM_UNKNOWN Store "there is no program with this root",
        "Programs are stored with their streams under their roots. The database may be cut short: restore it, or check it with `kerai verify`.";
    FOLD_TRAP Store "the fold trapped outside a step",
        "`init` or `finish` trapped, so there is no state or no rows; the tables keep their last rows. Repair the fold and bind the repaired one.";
    GOVERNANCE_BROKEN Rejected "after the op, governance would bind nothing that can run",
        "A governance op must leave a binding of programs that the store holds, each of its kind, and rows in their documented forms. Correct the op and sign it again.";
    KEY_FILE Store "not a key file",
        "A key file holds one line, `kerai-key-1 ` and 64 hexadecimal digits. Make one with `kerai keys new FILE`.";
    KEY_PERMISSIONS Store "others may read the key file",
        "Whoever reads a key signs as its owner. Run `chmod 600` on the file; if others could have read it, make a new key.";
    KEY_EXISTS Store "a file stands where the key would go",
        "Keys are never written over. Name another file, or move the old key away first.";
    LOG_DAMAGED Store "the database holds what this store never wrote",
        "A record does not decode or contradicts another. `kerai verify` says which; restore the database from a copy, or build it anew from the ops.";
    CLAIM_FALSE Store "what is to be proved is not so",
        "Proofs show what the stream was at its latest checkpoint. `kerai materialize NAME` makes a newer one; look at the rows with `kerai materialize NAME --at COUNT`.";
    OP_UNFOLDED Store "the op is not folded",
        "Only ops that were admitted reach the stream's fold, and governance's reach its governance fold alone. `kerai prove op` shows what became of an op.";
    PROOF_FORM Store "not a proof that this build reads",
        "A proof is canonical CBOR, `{kind, bytes}`, made by `kerai prove`; this build reads the kind `commitment`. Get the file again: a byte of it may be lost or changed.";
    PROOF_FALSE Store "the proof does not show what it claims",
        "A hash does not lead to the root that the checkpoint binds, or the checkpoint's signature is not its signer's. Believe nothing of it, and ask whoever gave it to you for another one.";
    PACK_FORM Store "not an evidence pack, or not in its one form",
        "The parts of a pack have one order and one form, which docs/reference/pack.md says. At the place that is named a byte is lost, changed or added: get the file again.";
}

/// A no: the code, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub code: Code,
    pub what: String,
}

impl Refused {
    #[must_use]
    pub fn new(code: Code, what: impl Into<String>) -> Refused {
        Refused { code, what: what.into() }
    }
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.code.summary())?;
        if self.what.is_empty() { Ok(()) } else { write!(f, ": {}", self.what) }
    }
}

impl core::error::Error for Refused {}
