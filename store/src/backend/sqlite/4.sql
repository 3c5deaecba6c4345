-- Schema 4. What is left of a pruned op has the hash of its record too: a record is as brief as the row allows, so that one
-- that was exchanged would read as this op's. What schema 3 left, without it, stays as it is.

DROP TRIGGER ops_stay;
CREATE TRIGGER ops_stay BEFORE UPDATE ON ops
WHEN length(OLD.payload) = 0 OR length(NEW.body) <> 96 OR length(NEW.payload) + length(NEW.salts) > 0
    OR OLD.is_governance <> 0
    OR OLD.position > coalesce((SELECT max(count) FROM pruned p WHERE p.stream = OLD.stream), 0)
    OR (NEW.stream, NEW.position, NEW.seq, NEW.fold, NEW.policy, NEW.is_governance, NEW.author, NEW.ulid, NEW.outcome,
        NEW.signature, NEW.record)
    IS NOT (OLD.stream, OLD.position, OLD.seq, OLD.fold, OLD.policy, OLD.is_governance, OLD.author, OLD.ulid,
        OLD.outcome, OLD.signature, OLD.record)
BEGIN SELECT raise(ABORT, 'ops are never changed'); END;
