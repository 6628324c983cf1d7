/** The version of tables and functions below. A change of either is a new version with a step of its own. */
export const schemaVersion = 1;

/**
 * Event numbers begin anew with each day: its number since 1970 times this, plus a count. So one range of numbers is one
 * day, and tables that are partitioned by number are partitioned by day.
 */
export const numbersPerDay = 10_000_000_000;

/**
 * The tables; `{s}` is the schema.
 *
 * - `open` holds what is not finished, and is small: a row goes when its delivery has ended. `done`, `events` and
 *   `attempts` are only written to at their end, and go by the day.
 * - `seen` keeps an event from being stored twice. It is not partitioned, because a unique index within a partition would
 *   not see the other days.
 * - `counts` and `new_hours` only grow, too, and are folded now and then: a row that is updated with each commit becomes
 *   slow while a transaction somewhere is held open.
 * - `changes` has a row per kind of change that is seldom made.
 */
export const tables = `
CREATE TABLE {s}.hooks (
  no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL UNIQUE,
  doc text NOT NULL
);
CREATE SEQUENCE {s}.numbers AS bigint MINVALUE 0 START 0;
CREATE TABLE {s}.events (
  seq bigint PRIMARY KEY,
  id text NOT NULL,
  source text NOT NULL,
  event text NOT NULL,
  at bigint NOT NULL,
  payload text NOT NULL
) PARTITION BY RANGE (seq);
CREATE TABLE {s}.seen (id text PRIMARY KEY, seq bigint NOT NULL);
CREATE INDEX seen_seq ON {s}.seen (seq);
CREATE TABLE {s}.open (
  seq bigint NOT NULL,
  hook bigint NOT NULL,
  state smallint NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  size integer NOT NULL,
  due bigint,
  finished bigint,
  status integer,
  latency double precision,
  error text,
  response text,
  PRIMARY KEY (seq, hook)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
  autovacuum_analyze_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX open_pending ON {s}.open (hook, seq) WHERE state = 0;
CREATE INDEX open_waiting ON {s}.open (hook, due, seq) WHERE state = 1;
CREATE TABLE {s}.done (
  hook bigint NOT NULL,
  seq bigint NOT NULL,
  state smallint NOT NULL,
  attempts integer NOT NULL,
  size integer NOT NULL,
  finished bigint,
  status integer,
  latency double precision,
  error text,
  response text,
  request text,
  PRIMARY KEY (hook, seq)
) PARTITION BY RANGE (seq);
CREATE INDEX done_dead ON {s}.done (seq, hook) WHERE state = 3;
CREATE TABLE {s}.attempts (
  hook bigint NOT NULL,
  seq bigint NOT NULL,
  attempt integer NOT NULL,
  finished bigint NOT NULL,
  status integer,
  latency double precision NOT NULL,
  error text,
  response text,
  request text,
  PRIMARY KEY (hook, seq, attempt)
) PARTITION BY RANGE (seq);
CREATE TABLE {s}.firings (
  hook bigint NOT NULL,
  identity text NOT NULL,
  digest text,
  quiet bigint NOT NULL,
  used bigint NOT NULL,
  PRIMARY KEY (hook, identity)
);
CREATE INDEX firings_used ON {s}.firings (used);
CREATE TABLE {s}.counts (
  hook bigint NOT NULL,
  pending bigint NOT NULL DEFAULT 0,
  waiting bigint NOT NULL DEFAULT 0,
  delivered bigint NOT NULL DEFAULT 0,
  dead bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE TABLE {s}.hours (
  hook bigint NOT NULL,
  hour bigint NOT NULL,
  what integer NOT NULL,
  n bigint NOT NULL,
  PRIMARY KEY (hook, hour, what)
);
CREATE TABLE {s}.new_hours (LIKE {s}.hours)
  WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE TABLE {s}.changes (kind text PRIMARY KEY, number bigint NOT NULL);
INSERT INTO {s}.changes VALUES ('hooks', 0), ('deliveries', 0);
CREATE SEQUENCE {s}.epochs AS bigint;
CREATE TABLE {s}.nodes (owner text PRIMARY KEY, until bigint NOT NULL) WITH (fillfactor = 20);
CREATE TABLE {s}.lease (name text PRIMARY KEY, owner text, epoch bigint UNIQUE);
CREATE INDEX lease_owner ON {s}.lease (owner);
CREATE TABLE {s}.retention (one integer PRIMARY KEY CHECK (one = 1), floor bigint NOT NULL, begun bigint NOT NULL);
INSERT INTO {s}.retention VALUES (1, 0, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
`;
