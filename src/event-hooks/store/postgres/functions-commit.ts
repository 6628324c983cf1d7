/**
 * What changes the tables is a function: one round trip, and a transaction that no client can hold open. All of them take
 * one lock first and end by the commit that lets it go. So they are made one after the other, event numbers rise in the
 * order in which they become visible, and each statement sees all that was made before.
 *
 * `{s}` is the schema, `{lock}` and `{leases}` are the numbers of its two locks. Rows are looked up one by one by an index
 * (subqueries that the planner cannot turn into a join): a plan that was made while a table was small would read all of it
 * when it is large.
 */
const settings = `
SET jit = off SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_mergejoin = off SET lock_timeout = '8s'`;

/** The time that leases and firings go by, in milliseconds. */
export const clock = `
CREATE FUNCTION {s}.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
  'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';
`;

/** Makes the partitions of a day. ATTACH waits for no reader, a CREATE ... PARTITION OF would. */
export const days = `
CREATE FUNCTION {s}.make_day(day bigint) RETURNS void LANGUAGE plpgsql SET lock_timeout = '8s' AS $$
DECLARE
  parent text;
  part text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['events', 'done', 'attempts'] LOOP
    part := parent || '_' || to_char(to_timestamp(day * 86400) AT TIME ZONE 'UTC', 'YYYYMMDD');
    CONTINUE WHEN to_regclass(format('{s}.%I', part)) IS NOT NULL;
    EXECUTE format('CREATE TABLE {s}.%I (LIKE {s}.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', part, parent);
    EXECUTE format('ALTER TABLE {s}.%I ATTACH PARTITION {s}.%I FOR VALUES FROM (%s) TO (%s)',
      parent, part, day * {perDay}, (day + 1) * {perDay});
  END LOOP;
END $$;
`;

/** Whether the events' rules let them fire, in the order of the pairs. @returns the pairs that are held back */
const rules = `
CREATE FUNCTION {s}.held_back(fresh integer[], pair_event integer[], pair_hook text[], pair_identity text[],
  pair_digest text[], pair_snooze bigint[]) RETURNS integer[] LANGUAGE plpgsql ${settings} AS $$
DECLARE
  held integer[] := '{}';
  moment bigint := {s}.now_ms();
  one record;
  known record;
BEGIN
  FOR one IN
    SELECT p.i::integer AS i, h.no, p.identity, p.digest, p.snooze
    FROM unnest(pair_event, pair_hook, pair_identity, pair_digest, pair_snooze)
      WITH ORDINALITY AS p(e, hook, identity, digest, snooze, i)
    JOIN unnest(fresh) AS f(e) ON f.e = p.e
    CROSS JOIN LATERAL (SELECT no FROM {s}.hooks WHERE id = p.hook OFFSET 0) h
    WHERE p.identity IS NOT NULL
    ORDER BY p.i
  LOOP
    SELECT digest, quiet, used INTO known FROM {s}.firings WHERE hook = one.no AND identity = one.identity;
    IF FOUND AND ((one.snooze > 0 AND moment < known.quiet AND known.quiet <= moment + one.snooze + 60000)
      OR (one.digest IS NOT NULL AND known.digest = one.digest)) THEN
      held := held || one.i;
      IF known.used < moment - 60000 THEN
        UPDATE {s}.firings SET used = moment WHERE hook = one.no AND identity = one.identity;
      END IF;
    ELSE
      INSERT INTO {s}.firings VALUES (one.no, one.identity, one.digest, moment + one.snooze, moment)
      ON CONFLICT (hook, identity) DO UPDATE SET digest = excluded.digest, quiet = excluded.quiet, used = excluded.used;
    END IF;
  END LOOP;
  RETURN held;
END $$;
`;

const events = `
CREATE FUNCTION {s}.add_events(ids text[], sources text[], names text[], ats bigint[], payloads text[], sizes integer[],
  pair_event integer[], pair_hook text[], pair_identity text[], pair_digest text[], pair_snooze bigint[])
RETURNS jsonb LANGUAGE plpgsql ${settings} AS $$
DECLARE
  fresh integer[];
  held integer[] := '{}';
  stored integer[];
  day bigint := {s}.now_ms() / 86400000;
  base bigint;
BEGIN
  -- Of events with one id only the first counts.
  fresh := ARRAY(SELECT f.e FROM (
      SELECT DISTINCT ON (u.id) u.id, u.e::integer AS e FROM unnest(ids) WITH ORDINALITY AS u(id, e) ORDER BY u.id, u.e
    ) f WHERE (SELECT s.seq FROM {s}.seen s WHERE s.id = f.id) IS NULL);
  IF array_length(array_remove(pair_identity, NULL), 1) > 0 THEN
    held := {s}.held_back(fresh, pair_event, pair_hook, pair_identity, pair_digest, pair_snooze);
  END IF;
  stored := ARRAY(SELECT DISTINCT p.e FROM unnest(pair_event, pair_hook) WITH ORDINALITY AS p(e, hook, i)
    JOIN unnest(fresh) AS f(e) ON f.e = p.e
    WHERE p.i <> ALL (held) AND (SELECT h.no FROM {s}.hooks h WHERE h.id = p.hook) IS NOT NULL
    ORDER BY p.e);
  IF cardinality(stored) > 0 THEN
    IF to_regclass('{s}.attempts_' || to_char(to_timestamp(day * 86400) AT TIME ZONE 'UTC', 'YYYYMMDD')) IS NULL THEN
      PERFORM {s}.make_day(day);
    END IF;
    SELECT setval('{s}.numbers', greatest(last_value, day * {perDay}) + cardinality(stored)) - cardinality(stored)
      INTO base FROM {s}.numbers;
    INSERT INTO {s}.events (seq, id, source, event, at, payload)
      SELECT base + n.k, u.id, u.source, u.event, u.at, u.payload
      FROM unnest(stored) WITH ORDINALITY AS n(e, k)
      JOIN unnest(ids, sources, names, ats, payloads) WITH ORDINALITY AS u(id, source, event, at, payload, e) ON u.e = n.e
      ORDER BY n.k;
    INSERT INTO {s}.seen (id, seq)
      SELECT u.id, base + n.k FROM unnest(stored) WITH ORDINALITY AS n(e, k)
      JOIN unnest(ids) WITH ORDINALITY AS u(id, e) ON u.e = n.e ORDER BY n.k;
    WITH made AS (
      INSERT INTO {s}.open (seq, hook, size)
      SELECT DISTINCT base + n.k, (SELECT h.no FROM {s}.hooks h WHERE h.id = p.hook), u.size
      FROM unnest(pair_event, pair_hook) WITH ORDINALITY AS p(e, hook, i)
      JOIN unnest(stored) WITH ORDINALITY AS n(e, k) ON n.e = p.e
      JOIN unnest(sizes) WITH ORDINALITY AS u(size, e) ON u.e = n.e
      WHERE p.i <> ALL (held) AND (SELECT h.no FROM {s}.hooks h WHERE h.id = p.hook) IS NOT NULL
      RETURNING hook
    ) INSERT INTO {s}.counts (hook, pending) SELECT hook, count(*) FROM made GROUP BY hook;
  END IF;
  RETURN jsonb_build_object('base', base, 'stored', to_jsonb(stored), 'held', to_jsonb(held));
END $$;
`;

/**
 * Writes results down. The lease's row is locked against whoever wants to take it over until this has ended: nothing of
 * an epoch that has passed is written. @returns the places of results that were not written for that reason
 */
const results = `
CREATE FUNCTION {s}.add_results(hooks text[], seqs bigint[], epochs bigint[], states smallint[], tries integer[],
  dues bigint[], ends bigint[], statuses integer[], latencies double precision[], errors text[], responses text[],
  requests text[], buckets integer[])
RETURNS jsonb LANGUAGE plpgsql ${settings} AS $$
#variable_conflict use_column
DECLARE
  current bigint[];
BEGIN
  current := ARRAY(SELECT l.epoch FROM {s}.lease l WHERE l.epoch = ANY (ARRAY(SELECT DISTINCT unnest(epochs))) FOR SHARE);
  WITH r AS MATERIALIZED (
    SELECT u.*, h.no, o.place, o.was, o.size
    FROM unnest(hooks, seqs, epochs, states, tries, dues, ends, statuses, latencies, errors, responses, requests,
      buckets) WITH ORDINALITY
      AS u(hook, seq, epoch, state, tries, due, finished, status, latency, error, response, request, bucket, i)
    CROSS JOIN LATERAL (SELECT no FROM {s}.hooks WHERE id = u.hook OFFSET 0) h
    CROSS JOIN LATERAL (
      SELECT o.ctid AS place, o.state AS was, o.size FROM {s}.open o WHERE o.seq = u.seq AND o.hook = h.no OFFSET 0
    ) o
    WHERE u.epoch = ANY (current)
  ), last AS MATERIALIZED (
    SELECT DISTINCT ON (no, seq) * FROM r ORDER BY no, seq, i DESC
  ), gone AS (
    DELETE FROM {s}.open WHERE ctid = ANY (ARRAY(SELECT place FROM last WHERE state >= 2))
  ), kept AS (
    UPDATE {s}.open o SET state = l.state, attempts = l.tries, due = l.due, finished = l.finished, status = l.status,
      latency = l.latency, error = l.error, response = l.response
    FROM last l WHERE o.ctid = l.place AND o.seq = l.seq AND l.state = 1
  ), finished AS (
    INSERT INTO {s}.done (hook, seq, state, attempts, size, finished, status, latency, error, response, request)
    SELECT no, seq, state, tries, size, finished, status, latency, error, response,
      CASE WHEN tries = 1 AND state = 2 THEN request END
    FROM last WHERE state >= 2
  ), tried AS (
    INSERT INTO {s}.attempts (hook, seq, attempt, finished, status, latency, error, response, request)
    SELECT DISTINCT ON (no, seq, tries) no, seq, tries, finished, status, latency, error, response, request FROM r
    WHERE NOT (tries = 1 AND state = 2) ORDER BY no, seq, tries, i DESC
    ON CONFLICT (hook, seq, attempt) DO UPDATE SET finished = excluded.finished, status = excluded.status,
      latency = excluded.latency, error = excluded.error, response = excluded.response, request = excluded.request
  ), hours AS (
    INSERT INTO {s}.new_hours (hook, hour, what, n)
    SELECT no, (finished / 3600000) * 3600000, w.what, count(*) FROM r
    CROSS JOIN LATERAL (VALUES (bucket), (CASE WHEN state = 2 THEN {delivered} ELSE {failed} END),
      (CASE WHEN state = 3 THEN {dead} END)) AS w(what)
    WHERE w.what IS NOT NULL GROUP BY no, (finished / 3600000) * 3600000, w.what
  ), old AS (
    DELETE FROM {s}.attempts a USING last l
    WHERE l.tries > {attemptsKept} AND a.hook = l.no AND a.seq = l.seq AND a.attempt <= l.tries - {attemptsKept}
  )
  INSERT INTO {s}.counts (hook, pending, waiting, delivered, dead)
  SELECT no, -count(*) FILTER (WHERE was = 0), count(*) FILTER (WHERE state = 1) - count(*) FILTER (WHERE was = 1),
    count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3)
  FROM last GROUP BY no;
  RETURN to_jsonb(ARRAY(
    SELECT u.i FROM unnest(epochs) WITH ORDINALITY AS u(epoch, i) WHERE u.epoch <> ALL (current) ORDER BY u.i));
END $$;
`;

const commit = `
CREATE FUNCTION {s}.store(ids text[], sources text[], names text[], ats bigint[], payloads text[], sizes integer[],
  pair_event integer[], pair_hook text[], pair_identity text[], pair_digest text[], pair_snooze bigint[],
  hooks text[], seqs bigint[], epochs bigint[], states smallint[], tries integer[], dues bigint[], ends bigint[],
  statuses integer[], latencies double precision[], errors text[], responses text[], requests text[], buckets integer[])
RETURNS jsonb LANGUAGE plpgsql ${settings} AS $$
DECLARE
  before jsonb;
  made jsonb := '{}';
  fenced jsonb := '[]';
BEGIN
  PERFORM pg_advisory_xact_lock({lock});
  before := {s}.marks();
  IF cardinality(ids) > 0 THEN
    made := {s}.add_events(ids, sources, names, ats, payloads, sizes, pair_event, pair_hook, pair_identity, pair_digest,
      pair_snooze);
  END IF;
  IF cardinality(seqs) > 0 THEN
    fenced := {s}.add_results(hooks, seqs, epochs, states, tries, dues, ends, statuses, latencies, errors, responses,
      requests, buckets);
  END IF;
  RETURN made || jsonb_build_object('before', before, 'fenced', fenced);
END $$;
`;

/** How far the store has come, for whoever asks what others have written. Part of a transaction that holds the lock. */
const marks = `
CREATE FUNCTION {s}.marks() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT jsonb_build_object('seq', (SELECT last_value FROM {s}.numbers),
    'hooks', (SELECT number FROM {s}.changes WHERE kind = 'hooks'),
    'deliveries', (SELECT number FROM {s}.changes WHERE kind = 'deliveries'))
$$;
`;

export const commitFunctions = `${clock}${days}${marks}${rules}${events}${results}${commit}`;
