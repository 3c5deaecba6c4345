-- Schema 4. What is left of a pruned op has the hash of its record too: a record is as brief as the row allows, so that one
-- that was exchanged would read as this op's. What schema 3 left, without it, stays as it is.

DROP TRIGGER ops_stay ON kerai.ops;
CREATE TRIGGER ops_stay BEFORE UPDATE ON kerai.ops FOR EACH ROW
    WHEN (length(OLD.payload) = 0 OR length(NEW.body) <> 96 OR length(NEW.payload) + length(NEW.salts) > 0
        OR OLD.is_governance <> 0
        OR (NEW.stream, NEW.position, NEW.seq, NEW.fold, NEW.policy, NEW.is_governance, NEW.author, NEW.ulid,
            NEW.outcome, NEW.signature, NEW.record)
        IS DISTINCT FROM (OLD.stream, OLD.position, OLD.seq, OLD.fold, OLD.policy, OLD.is_governance, OLD.author,
            OLD.ulid, OLD.outcome, OLD.signature, OLD.record))
    EXECUTE FUNCTION kerai.refuse();
