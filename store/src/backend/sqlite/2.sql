-- Schema 2. Of ops that a closed epoch's checkpoint counts and an archive holds, what was signed may be given up: body,
-- payload and salts, and nothing else. Records, signatures and all that ops are found by stay, and governance's ops whole.

-- Up to which record, the archive that has it, and the state to go on from.
CREATE TABLE pruned (
    stream INTEGER NOT NULL REFERENCES streams (stream),
    epoch INTEGER NOT NULL,
    count INTEGER NOT NULL,
    fold_root BLOB NOT NULL REFERENCES programs (root),
    policy_root BLOB NOT NULL REFERENCES programs (root),
    archive BLOB NOT NULL CHECK (length(archive) = 32),
    folded INTEGER NOT NULL,
    last BLOB CHECK (length(last) = 80),
    bytes BLOB NOT NULL,
    PRIMARY KEY (stream, count),
    FOREIGN KEY (stream, epoch, count) REFERENCES checkpoints (stream, epoch, count)
) STRICT;

CREATE TRIGGER pruned_follow BEFORE INSERT ON pruned
WHEN NOT EXISTS (SELECT 1 FROM streams s WHERE s.stream = NEW.stream AND s.epoch > NEW.epoch)
    OR EXISTS (SELECT 1 FROM pruned p WHERE p.stream = NEW.stream AND p.count >= NEW.count)
BEGIN SELECT raise(ABORT, 'only closed epochs are pruned, one after the other'); END;
CREATE TRIGGER pruned_stay BEFORE UPDATE ON pruned BEGIN SELECT raise(ABORT, 'what was pruned is never changed'); END;
CREATE TRIGGER pruned_remain BEFORE DELETE ON pruned BEGIN SELECT raise(ABORT, 'what was pruned is never deleted'); END;

DROP TRIGGER ops_stay;
CREATE TRIGGER ops_stay BEFORE UPDATE ON ops
WHEN length(NEW.body) + length(NEW.payload) + length(NEW.salts) > 0 OR OLD.is_governance <> 0
    OR OLD.position > coalesce((SELECT max(count) FROM pruned p WHERE p.stream = OLD.stream), 0)
    OR (NEW.stream, NEW.position, NEW.op_id, NEW.author, NEW.seq, NEW.ulid, NEW.given, NEW.outcome, NEW.is_governance,
        NEW.fold_root, NEW.policy_root, NEW.received_ms, NEW.signature, NEW.record)
    IS NOT (OLD.stream, OLD.position, OLD.op_id, OLD.author, OLD.seq, OLD.ulid, OLD.given, OLD.outcome, OLD.is_governance,
        OLD.fold_root, OLD.policy_root, OLD.received_ms, OLD.signature, OLD.record)
BEGIN SELECT raise(ABORT, 'ops are never changed'); END;
