-- Schema 3. A row of an op has what queries, keys and constraints need, and of body and record what does not follow from
-- the rest: roots are numbers, ids are hashes of what is there, and a chain is found by its end.

CREATE TABLE roots (
    number INTEGER PRIMARY KEY,
    root BLOB NOT NULL UNIQUE REFERENCES programs (root)
) STRICT;
INSERT INTO roots (root) SELECT root FROM programs ORDER BY root;
CREATE TRIGGER roots_stay BEFORE UPDATE ON roots BEGIN SELECT raise(ABORT, 'roots are never changed'); END;
CREATE TRIGGER roots_remain BEFORE DELETE ON roots BEGIN SELECT raise(ABORT, 'roots are never deleted'); END;

-- The ends of authors' chains, which go on and never back.
CREATE TABLE authors (
    stream INTEGER NOT NULL REFERENCES streams (stream),
    author BLOB NOT NULL CHECK (length(author) = 32),
    seq INTEGER NOT NULL CHECK (seq > 0),
    op_id BLOB NOT NULL CHECK (length(op_id) = 32),
    PRIMARY KEY (stream, author)
) STRICT, WITHOUT ROWID;
INSERT INTO authors SELECT stream, author, seq, op_id FROM ops o
    WHERE seq = (SELECT max(seq) FROM ops WHERE stream = o.stream AND author = o.author);
CREATE TRIGGER authors_remain BEFORE DELETE ON authors BEGIN SELECT raise(ABORT, 'authors are never deleted'); END;
CREATE TRIGGER authors_go_on BEFORE UPDATE ON authors
WHEN NEW.seq <= OLD.seq OR (NEW.stream, NEW.author) IS NOT (OLD.stream, OLD.author)
BEGIN SELECT raise(ABORT, 'authors go on and never back'); END;

-- fold and policy are the numbers of what was bound when the op was committed. A body is brief, as a list, or whole, as a
-- map, and so is a record. Of a pruned op, without a payload, the body is what is left: its id and the hash of what was
-- given.
CREATE TABLE new_ops (
    stream INTEGER NOT NULL REFERENCES streams (stream),
    position INTEGER NOT NULL CHECK (position > 0),
    seq INTEGER NOT NULL CHECK (seq > 0),
    fold INTEGER NOT NULL REFERENCES roots (number),
    policy INTEGER NOT NULL REFERENCES roots (number),
    is_governance INTEGER NOT NULL CHECK (is_governance IN (0, 1)),
    author BLOB NOT NULL CHECK (length(author) = 32),
    ulid BLOB NOT NULL CHECK (length(ulid) = 16),
    outcome TEXT NOT NULL CHECK (outcome IN ('admitted', 'denied', 'rejected')),
    body BLOB NOT NULL,
    payload BLOB NOT NULL,
    salts BLOB NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    record BLOB NOT NULL,
    PRIMARY KEY (stream, position)
) STRICT;
INSERT INTO new_ops
    SELECT o.stream, o.position, o.seq, f.number, p.number, o.is_governance, o.author, o.ulid, o.outcome,
        CASE WHEN length(o.payload) = 0 THEN CAST(o.op_id || o.given AS BLOB) ELSE o.body END,
        o.payload, o.salts, o.signature, o.record
    FROM ops o JOIN roots f ON f.root = o.fold_root JOIN roots p ON p.root = o.policy_root
    ORDER BY o.stream, o.position;
DROP TRIGGER ops_remain;
DROP TABLE ops;
ALTER TABLE new_ops RENAME TO ops;
-- A repeat is found by its ULID, as whatever else its author gave under it: neither ids nor chains need an index.
CREATE INDEX ops_by_ulid ON ops (stream, ulid);
CREATE INDEX ops_of_governance ON ops (stream, position) WHERE is_governance = 1;

CREATE TRIGGER ops_follow BEFORE INSERT ON ops
WHEN NEW.position <> 1 + coalesce((SELECT max(position) FROM ops WHERE stream = NEW.stream), 0)
BEGIN SELECT raise(ABORT, 'positions are gapless'); END;
CREATE TRIGGER ops_remain BEFORE DELETE ON ops BEGIN SELECT raise(ABORT, 'ops are never deleted'); END;
CREATE TRIGGER ops_stay BEFORE UPDATE ON ops
WHEN length(OLD.payload) = 0 OR length(NEW.body) <> 64 OR length(NEW.payload) + length(NEW.salts) > 0
    OR OLD.is_governance <> 0
    OR OLD.position > coalesce((SELECT max(count) FROM pruned p WHERE p.stream = OLD.stream), 0)
    OR (NEW.stream, NEW.position, NEW.seq, NEW.fold, NEW.policy, NEW.is_governance, NEW.author, NEW.ulid, NEW.outcome,
        NEW.signature, NEW.record)
    IS NOT (OLD.stream, OLD.position, OLD.seq, OLD.fold, OLD.policy, OLD.is_governance, OLD.author, OLD.ulid,
        OLD.outcome, OLD.signature, OLD.record)
BEGIN SELECT raise(ABORT, 'ops are never changed'); END;
