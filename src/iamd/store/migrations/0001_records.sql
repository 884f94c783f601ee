-- The state: records as documents, the log of what each revision changed, and small facts of their own.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- `number` keeps the order in which records were first written.
CREATE TABLE records (
    number   INTEGER PRIMARY KEY,
    account  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    revision INTEGER NOT NULL,
    document BLOB NOT NULL,
    UNIQUE (account, kind, key)
) STRICT;

-- One row for each record that a revision wrote or deleted. A row without a kind means: everything changed.
CREATE TABLE changes (
    revision INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    account  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    deleted  INTEGER NOT NULL,
    PRIMARY KEY (revision, number)
) STRICT, WITHOUT ROWID;

-- The records of revision 1, or as they were when they were marked as first: what a reset goes back to.
CREATE TABLE first_records (
    number   INTEGER PRIMARY KEY,
    account  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    document BLOB NOT NULL
) STRICT;

-- What may be used once: TOTP steps, ids of assertions. Times are seconds since the epoch.
CREATE TABLE used (
    kind    TEXT NOT NULL,
    key     TEXT NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE last_used (
    account TEXT NOT NULL,
    kind    TEXT NOT NULL,
    key     TEXT NOT NULL,
    time    INTEGER NOT NULL,
    region  TEXT NOT NULL,
    service TEXT NOT NULL,
    PRIMARY KEY (account, kind, key)
) STRICT, WITHOUT ROWID;
