/** Version of the layout, kept in the file's `user_version`. */
export const schemaVersion = 4;

/**
 * An event's payload is stored once, however many hooks it fires; a delivery is a small row beside it, cheap to update.
 * Deliveries are clustered by hook and event, which is the order in which they are made. Only deliveries that wait for
 * a retry, and those that were given up, are in an index. What was sent lies apart, so that a look over many deliveries
 * does not read it. Every statement may be run on a file of an older layout.
 */
export const schema = `
CREATE TABLE IF NOT EXISTS hooks (
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  doc TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  event TEXT NOT NULL,
  at INTEGER NOT NULL,
  payload TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
  hook INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  due INTEGER,
  finished INTEGER,
  status INTEGER,
  latency REAL,
  error TEXT,
  response TEXT,
  PRIMARY KEY (hook, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting ON deliveries (hook, due) WHERE state = 1;
CREATE TABLE IF NOT EXISTS attempts (
  hook INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  status INTEGER,
  latency REAL NOT NULL,
  error TEXT,
  PRIMARY KEY (hook, seq, attempt)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS dead ON deliveries (seq, hook) WHERE state = 3;
CREATE TABLE IF NOT EXISTS sent (
  hook INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  request TEXT,
  response TEXT,
  PRIMARY KEY (hook, seq, attempt)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
  hook INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  what INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (hook, hour, what)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS firings (
  hook INTEGER NOT NULL,
  identity TEXT NOT NULL,
  digest TEXT,
  quiet INTEGER NOT NULL,
  used INTEGER NOT NULL,
  PRIMARY KEY (hook, identity)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS firings_used ON firings (used);
CREATE TABLE IF NOT EXISTS lease (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  owner TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  until INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS epochs (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  owner TEXT NOT NULL,
  epoch INTEGER NOT NULL
);
`;
