/** What is only read: statements of their own, which take no lock. `{s}` is the schema, $1 the hook's id. */
const number = '(SELECT h.no FROM {s}.hooks h WHERE h.id = $1)';
const floor = '(SELECT r.floor FROM {s}.retention r)';
/** One look-up by the key for each row, whatever the planner thinks of the size of a day. */
const eventOf = (alias: string): string =>
  `CROSS JOIN LATERAL (SELECT * FROM {s}.events WHERE seq = ${alias}.seq OFFSET 0) e`;

/** $2 above, $3 limit, $4 size. */
export const pending = `
SELECT e.seq, e.id, e.source, e.event, e.at, e.payload, p.attempts FROM (
  SELECT f.* FROM (
    SELECT w.*, sum(w.size) OVER (ORDER BY w.seq) - w.size AS ahead FROM (
      SELECT o.seq, o.attempts, o.size FROM {s}.open o WHERE o.hook = ${number} AND o.seq > $2 AND o.state = 0
      ORDER BY o.seq LIMIT $3
    ) w
  ) f WHERE f.ahead < $4
) p ${eventOf('p')} ORDER BY p.seq`;

export const nextDue = `SELECT min(o.due) AS due FROM {s}.open o WHERE o.hook = ${number} AND o.state = 1`;

export const unfinished = `
SELECT h.id, coalesce(c.n, 0) AS n FROM {s}.hooks h
LEFT JOIN (SELECT hook, sum(pending + waiting)::bigint AS n FROM {s}.counts GROUP BY hook) c ON c.hook = h.no`;

export const counts = `
SELECT coalesce(sum(pending), 0)::bigint AS pending, coalesce(sum(waiting), 0)::bigint AS waiting,
  coalesce(sum(delivered), 0)::bigint AS delivered, coalesce(sum(dead), 0)::bigint AS dead
FROM {s}.counts WHERE hook = ${number}`;

const shown = 'state, attempts, finished, status, latency, error, response';
const record = `e.seq, e.id, e.source, e.event, e.at, e.payload, d.due, d.state, d.attempts, d.finished, d.status,
  d.latency, d.error, d.response`;

/** $2 below, $3 since, $4 state or null, $5 limit. */
export const deliveries = `
SELECT ${record} FROM (
  (SELECT o.seq, o.due, ${shown} FROM {s}.open o ${eventOf('o')}
    WHERE o.hook = ${number} AND o.state IN (0, 1) AND o.seq < $2 AND e.at >= $3 AND ($4::smallint IS NULL OR o.state = $4)
    ORDER BY o.seq DESC LIMIT $5)
  UNION ALL
  (SELECT o.seq, NULL, ${shown} FROM {s}.done o ${eventOf('o')}
    WHERE o.hook = ${number} AND o.seq < $2 AND o.seq >= ${floor} AND e.at >= $3 AND ($4::smallint IS NULL OR o.state = $4)
    ORDER BY o.seq DESC LIMIT $5)
) d ${eventOf('d')} ORDER BY d.seq DESC LIMIT $5`;

/** $2 the event's id. */
export const delivery = `
SELECT ${record} FROM {s}.seen s CROSS JOIN LATERAL (
  SELECT o.seq, o.due, ${shown} FROM {s}.open o WHERE o.seq = s.seq AND o.hook = ${number}
  UNION ALL
  SELECT o.seq, NULL, ${shown} FROM {s}.done o WHERE o.seq = s.seq AND o.hook = ${number} AND o.seq >= ${floor}
) d ${eventOf('d')} WHERE s.id = $2`;

/** $2 the event's number. */
export const attempts = `
SELECT attempt, finished, status, latency, error, response, request FROM {s}.attempts
  WHERE hook = ${number} AND seq = $2
UNION ALL
SELECT 1, finished, status, latency, error, response, request FROM {s}.done
  WHERE hook = ${number} AND seq = $2 AND state = 2 AND attempts = 1
ORDER BY attempt`;

/** The hooks' hours since $1. */
export const hours = `
SELECT h.id, t.hour, t.what, sum(t.n)::bigint AS n FROM (
  SELECT * FROM {s}.hours WHERE hour >= $1 UNION ALL SELECT * FROM {s}.new_hours WHERE hour >= $1
) t JOIN {s}.hooks h ON h.no = t.hook GROUP BY h.id, t.hour, t.what`;
export const begun = 'SELECT begun FROM {s}.retention';

export const waitingAndDead = `
SELECT h.id, c.waiting, c.dead FROM {s}.hooks h JOIN (
  SELECT hook, sum(waiting)::bigint AS waiting, sum(dead)::bigint AS dead FROM {s}.counts GROUP BY hook
) c ON c.hook = h.no WHERE c.waiting > 0 OR c.dead > 0`;

/** How many of the latest events are looked at for those of one source. */
const mostLooked = 20_000;
/** $1 source, $2 event or null, $3 limit, $4 id or null, $5 payload characters or null. */
export const recentEvents = `
SELECT id, source, event, at, payload FROM (
  SELECT e.*, sum(length(e.payload)) OVER (ORDER BY e.seq DESC) - length(e.payload) AS before FROM (
    (SELECT * FROM {s}.events WHERE $4::text IS NULL AND seq >= ${floor} ORDER BY seq DESC LIMIT ${String(mostLooked)})
    UNION ALL
    (SELECT * FROM {s}.events WHERE id = $4 AND seq >= ${floor})
  ) e WHERE e.source = $1 AND ($2::text IS NULL OR e.event = $2) ORDER BY e.seq DESC LIMIT $3
) found WHERE $5::bigint IS NULL OR before < $5 ORDER BY seq DESC`;

const looked = `d.seq, d.hook, d.state, d.attempts, d.finished, d.status, d.latency, d.error, d.response`;
/**
 * $1 the hook's id, null for the dead ones of all; $2, $3 below which event and hook; $4 how many are looked at; $5 how
 * many are wanted; $6 state, $7 since, $8 until, $9 source, $10 event, $11 text, or null. The candidates are numbered, so
 * that the row with the last number says how many were looked at.
 */
export const search = `
WITH looked AS MATERIALIZED (
  SELECT c.*, row_number() OVER (ORDER BY c.seq DESC, c.hook DESC) AS n FROM (
    (SELECT ${looked}, d.due FROM {s}.open d
      WHERE d.hook = ${number} AND d.state IN (0, 1) AND d.seq < $2 ORDER BY d.seq DESC LIMIT $4)
    UNION ALL
    (SELECT ${looked}, NULL FROM {s}.done d
      WHERE d.hook = ${number} AND d.seq < $2 AND d.seq >= ${floor} ORDER BY d.seq DESC LIMIT $4)
    UNION ALL
    (SELECT ${looked}, NULL FROM {s}.done d
      WHERE $1::text IS NULL AND d.state = 3 AND (d.seq, d.hook) < ($2, $3) AND d.seq >= ${floor}
        AND (SELECT h.id FROM {s}.hooks h WHERE h.no = d.hook) IS NOT NULL
      ORDER BY d.seq DESC, d.hook DESC LIMIT $4)
  ) c ORDER BY c.seq DESC, c.hook DESC LIMIT $4
), found AS (
  SELECT ${record}, d.n, d.hook, (SELECT h.id FROM {s}.hooks h WHERE h.no = d.hook) AS hook_id
  FROM looked d ${eventOf('d')}
  WHERE ($6::smallint IS NULL OR d.state = $6) AND ($7::bigint IS NULL OR e.at >= $7)
    AND ($8::bigint IS NULL OR e.at < $8) AND ($9::text IS NULL OR e.source = $9)
    AND ($10::text IS NULL OR e.event = $10) AND ($11::text IS NULL OR strpos(d.error, $11) > 0
      OR strpos(d.response, $11) > 0 OR strpos(e.payload, $11) > 0)
  ORDER BY d.n LIMIT $5
)
SELECT f.*, l.n AS all_looked, l.seq AS last_seq, l.hook AS last_hook
FROM (SELECT n, seq, hook FROM looked ORDER BY n DESC LIMIT 1) l LEFT JOIN found f ON true ORDER BY f.n`;

export const leaseHolder = `
SELECT l.owner, l.epoch, n.until FROM {s}.lease l JOIN {s}.nodes n ON n.owner = l.owner
ORDER BY l.name = 'leader' DESC, l.epoch LIMIT 1`;
export const size = `
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS size FROM pg_class c
WHERE c.relnamespace = '{s}'::regnamespace AND c.relkind IN ('r', 'S')`;
