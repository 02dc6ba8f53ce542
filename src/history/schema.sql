-- What does not depend on the WANs; the rest is made by `schema/`. The views are documented.

CREATE TABLE IF NOT EXISTS wan (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- The names of the small integers.
CREATE TABLE IF NOT EXISTS code (
    kind TEXT NOT NULL, -- 'measurement', 'state', 'load', 'method', 'reason' or 'phase'
    value INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

-- How far each level of each WAN reaches, in seconds since the epoch, at bounds of buckets.
CREATE TABLE IF NOT EXISTS mark (
    wan INTEGER NOT NULL REFERENCES wan (id),
    level INTEGER NOT NULL, -- seconds of a bucket; 0: single cycles
    built INTEGER NOT NULL DEFAULT 0, -- buckets before this are complete
    trimmed INTEGER NOT NULL DEFAULT 0, -- rows before this are forgotten, or about to be
    PRIMARY KEY (wan, level)
) STRICT, WITHOUT ROWID;

-- What the controllers have learned and a start continues from. `at` is in microseconds since the
-- epoch, `content` is a JSON object.
CREATE TABLE IF NOT EXISTS memory (
    wan INTEGER PRIMARY KEY REFERENCES wan (id),
    at INTEGER NOT NULL, -- when it was current
    content TEXT NOT NULL
) STRICT;

-- Where traffic is steered, likewise: one row.
CREATE TABLE IF NOT EXISTS steering_memory (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL,
    content TEXT NOT NULL
) STRICT;

-- What happened once. `at` is in microseconds since the epoch; `payload` is a JSON object that
-- depends on `kind`.
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    wan INTEGER REFERENCES wan (id), -- NULL: not about one WAN
    kind TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS event_at ON event (at);

-- Writes of rates are many and soon of no interest: they are forgotten sooner than the others.
CREATE INDEX IF NOT EXISTS event_rate_written ON event (at) WHERE kind = 'rate_written';
