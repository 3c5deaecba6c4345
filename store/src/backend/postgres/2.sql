-- Schema 2. Of ops that a closed epoch's checkpoint counts and an archive holds, what was signed may be given up: body,
-- payload and salts, and nothing else. Records, signatures and all that ops are found by stay, and governance's ops whole.

-- What is written again and again finds room beside what it replaces.
ALTER TABLE kerai.pages SET (fillfactor = 85);
ALTER TABLE kerai.state SET (fillfactor = 85);

-- Up to which record, the archive that has it, and the state to go on from.
CREATE TABLE kerai.pruned (
    stream BIGINT NOT NULL REFERENCES kerai.streams (stream),
    epoch BIGINT NOT NULL,
    count BIGINT NOT NULL,
    fold_root BYTEA NOT NULL REFERENCES kerai.programs (root),
    policy_root BYTEA NOT NULL REFERENCES kerai.programs (root),
    archive BYTEA NOT NULL CHECK (length(archive) = 32),
    folded BIGINT NOT NULL,
    last BYTEA CHECK (length(last) = 80),
    bytes BYTEA NOT NULL,
    PRIMARY KEY (stream, count),
    FOREIGN KEY (stream, epoch, count) REFERENCES kerai.checkpoints (stream, epoch, count)
);
ALTER TABLE kerai.pruned ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE FUNCTION kerai.pruned_follow() RETURNS trigger LANGUAGE plpgsql SET search_path = kerai, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM streams s WHERE s.stream = NEW.stream AND s.epoch > NEW.epoch)
        OR EXISTS (SELECT FROM pruned p WHERE p.stream = NEW.stream AND p.count >= NEW.count)
    THEN
        RAISE EXCEPTION 'only closed epochs are pruned, one after the other'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER pruned_follow BEFORE INSERT ON kerai.pruned FOR EACH ROW EXECUTE FUNCTION kerai.pruned_follow();
CREATE TRIGGER pruned_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON kerai.pruned EXECUTE FUNCTION kerai.refuse();

-- How far a statement that empties ops may go is asked once for all of them.
CREATE FUNCTION kerai.ops_pruned() RETURNS trigger LANGUAGE plpgsql SET search_path = kerai, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT stream, max(position) AS last FROM changed GROUP BY stream) c
        WHERE c.last > coalesce((SELECT max(p.count) FROM pruned p WHERE p.stream = c.stream), 0)
    ) THEN RAISE EXCEPTION 'ops are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation'; END IF;
    RETURN NULL;
END $$;

DROP TRIGGER ops_stay ON kerai.ops;
CREATE TRIGGER ops_remain BEFORE DELETE OR TRUNCATE ON kerai.ops EXECUTE FUNCTION kerai.refuse();
CREATE TRIGGER ops_stay BEFORE UPDATE ON kerai.ops FOR EACH ROW
    WHEN (length(NEW.body) + length(NEW.payload) + length(NEW.salts) > 0 OR OLD.is_governance <> 0
        OR (NEW.stream, NEW.position, NEW.op_id, NEW.author, NEW.seq, NEW.ulid, NEW.given, NEW.outcome,
            NEW.is_governance, NEW.fold_root, NEW.policy_root, NEW.received_ms, NEW.signature, NEW.record)
        IS DISTINCT FROM (OLD.stream, OLD.position, OLD.op_id, OLD.author, OLD.seq, OLD.ulid, OLD.given, OLD.outcome,
            OLD.is_governance, OLD.fold_root, OLD.policy_root, OLD.received_ms, OLD.signature, OLD.record))
    EXECUTE FUNCTION kerai.refuse();
CREATE TRIGGER ops_pruned AFTER UPDATE ON kerai.ops
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION kerai.ops_pruned();
