-- Schema 1. Ops, programs and checkpoints are written once; the database itself refuses to change or delete them.

CREATE TABLE kerai.schema (
    version BIGINT NOT NULL,
    single BOOLEAN NOT NULL DEFAULT TRUE UNIQUE CHECK (single)
);
INSERT INTO kerai.schema (version) VALUES (0);

CREATE TABLE kerai.programs (
    root BYTEA NOT NULL PRIMARY KEY CHECK (length(root) = 32),
    code BYTEA NOT NULL
);

CREATE TABLE kerai.streams (
    stream BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    genesis BYTEA NOT NULL UNIQUE CHECK (length(genesis) = 32),
    epoch BIGINT NOT NULL,
    fold_root BYTEA NOT NULL REFERENCES kerai.programs (root),
    policy_root BYTEA NOT NULL REFERENCES kerai.programs (root),
    governance_root BYTEA NOT NULL REFERENCES kerai.programs (root),
    -- The tip of the log: how many records, when the last one came, the right edge of their tree.
    count BIGINT NOT NULL,
    received_ms BIGINT NOT NULL,
    edge BYTEA NOT NULL
);

-- fold_root and policy_root are what was bound when the op was committed; what the op consents to is in its body.
CREATE TABLE kerai.ops (
    stream BIGINT NOT NULL,
    position BIGINT NOT NULL CHECK (position > 0),
    op_id BYTEA NOT NULL CHECK (length(op_id) = 32),
    author BYTEA NOT NULL CHECK (length(author) = 32),
    seq BIGINT NOT NULL CHECK (seq > 0),
    ulid BYTEA NOT NULL CHECK (length(ulid) = 16),
    given BYTEA NOT NULL CHECK (length(given) = 32),
    outcome TEXT NOT NULL CHECK (outcome IN ('admitted', 'denied', 'rejected')),
    is_governance BIGINT NOT NULL CHECK (is_governance IN (0, 1)),
    fold_root BYTEA NOT NULL,
    policy_root BYTEA NOT NULL,
    received_ms BIGINT NOT NULL,
    body BYTEA NOT NULL,
    payload BYTEA NOT NULL,
    salts BYTEA NOT NULL,
    signature BYTEA NOT NULL CHECK (length(signature) = 64),
    record BYTEA NOT NULL,
    PRIMARY KEY (stream, position),
    -- An op's id is found by its place in its author's chain, which the op names itself: ids need no index of their own.
    UNIQUE (stream, author, seq)
);

CREATE INDEX ops_by_ulid ON kerai.ops (stream, ulid);
CREATE INDEX ops_of_governance ON kerai.ops (stream, position) WHERE is_governance = 1;

-- Once for all ops of a statement, where foreign keys and a trigger a row would ask a million times. Each stream is asked
-- about by itself and by its key: in one statement the planner may read all ops for it.
CREATE FUNCTION kerai.ops_follow() RETURNS trigger LANGUAGE plpgsql
    SET search_path = kerai, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE a RECORD;
BEGIN
    FOR a IN
        SELECT g.stream, min(first) AS first, max(last) AS last, sum(count) AS count, bool_and(is_known) AS is_known
        FROM (
            SELECT b.stream, min(position) AS first, max(position) AS last, count(*) AS count,
                EXISTS (SELECT FROM streams s WHERE s.stream = b.stream)
                AND EXISTS (SELECT FROM programs p WHERE p.root = b.fold_root)
                AND EXISTS (SELECT FROM programs p WHERE p.root = b.policy_root) AS is_known
            FROM added b GROUP BY b.stream, b.fold_root, b.policy_root
        ) g GROUP BY g.stream
    LOOP
        IF NOT a.is_known THEN
            RAISE EXCEPTION 'rows name streams and programs that are here' USING ERRCODE = 'foreign_key_violation';
        END IF;
        IF a.last - a.first + 1 <> a.count
            OR a.first > 1 AND NOT EXISTS (SELECT FROM ops o WHERE o.stream = a.stream AND o.position = a.first - 1)
        THEN RAISE EXCEPTION 'positions are gapless' USING ERRCODE = 'integrity_constraint_violation'; END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION kerai.roots_known() RETURNS trigger LANGUAGE plpgsql SET search_path = kerai, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT stream, fold_root, policy_root FROM added) a
        WHERE NOT EXISTS (SELECT FROM streams s WHERE s.stream = a.stream)
            OR NOT EXISTS (SELECT FROM programs p WHERE p.root = a.fold_root)
            OR NOT EXISTS (SELECT FROM programs p WHERE p.root = a.policy_root)
    ) THEN RAISE EXCEPTION 'rows name streams and programs that are here' USING ERRCODE = 'foreign_key_violation'; END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ops_follow AFTER INSERT ON kerai.ops
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION kerai.ops_follow();

CREATE FUNCTION kerai.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER ops_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON kerai.ops EXECUTE FUNCTION kerai.refuse();
CREATE TRIGGER programs_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON kerai.programs EXECUTE FUNCTION kerai.refuse();
CREATE TRIGGER streams_remain BEFORE DELETE OR TRUNCATE ON kerai.streams EXECUTE FUNCTION kerai.refuse();

-- Evidence of forks: validly signed ops that the log did not take.
CREATE TABLE kerai.forks (
    stream BIGINT NOT NULL REFERENCES kerai.streams (stream),
    op_id BYTEA NOT NULL CHECK (length(op_id) = 32),
    author BYTEA NOT NULL CHECK (length(author) = 32),
    seq BIGINT NOT NULL,
    code TEXT NOT NULL,
    received_ms BIGINT NOT NULL,
    body BYTEA NOT NULL,
    payload BYTEA NOT NULL,
    salts BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    PRIMARY KEY (stream, op_id)
);

-- What was refused, by code, and only counted.
CREATE TABLE kerai.refusals (
    stream BIGINT NOT NULL REFERENCES kerai.streams (stream),
    code TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (stream, code)
);

-- The row is its key and value in canonical CBOR; path, name and view are projections for people and queries.
-- A row without value is a tombstone. count, epoch and roots say since which checkpoint the row is as it is.
CREATE TABLE kerai.state (
    stream BIGINT NOT NULL,
    key BYTEA NOT NULL,
    value BYTEA,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    view TEXT,
    epoch BIGINT NOT NULL,
    count BIGINT NOT NULL,
    fold_root BYTEA NOT NULL,
    policy_root BYTEA NOT NULL,
    PRIMARY KEY (stream, key)
);

CREATE TRIGGER state_inserted AFTER INSERT ON kerai.state
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION kerai.roots_known();
CREATE TRIGGER state_updated AFTER UPDATE ON kerai.state
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION kerai.roots_known();

-- The rows that are there, for people and queries: key and value as JSON; value is null where JSON can't show it.
CREATE VIEW kerai.live_rows AS
    SELECT t.name AS stream, s.path, s.name::json AS key, s.view::json AS value, s.epoch, s.count, s.fold_root, s.policy_root
    FROM kerai.state s JOIN kerai.streams t ON t.stream = s.stream WHERE s.value IS NOT NULL;

-- The maps of inputs and of rows as of the last checkpoint, in pages: map 0 or 1, place the bits that lead there, four in
-- a byte.
CREATE TABLE kerai.pages (
    stream BIGINT NOT NULL REFERENCES kerai.streams (stream),
    map BIGINT NOT NULL,
    place BYTEA NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (stream, map, place)
);

CREATE TABLE kerai.poison (
    stream BIGINT NOT NULL REFERENCES kerai.streams (stream),
    epoch BIGINT NOT NULL,
    position BIGINT NOT NULL,
    trap TEXT NOT NULL,
    PRIMARY KEY (stream, epoch, position)
);

-- States to go on from. last is the place of the last op in the order by ULID: ULID, content's hash, op id.
CREATE TABLE kerai.snapshots (
    stream BIGINT NOT NULL REFERENCES kerai.streams (stream),
    epoch BIGINT NOT NULL,
    count BIGINT NOT NULL,
    folded BIGINT NOT NULL,
    last BYTEA CHECK (length(last) = 80),
    bytes BYTEA NOT NULL,
    PRIMARY KEY (stream, epoch, count)
);

-- Hashes and states don't compress; trying costs more than all else.
ALTER TABLE kerai.snapshots ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE kerai.checkpoints (
    stream BIGINT NOT NULL REFERENCES kerai.streams (stream),
    epoch BIGINT NOT NULL,
    count BIGINT NOT NULL,
    body BYTEA NOT NULL,
    signature BYTEA NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (stream, epoch, count)
);

CREATE TRIGGER checkpoints_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON kerai.checkpoints EXECUTE FUNCTION kerai.refuse();
