-- Audit events, in one numbered, hash-chained stream for each start of a process.

-- `head_*` is the last event that was committed, `pruned_*` the last one that was removed; seals are HMACs of them.
CREATE TABLE streams (
    number      INTEGER PRIMARY KEY,
    node        TEXT NOT NULL,
    boot        TEXT NOT NULL,
    started     INTEGER NOT NULL,
    head_n      INTEGER NOT NULL,
    head_hash   BLOB NOT NULL,
    head_seal   BLOB NOT NULL,
    pruned_n    INTEGER NOT NULL,
    pruned_hash BLOB NOT NULL,
    pruned_seal BLOB NOT NULL
) STRICT;

-- `id` is the stream's number times 2^40 plus the event's number in it, so a stream is read in order without an index.
CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    account  TEXT NOT NULL,
    time     REAL NOT NULL,
    hash     BLOB NOT NULL,
    document BLOB NOT NULL
) STRICT;

-- What events are looked up by, in narrow rows ordered by time: a random key would cost each event a page of its own.
CREATE TABLE event_keys (
    account       TEXT NOT NULL,
    time          REAL NOT NULL,
    id            INTEGER NOT NULL,
    event_id      TEXT NOT NULL,
    request_id    TEXT NOT NULL,
    name          TEXT NOT NULL,
    source        TEXT NOT NULL,
    read_only     INTEGER NOT NULL,
    user_name     TEXT,
    access_key_id TEXT,
    resources     TEXT NOT NULL,
    PRIMARY KEY (account, time, id)
) STRICT, WITHOUT ROWID;
