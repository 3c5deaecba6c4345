"""The fold of invoices as one SQL statement in DuckDB, on one thread, over events as JSON Lines.

usage: python3 duckdb_fold.py EVENTS.jsonl [ROUNDS]

Needs the package `duckdb`. Prints the median in nanoseconds an event, reading the file and writing the JSON included,
and the number of invoices with a hash of the text, so that two runs can be compared.
"""

import hashlib
import statistics
import sys
import time

import duckdb

FOLD = """
with events as (
    select type, ulid, payload.id as id, payload.amount as amount
    from read_json($path, format = 'newline_delimited', columns = {
        type: 'varchar', ulid: 'varchar', payload: 'struct(id varchar, amount decimal(18, 2))'
    })
), inserted as (
    select id, max(ulid) as ulid, arg_max(amount, ulid) as amount
    from events where type = 'intent.exec.insert_invoice' group by id
), approved as (
    select id, max(ulid) as ulid from events where type = 'intent.exec.approve_invoice' group by id
), invoices as (
    select i.id, i.amount,
        case when a.ulid > i.ulid then 'approved' else 'draft' end as status,
        case when a.ulid > i.ulid then a.ulid else i.ulid end as ts
    from inserted i left join approved a using (id)
)
select count(*), '{' || string_agg(to_json(id) || ':' || json_object('amount', amount, 'id', id, 'status', status, 'ts', ts),
    ',' order by id) || '}'
from invoices
"""


def main() -> None:
    path = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with open(path, "rb") as file:
        events = sum(1 for _ in file)
    connection = duckdb.connect(config={"threads": 1})
    times = []
    for _ in range(rounds + 1):
        start = time.process_time_ns()
        count, text = connection.execute(FOLD, {"path": path}).fetchone()
        times.append(time.process_time_ns() - start)
    median = statistics.median(times[1:]) / events
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    print(f"duckdb {duckdb.__version__}: {median:.1f} ns an event; {count} invoices, {digest}")


main()
