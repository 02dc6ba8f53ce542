-- Moments are microseconds since the Unix epoch, in columns named `at`. All other numbers are
-- integers whose unit ends the column's name. NULL means: not known at that moment.

CREATE TABLE wan (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- The names of the small integers in `cycle`.
CREATE TABLE code (
    kind TEXT NOT NULL, -- 'measurement', 'state', 'load' or 'reason'
    value INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

-- One row for each WAN and control cycle.
CREATE TABLE cycle (
    wan INTEGER NOT NULL REFERENCES wan (id),
    at INTEGER NOT NULL,
    number INTEGER, -- of the cycle since the daemon started, from 1
    measurement INTEGER, -- code 'measurement'
    fresh INTEGER, -- reflectors whose last reply is fresh
    votes INTEGER, -- fresh reflectors that see bloat
    bloated INTEGER, -- 1 if the votes suffice
    rtt_us INTEGER,
    baseline_us INTEGER,
    delta_us INTEGER, -- delay over the baseline; may be negative
    jitter_us INTEGER,
    lateness_us INTEGER, -- how late the cycle began
    busy_us INTEGER, -- how long the cycle before this one took
    skipped INTEGER, -- ticks dropped before this cycle
    download_state INTEGER, -- code 'state'
    download_reason INTEGER, -- code 'reason'
    download_load INTEGER, -- code 'load'
    download_blamed INTEGER, -- 1 if a rise of the delay is put down to this direction
    download_achieved_bps INTEGER, -- what got through
    download_desired_bps INTEGER, -- what the shaper should be set to
    download_observed_bps INTEGER, -- what the shaper was last seen set to
    download_backlog_bytes INTEGER,
    download_bytes INTEGER, -- sent by the queue since the row before
    download_packets INTEGER, -- likewise
    download_drops INTEGER, -- likewise, packets
    upload_state INTEGER,
    upload_reason INTEGER,
    upload_load INTEGER,
    upload_blamed INTEGER,
    upload_achieved_bps INTEGER,
    upload_desired_bps INTEGER,
    upload_observed_bps INTEGER,
    upload_backlog_bytes INTEGER,
    upload_bytes INTEGER,
    upload_packets INTEGER,
    upload_drops INTEGER,
    PRIMARY KEY (wan, at)
) STRICT, WITHOUT ROWID;

-- What happened once. `payload` is a JSON object that depends on `kind`.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    wan INTEGER REFERENCES wan (id), -- NULL: not about one WAN
    kind TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;

CREATE INDEX event_at ON event (at);

PRAGMA application_id = 0x77616e63;
PRAGMA user_version = 1;
INSERT INTO wan (id, name) VALUES (1, 'cable');
INSERT INTO event (at, wan, kind, payload) VALUES (1790000000000000, NULL, 'start', '{}');
