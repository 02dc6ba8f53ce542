-- A history of version 2, as its writer left it, but for the names of the codes and the views, which
-- every open renews: three cycles of one WAN and the second that they make.

CREATE TABLE wan (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE code (kind TEXT NOT NULL, value INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY
    (kind, value)) STRICT, WITHOUT ROWID;

CREATE TABLE mark (wan INTEGER NOT NULL REFERENCES wan (id), level INTEGER NOT NULL, built INTEGER
    NOT NULL DEFAULT 0, trimmed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (wan, level)) STRICT,
    WITHOUT ROWID;

CREATE TABLE event (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, wan INTEGER REFERENCES wan (id),
    kind TEXT NOT NULL, payload TEXT NOT NULL) STRICT;

CREATE INDEX event_at ON event (at);

CREATE INDEX event_rate_written ON event (at) WHERE kind = 'rate_written';

CREATE TABLE tier_1s (wan INTEGER NOT NULL, start INTEGER NOT NULL, cycles INTEGER, gaps INTEGER,
    span_ms INTEGER, skipped INTEGER, overruns INTEGER, lateness_max_us INTEGER, probes_sent
    INTEGER, probes_lost INTEGER, starting_ms INTEGER, healthy_ms INTEGER, reduced_ms INTEGER,
    collapsed_ms INTEGER, stalled_ms INTEGER, rtt_cycles INTEGER, rtt_sum_us INTEGER, rtt_min_us
    INTEGER, rtt_max_us INTEGER, delta_cycles INTEGER, delta_sum_us INTEGER, delta_min_us INTEGER,
    delta_max_us INTEGER, baseline_cycles INTEGER, baseline_sum_us INTEGER, jitter_cycles INTEGER,
    jitter_sum_us INTEGER, jitter_max_us INTEGER, download_green_ms INTEGER, download_yellow_ms
    INTEGER, download_soft_red_ms INTEGER, download_red_ms INTEGER, download_blamed_ms INTEGER,
    download_desired_ms INTEGER, download_desired_sum_bits INTEGER, download_desired_min_kbps
    INTEGER, download_desired_max_kbps INTEGER, download_observed_ms INTEGER,
    download_observed_sum_bits INTEGER, download_observed_min_kbps INTEGER,
    download_observed_max_kbps INTEGER, download_achieved_ms INTEGER, download_achieved_sum_bits
    INTEGER, download_achieved_min_kbps INTEGER, download_achieved_max_kbps INTEGER,
    download_backlog_max_bytes INTEGER, download_bytes INTEGER, download_packets INTEGER,
    download_drops INTEGER, download_cuts INTEGER, download_raises INTEGER, download_writes INTEGER,
    upload_green_ms INTEGER, upload_yellow_ms INTEGER, upload_soft_red_ms INTEGER, upload_red_ms
    INTEGER, upload_blamed_ms INTEGER, upload_desired_ms INTEGER, upload_desired_sum_bits INTEGER,
    upload_desired_min_kbps INTEGER, upload_desired_max_kbps INTEGER, upload_observed_ms INTEGER,
    upload_observed_sum_bits INTEGER, upload_observed_min_kbps INTEGER, upload_observed_max_kbps
    INTEGER, upload_achieved_ms INTEGER, upload_achieved_sum_bits INTEGER, upload_achieved_min_kbps
    INTEGER, upload_achieved_max_kbps INTEGER, upload_backlog_max_bytes INTEGER, upload_bytes
    INTEGER, upload_packets INTEGER, upload_drops INTEGER, upload_cuts INTEGER, upload_raises
    INTEGER, upload_writes INTEGER, rtt_p50_us INTEGER, rtt_p95_us INTEGER, delta_p50_us INTEGER,
    delta_p95_us INTEGER, rtt_histogram BLOB, delta_histogram BLOB, PRIMARY KEY (wan, start))
    STRICT, WITHOUT ROWID;

CREATE TABLE tier_1m (wan INTEGER NOT NULL, start INTEGER NOT NULL, cycles INTEGER, gaps INTEGER,
    span_ms INTEGER, skipped INTEGER, overruns INTEGER, lateness_max_us INTEGER, probes_sent
    INTEGER, probes_lost INTEGER, starting_ms INTEGER, healthy_ms INTEGER, reduced_ms INTEGER,
    collapsed_ms INTEGER, stalled_ms INTEGER, rtt_cycles INTEGER, rtt_sum_us INTEGER, rtt_min_us
    INTEGER, rtt_max_us INTEGER, delta_cycles INTEGER, delta_sum_us INTEGER, delta_min_us INTEGER,
    delta_max_us INTEGER, baseline_cycles INTEGER, baseline_sum_us INTEGER, jitter_cycles INTEGER,
    jitter_sum_us INTEGER, jitter_max_us INTEGER, download_green_ms INTEGER, download_yellow_ms
    INTEGER, download_soft_red_ms INTEGER, download_red_ms INTEGER, download_blamed_ms INTEGER,
    download_desired_ms INTEGER, download_desired_sum_bits INTEGER, download_desired_min_kbps
    INTEGER, download_desired_max_kbps INTEGER, download_observed_ms INTEGER,
    download_observed_sum_bits INTEGER, download_observed_min_kbps INTEGER,
    download_observed_max_kbps INTEGER, download_achieved_ms INTEGER, download_achieved_sum_bits
    INTEGER, download_achieved_min_kbps INTEGER, download_achieved_max_kbps INTEGER,
    download_backlog_max_bytes INTEGER, download_bytes INTEGER, download_packets INTEGER,
    download_drops INTEGER, download_cuts INTEGER, download_raises INTEGER, download_writes INTEGER,
    upload_green_ms INTEGER, upload_yellow_ms INTEGER, upload_soft_red_ms INTEGER, upload_red_ms
    INTEGER, upload_blamed_ms INTEGER, upload_desired_ms INTEGER, upload_desired_sum_bits INTEGER,
    upload_desired_min_kbps INTEGER, upload_desired_max_kbps INTEGER, upload_observed_ms INTEGER,
    upload_observed_sum_bits INTEGER, upload_observed_min_kbps INTEGER, upload_observed_max_kbps
    INTEGER, upload_achieved_ms INTEGER, upload_achieved_sum_bits INTEGER, upload_achieved_min_kbps
    INTEGER, upload_achieved_max_kbps INTEGER, upload_backlog_max_bytes INTEGER, upload_bytes
    INTEGER, upload_packets INTEGER, upload_drops INTEGER, upload_cuts INTEGER, upload_raises
    INTEGER, upload_writes INTEGER, rtt_p50_us INTEGER, rtt_p95_us INTEGER, delta_p50_us INTEGER,
    delta_p95_us INTEGER, rtt_histogram BLOB, delta_histogram BLOB, PRIMARY KEY (wan, start))
    STRICT, WITHOUT ROWID;

CREATE TABLE tier_5m (wan INTEGER NOT NULL, start INTEGER NOT NULL, cycles INTEGER, gaps INTEGER,
    span_ms INTEGER, skipped INTEGER, overruns INTEGER, lateness_max_us INTEGER, probes_sent
    INTEGER, probes_lost INTEGER, starting_ms INTEGER, healthy_ms INTEGER, reduced_ms INTEGER,
    collapsed_ms INTEGER, stalled_ms INTEGER, rtt_cycles INTEGER, rtt_sum_us INTEGER, rtt_min_us
    INTEGER, rtt_max_us INTEGER, delta_cycles INTEGER, delta_sum_us INTEGER, delta_min_us INTEGER,
    delta_max_us INTEGER, baseline_cycles INTEGER, baseline_sum_us INTEGER, jitter_cycles INTEGER,
    jitter_sum_us INTEGER, jitter_max_us INTEGER, download_green_ms INTEGER, download_yellow_ms
    INTEGER, download_soft_red_ms INTEGER, download_red_ms INTEGER, download_blamed_ms INTEGER,
    download_desired_ms INTEGER, download_desired_sum_bits INTEGER, download_desired_min_kbps
    INTEGER, download_desired_max_kbps INTEGER, download_observed_ms INTEGER,
    download_observed_sum_bits INTEGER, download_observed_min_kbps INTEGER,
    download_observed_max_kbps INTEGER, download_achieved_ms INTEGER, download_achieved_sum_bits
    INTEGER, download_achieved_min_kbps INTEGER, download_achieved_max_kbps INTEGER,
    download_backlog_max_bytes INTEGER, download_bytes INTEGER, download_packets INTEGER,
    download_drops INTEGER, download_cuts INTEGER, download_raises INTEGER, download_writes INTEGER,
    upload_green_ms INTEGER, upload_yellow_ms INTEGER, upload_soft_red_ms INTEGER, upload_red_ms
    INTEGER, upload_blamed_ms INTEGER, upload_desired_ms INTEGER, upload_desired_sum_bits INTEGER,
    upload_desired_min_kbps INTEGER, upload_desired_max_kbps INTEGER, upload_observed_ms INTEGER,
    upload_observed_sum_bits INTEGER, upload_observed_min_kbps INTEGER, upload_observed_max_kbps
    INTEGER, upload_achieved_ms INTEGER, upload_achieved_sum_bits INTEGER, upload_achieved_min_kbps
    INTEGER, upload_achieved_max_kbps INTEGER, upload_backlog_max_bytes INTEGER, upload_bytes
    INTEGER, upload_packets INTEGER, upload_drops INTEGER, upload_cuts INTEGER, upload_raises
    INTEGER, upload_writes INTEGER, rtt_p50_us INTEGER, rtt_p95_us INTEGER, delta_p50_us INTEGER,
    delta_p95_us INTEGER, rtt_histogram BLOB, delta_histogram BLOB, PRIMARY KEY (wan, start))
    STRICT, WITHOUT ROWID;

CREATE TABLE tier_1h (wan INTEGER NOT NULL, start INTEGER NOT NULL, cycles INTEGER, gaps INTEGER,
    span_ms INTEGER, skipped INTEGER, overruns INTEGER, lateness_max_us INTEGER, probes_sent
    INTEGER, probes_lost INTEGER, starting_ms INTEGER, healthy_ms INTEGER, reduced_ms INTEGER,
    collapsed_ms INTEGER, stalled_ms INTEGER, rtt_cycles INTEGER, rtt_sum_us INTEGER, rtt_min_us
    INTEGER, rtt_max_us INTEGER, delta_cycles INTEGER, delta_sum_us INTEGER, delta_min_us INTEGER,
    delta_max_us INTEGER, baseline_cycles INTEGER, baseline_sum_us INTEGER, jitter_cycles INTEGER,
    jitter_sum_us INTEGER, jitter_max_us INTEGER, download_green_ms INTEGER, download_yellow_ms
    INTEGER, download_soft_red_ms INTEGER, download_red_ms INTEGER, download_blamed_ms INTEGER,
    download_desired_ms INTEGER, download_desired_sum_bits INTEGER, download_desired_min_kbps
    INTEGER, download_desired_max_kbps INTEGER, download_observed_ms INTEGER,
    download_observed_sum_bits INTEGER, download_observed_min_kbps INTEGER,
    download_observed_max_kbps INTEGER, download_achieved_ms INTEGER, download_achieved_sum_bits
    INTEGER, download_achieved_min_kbps INTEGER, download_achieved_max_kbps INTEGER,
    download_backlog_max_bytes INTEGER, download_bytes INTEGER, download_packets INTEGER,
    download_drops INTEGER, download_cuts INTEGER, download_raises INTEGER, download_writes INTEGER,
    upload_green_ms INTEGER, upload_yellow_ms INTEGER, upload_soft_red_ms INTEGER, upload_red_ms
    INTEGER, upload_blamed_ms INTEGER, upload_desired_ms INTEGER, upload_desired_sum_bits INTEGER,
    upload_desired_min_kbps INTEGER, upload_desired_max_kbps INTEGER, upload_observed_ms INTEGER,
    upload_observed_sum_bits INTEGER, upload_observed_min_kbps INTEGER, upload_observed_max_kbps
    INTEGER, upload_achieved_ms INTEGER, upload_achieved_sum_bits INTEGER, upload_achieved_min_kbps
    INTEGER, upload_achieved_max_kbps INTEGER, upload_backlog_max_bytes INTEGER, upload_bytes
    INTEGER, upload_packets INTEGER, upload_drops INTEGER, upload_cuts INTEGER, upload_raises
    INTEGER, upload_writes INTEGER, rtt_p50_us INTEGER, rtt_p95_us INTEGER, delta_p50_us INTEGER,
    delta_p95_us INTEGER, rtt_histogram BLOB, delta_histogram BLOB, PRIMARY KEY (wan, start))
    STRICT, WITHOUT ROWID;

CREATE TABLE cycle_1 (at_ms INTEGER PRIMARY KEY, codes INTEGER, timing INTEGER, rtt_10us INTEGER,
    baseline_10us INTEGER, delta_10us INTEGER, jitter_10us INTEGER, download_desired_kbps INTEGER,
    download_load_pct INTEGER, download_lag_kbps INTEGER, download_bytes INTEGER, download_packets
    INTEGER, download_queue INTEGER, upload_desired_kbps INTEGER, upload_load_pct INTEGER,
    upload_lag_kbps INTEGER, upload_bytes INTEGER, upload_packets INTEGER, upload_queue INTEGER)
    STRICT;

CREATE TABLE cycle_2 (at_ms INTEGER PRIMARY KEY, codes INTEGER, timing INTEGER, rtt_10us INTEGER,
    baseline_10us INTEGER, delta_10us INTEGER, jitter_10us INTEGER, download_desired_kbps INTEGER,
    download_load_pct INTEGER, download_lag_kbps INTEGER, download_bytes INTEGER, download_packets
    INTEGER, download_queue INTEGER, upload_desired_kbps INTEGER, upload_load_pct INTEGER,
    upload_lag_kbps INTEGER, upload_bytes INTEGER, upload_packets INTEGER, upload_queue INTEGER)
    STRICT;

INSERT INTO wan (id, name) VALUES (1, 'cable');
INSERT INTO wan (id, name) VALUES (2, 'dsl');
INSERT INTO cycle_1 (at_ms, codes, timing, rtt_10us, baseline_10us, delta_10us, jitter_10us,
    download_desired_kbps, download_load_pct, download_lag_kbps, download_queue,
    upload_desired_kbps, upload_load_pct, upload_lag_kbps, upload_queue) VALUES (1790000000000,
    149677748225065, 536877106, 2430, 2210, 220, 87, 92000, 45, -1000, 237, 92001, 45, -1000, 237);
INSERT INTO cycle_1 (at_ms, codes, timing, rtt_10us, baseline_10us, delta_10us, jitter_10us,
    download_desired_kbps, download_load_pct, download_lag_kbps, download_bytes, download_packets,
    download_queue, upload_desired_kbps, upload_load_pct, upload_lag_kbps, upload_bytes,
    upload_packets, upload_queue) VALUES (1790000000050, 149677748225033, 578820146, 2430, 2210,
    220, 87, 92000, 45, -1000, 256000, 210, 50331885, 92001, 45, -1000, 256001, 211, 67109101);
INSERT INTO cycle_1 (at_ms, codes, timing, rtt_10us, baseline_10us, delta_10us, jitter_10us,
    download_desired_kbps, download_load_pct, download_lag_kbps, download_bytes, download_packets,
    download_queue, upload_desired_kbps, upload_load_pct, upload_lag_kbps, upload_bytes,
    upload_packets, upload_queue) VALUES (1790000000100, 149677748225033, 578820146, 2430, 2210,
    220, 87, 92000, 45, -1000, 256000, 210, 50331885, 92001, 45, -1000, 256001, 211, 67109101);
INSERT INTO tier_1s (wan, start, cycles, gaps, span_ms, skipped, overruns, lateness_max_us,
    probes_sent, probes_lost, starting_ms, healthy_ms, reduced_ms, collapsed_ms, stalled_ms,
    rtt_cycles, rtt_sum_us, rtt_min_us, rtt_max_us, delta_cycles, delta_sum_us, delta_min_us,
    delta_max_us, baseline_cycles, baseline_sum_us, jitter_cycles, jitter_sum_us, jitter_max_us,
    download_green_ms, download_yellow_ms, download_soft_red_ms, download_red_ms,
    download_blamed_ms, download_desired_ms, download_desired_sum_bits, download_desired_min_kbps,
    download_desired_max_kbps, download_observed_ms, download_observed_sum_bits,
    download_observed_min_kbps, download_observed_max_kbps, download_achieved_ms,
    download_achieved_sum_bits, download_achieved_min_kbps, download_achieved_max_kbps,
    download_backlog_max_bytes, download_bytes, download_packets, download_drops, download_cuts,
    download_raises, download_writes, upload_green_ms, upload_yellow_ms, upload_soft_red_ms,
    upload_red_ms, upload_blamed_ms, upload_desired_ms, upload_desired_sum_bits,
    upload_desired_min_kbps, upload_desired_max_kbps, upload_observed_ms, upload_observed_sum_bits,
    upload_observed_min_kbps, upload_observed_max_kbps, upload_achieved_ms,
    upload_achieved_sum_bits, upload_achieved_min_kbps, upload_achieved_max_kbps,
    upload_backlog_max_bytes, upload_bytes, upload_packets, upload_drops, upload_cuts,
    upload_raises, upload_writes, rtt_p50_us, rtt_p95_us, delta_p50_us, delta_p95_us, rtt_histogram,
    delta_histogram) VALUES (1, 1790000000, 3, 1, 150, 12, 0, 300, 6, 3, 0, 150, 0, 0, 0, 3, 72900,
    24300, 24300, 3, 6600, 2200, 2200, 3, 66300, 3, 2610, 870, 150, 0, 0, 0, 150, 150, 13800000,
    92000, 92000, 150, 13950000, 93000, 93000, 150, 6210000, 41400, 41400, 15168, 512000, 420, 6, 0,
    3, 2, 150, 0, 0, 0, 0, 150, 13800150, 92001, 92001, 150, 13950150, 93001, 93001, 150, 6210000,
    41400, 41400, 15168, 512002, 422, 8, 0, 0, 2, 24300, 24300, 2200, 2200, x'ae0103', x'4203');
INSERT INTO event (at, wan, kind, payload) VALUES (1790000000000000, NULL, 'start', '{}');

PRAGMA application_id = 0x77616e63;
PRAGMA user_version = 2;
