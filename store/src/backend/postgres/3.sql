-- Schema 3. A row of an op has what queries, keys and constraints need, and of body and record what does not follow from
-- the rest: roots are numbers, ids are hashes of what is there, and a chain is found by its end.

CREATE TABLE kerai.roots (
    number INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    root BYTEA NOT NULL UNIQUE REFERENCES kerai.programs (root)
);
INSERT INTO kerai.roots (root) SELECT root FROM kerai.programs ORDER BY root;
CREATE TRIGGER roots_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON kerai.roots EXECUTE FUNCTION kerai.refuse();

-- The ends of authors' chains, which go on and never back.
CREATE TABLE kerai.authors (
    stream BIGINT NOT NULL REFERENCES kerai.streams (stream),
    author BYTEA NOT NULL CHECK (length(author) = 32),
    seq BIGINT NOT NULL CHECK (seq > 0),
    op_id BYTEA NOT NULL CHECK (length(op_id) = 32),
    PRIMARY KEY (stream, author)
);
INSERT INTO kerai.authors
    SELECT DISTINCT ON (stream, author) stream, author, seq, op_id FROM kerai.ops ORDER BY stream, author, seq DESC;
CREATE TRIGGER authors_remain BEFORE DELETE OR TRUNCATE ON kerai.authors EXECUTE FUNCTION kerai.refuse();
CREATE TRIGGER authors_go_on BEFORE UPDATE ON kerai.authors FOR EACH ROW
    WHEN (NEW.seq <= OLD.seq OR (NEW.stream, NEW.author) IS DISTINCT FROM (OLD.stream, OLD.author))
    EXECUTE FUNCTION kerai.refuse();

-- fold and policy are the numbers of what was bound when the op was committed. A body is brief, as a list, or whole, as a
-- map, and so is a record. Of a pruned op, without a payload, the body is what is left: its id and the hash of what was
-- given. What has a fixed size comes first, so that no room is lost between.
CREATE TABLE kerai.new_ops (
    stream BIGINT NOT NULL,
    position BIGINT NOT NULL CHECK (position > 0),
    seq BIGINT NOT NULL CHECK (seq > 0),
    fold INTEGER NOT NULL,
    policy INTEGER NOT NULL,
    is_governance SMALLINT NOT NULL CHECK (is_governance IN (0, 1)),
    author BYTEA NOT NULL CHECK (length(author) = 32),
    ulid BYTEA NOT NULL CHECK (length(ulid) = 16),
    outcome TEXT NOT NULL CHECK (outcome IN ('admitted', 'denied', 'rejected')),
    body BYTEA NOT NULL,
    payload BYTEA NOT NULL,
    salts BYTEA NOT NULL,
    signature BYTEA NOT NULL CHECK (length(signature) = 64),
    record BYTEA NOT NULL
);
INSERT INTO kerai.new_ops
    SELECT o.stream, o.position, o.seq, f.number, p.number, o.is_governance, o.author, o.ulid, o.outcome,
        CASE WHEN length(o.payload) = 0 THEN o.op_id || o.given ELSE o.body END, o.payload, o.salts, o.signature, o.record
    FROM kerai.ops o JOIN kerai.roots f ON f.root = o.fold_root JOIN kerai.roots p ON p.root = o.policy_root
    ORDER BY o.stream, o.position;
DROP TABLE kerai.ops;
ALTER TABLE kerai.new_ops RENAME TO ops;
ALTER TABLE kerai.ops ADD CONSTRAINT ops_pkey PRIMARY KEY (stream, position);
-- A repeat is found by its ULID, as whatever else its author gave under it: neither ids nor chains need an index.
CREATE INDEX ops_by_ulid ON kerai.ops (stream, ulid);
CREATE INDEX ops_of_governance ON kerai.ops (stream, position) WHERE is_governance = 1;

CREATE OR REPLACE FUNCTION kerai.ops_follow() RETURNS trigger LANGUAGE plpgsql
    SET search_path = kerai, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE a RECORD;
BEGIN
    FOR a IN
        SELECT g.stream, min(first) AS first, max(last) AS last, sum(count) AS count, bool_and(is_known) AS is_known
        FROM (
            SELECT b.stream, min(position) AS first, max(position) AS last, count(*) AS count,
                EXISTS (SELECT FROM streams s WHERE s.stream = b.stream)
                AND EXISTS (SELECT FROM roots r WHERE r.number = b.fold)
                AND EXISTS (SELECT FROM roots r WHERE r.number = b.policy) AS is_known
            FROM added b GROUP BY b.stream, b.fold, b.policy
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

CREATE TRIGGER ops_follow AFTER INSERT ON kerai.ops
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION kerai.ops_follow();
CREATE TRIGGER ops_remain BEFORE DELETE OR TRUNCATE ON kerai.ops EXECUTE FUNCTION kerai.refuse();
CREATE TRIGGER ops_stay BEFORE UPDATE ON kerai.ops FOR EACH ROW
    WHEN (length(OLD.payload) = 0 OR length(NEW.body) <> 64 OR length(NEW.payload) + length(NEW.salts) > 0
        OR OLD.is_governance <> 0
        OR (NEW.stream, NEW.position, NEW.seq, NEW.fold, NEW.policy, NEW.is_governance, NEW.author, NEW.ulid,
            NEW.outcome, NEW.signature, NEW.record)
        IS DISTINCT FROM (OLD.stream, OLD.position, OLD.seq, OLD.fold, OLD.policy, OLD.is_governance, OLD.author,
            OLD.ulid, OLD.outcome, OLD.signature, OLD.record))
    EXECUTE FUNCTION kerai.refuse();
CREATE TRIGGER ops_pruned AFTER UPDATE ON kerai.ops
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION kerai.ops_pruned();

-- Pages are derived, and a million ops have many: a question a row about their stream costs more than writing them.
ALTER TABLE kerai.pages DROP CONSTRAINT pages_stream_fkey;
