-- Schema 1. Ops, programs and checkpoints are written once; the database itself refuses to change or delete them.

CREATE TABLE programs (
    root BLOB NOT NULL PRIMARY KEY CHECK (length(root) = 32),
    code BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE streams (
    stream INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    genesis BLOB NOT NULL UNIQUE CHECK (length(genesis) = 32),
    epoch INTEGER NOT NULL,
    fold_root BLOB NOT NULL REFERENCES programs (root),
    policy_root BLOB NOT NULL REFERENCES programs (root),
    governance_root BLOB NOT NULL REFERENCES programs (root),
    -- The tip of the log: how many records, when the last one came, the right edge of their tree.
    count INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    edge BLOB NOT NULL
) STRICT;

-- fold_root and policy_root are what was bound when the op was committed; what the op consents to is in its body.
CREATE TABLE ops (
    stream INTEGER NOT NULL REFERENCES streams (stream),
    position INTEGER NOT NULL CHECK (position > 0),
    op_id BLOB NOT NULL CHECK (length(op_id) = 32),
    author BLOB NOT NULL CHECK (length(author) = 32),
    seq INTEGER NOT NULL CHECK (seq > 0),
    ulid BLOB NOT NULL CHECK (length(ulid) = 16),
    given BLOB NOT NULL CHECK (length(given) = 32),
    outcome TEXT NOT NULL CHECK (outcome IN ('admitted', 'denied', 'rejected')),
    is_governance INTEGER NOT NULL CHECK (is_governance IN (0, 1)),
    fold_root BLOB NOT NULL REFERENCES programs (root),
    policy_root BLOB NOT NULL REFERENCES programs (root),
    received_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    payload BLOB NOT NULL,
    salts BLOB NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    record BLOB NOT NULL,
    PRIMARY KEY (stream, position),
    -- An op's id is found by its place in its author's chain, which the op names itself: ids need no index of their own.
    UNIQUE (stream, author, seq)
) STRICT;

CREATE INDEX ops_by_ulid ON ops (stream, ulid, author);
CREATE INDEX ops_of_governance ON ops (stream, position) WHERE is_governance = 1;

CREATE TRIGGER ops_follow BEFORE INSERT ON ops
WHEN NEW.position <> 1 + coalesce((SELECT max(position) FROM ops WHERE stream = NEW.stream), 0)
BEGIN SELECT raise(ABORT, 'positions are gapless'); END;

CREATE TRIGGER ops_stay BEFORE UPDATE ON ops BEGIN SELECT raise(ABORT, 'ops are never changed'); END;
CREATE TRIGGER ops_remain BEFORE DELETE ON ops BEGIN SELECT raise(ABORT, 'ops are never deleted'); END;
CREATE TRIGGER programs_stay BEFORE UPDATE ON programs BEGIN SELECT raise(ABORT, 'programs are never changed'); END;
CREATE TRIGGER programs_remain BEFORE DELETE ON programs BEGIN SELECT raise(ABORT, 'programs are never deleted'); END;

-- Evidence of forks: validly signed ops that the log did not take.
CREATE TABLE forks (
    stream INTEGER NOT NULL REFERENCES streams (stream),
    op_id BLOB NOT NULL CHECK (length(op_id) = 32),
    author BLOB NOT NULL CHECK (length(author) = 32),
    seq INTEGER NOT NULL,
    code TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    payload BLOB NOT NULL,
    salts BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (stream, op_id)
) STRICT, WITHOUT ROWID;

-- What was refused, by code, and only counted.
CREATE TABLE refusals (
    stream INTEGER NOT NULL REFERENCES streams (stream),
    code TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (stream, code)
) STRICT, WITHOUT ROWID;

-- The row is its key and value in canonical CBOR; path, name and view are projections for people and queries.
-- A row without value is a tombstone. count, epoch and roots say since which checkpoint the row is as it is.
CREATE TABLE state (
    stream INTEGER NOT NULL REFERENCES streams (stream),
    key BLOB NOT NULL,
    value BLOB,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    view TEXT,
    epoch INTEGER NOT NULL,
    count INTEGER NOT NULL,
    fold_root BLOB NOT NULL REFERENCES programs (root),
    policy_root BLOB NOT NULL REFERENCES programs (root),
    PRIMARY KEY (stream, key)
) STRICT, WITHOUT ROWID;

-- The rows that are there, for people and queries: key and value as JSON; value is null where JSON can't show it.
CREATE VIEW live_rows AS
    SELECT t.name AS stream, s.path, s.name AS key, s.view AS value, s.epoch, s.count, s.fold_root, s.policy_root
    FROM state s JOIN streams t ON t.stream = s.stream WHERE s.value IS NOT NULL;

-- The maps of inputs and of rows as of the last checkpoint, in pages: map 0 or 1, place the bits that lead there, four in
-- a byte.
CREATE TABLE pages (
    stream INTEGER NOT NULL REFERENCES streams (stream),
    map INTEGER NOT NULL,
    place BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (stream, map, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE poison (
    stream INTEGER NOT NULL REFERENCES streams (stream),
    epoch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    trap TEXT NOT NULL,
    PRIMARY KEY (stream, epoch, position)
) STRICT, WITHOUT ROWID;

-- States to go on from. last is the place of the last op in the order by ULID: ULID, content's hash, op id.
CREATE TABLE snapshots (
    stream INTEGER NOT NULL REFERENCES streams (stream),
    epoch INTEGER NOT NULL,
    count INTEGER NOT NULL,
    folded INTEGER NOT NULL,
    last BLOB CHECK (length(last) = 80),
    bytes BLOB NOT NULL,
    PRIMARY KEY (stream, epoch, count)
) STRICT;

CREATE TABLE checkpoints (
    stream INTEGER NOT NULL REFERENCES streams (stream),
    epoch INTEGER NOT NULL,
    count INTEGER NOT NULL,
    body BLOB NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (stream, epoch, count)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER checkpoints_stay BEFORE UPDATE ON checkpoints BEGIN SELECT raise(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER checkpoints_remain BEFORE DELETE ON checkpoints BEGIN SELECT raise(ABORT, 'checkpoints are never deleted'); END;
