const settings = `
SET jit = off SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_mergejoin = off SET lock_timeout = '8s'`;

const hooks = `
CREATE FUNCTION {s}.bump(what text) RETURNS bigint LANGUAGE sql AS $$
  UPDATE {s}.changes SET number = number + 1 WHERE kind = what RETURNING number
$$;
CREATE FUNCTION {s}.save_hook(hook text, text_ text) RETURNS bigint LANGUAGE plpgsql ${settings} AS $$
DECLARE
  number bigint;
BEGIN
  PERFORM pg_advisory_xact_lock({lock});
  INSERT INTO {s}.hooks (id, doc) VALUES (hook, text_) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc
    RETURNING no INTO number;
  DELETE FROM {s}.firings f WHERE f.hook = number;
  RETURN {s}.bump('hooks');
END $$;
CREATE FUNCTION {s}.delete_hook(hook text) RETURNS bigint LANGUAGE plpgsql ${settings} AS $$
DECLARE
  number bigint;
BEGIN
  PERFORM pg_advisory_xact_lock({lock});
  DELETE FROM {s}.hooks WHERE id = hook RETURNING no INTO number;
  IF number IS NULL THEN
    RETURN NULL;
  END IF;
  -- What is finished goes with its day: no hook has this number again.
  DELETE FROM {s}.open o WHERE o.hook = number AND o.state = 0;
  DELETE FROM {s}.open o WHERE o.hook = number AND o.state = 1;
  DELETE FROM {s}.firings f WHERE f.hook = number;
  DELETE FROM {s}.counts c WHERE c.hook = number;
  DELETE FROM {s}.hours t WHERE t.hook = number;
  DELETE FROM {s}.new_hours t WHERE t.hook = number;
  RETURN {s}.bump('hooks');
END $$;
`;

const due = `
CREATE FUNCTION {s}.take_due(hook_id text, under bigint, moment bigint, most integer, most_size bigint)
RETURNS TABLE (seq bigint, id text, source text, event text, at bigint, payload text, attempts integer)
LANGUAGE plpgsql ${settings} AS $$
#variable_conflict use_column
DECLARE
  number bigint;
  taken bigint[];
BEGIN
  PERFORM pg_advisory_xact_lock({lock});
  PERFORM 1 FROM {s}.lease l WHERE l.epoch = under FOR SHARE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT h.no INTO number FROM {s}.hooks h WHERE h.id = hook_id;
  taken := ARRAY(SELECT f.seq FROM (
      SELECT w.*, sum(w.size) OVER (ORDER BY w.due, w.seq) - w.size AS ahead FROM (
        SELECT o.seq, o.due, o.size FROM {s}.open o WHERE o.hook = number AND o.state = 1 AND o.due <= moment
        ORDER BY o.due, o.seq LIMIT most
      ) w
    ) f WHERE f.ahead < most_size ORDER BY f.due, f.seq);
  IF cardinality(taken) = 0 THEN
    RETURN;
  END IF;
  UPDATE {s}.open o SET state = 0 FROM unnest(taken) AS t(seq) WHERE o.seq = t.seq AND o.hook = number;
  INSERT INTO {s}.counts (hook, pending, waiting) VALUES (number, cardinality(taken), -cardinality(taken));
  RETURN QUERY SELECT e.seq, e.id, e.source, e.event, e.at, e.payload, o.attempts
    FROM unnest(taken) WITH ORDINALITY AS t(seq, i)
    JOIN {s}.open o ON o.seq = t.seq AND o.hook = number JOIN {s}.events e ON e.seq = t.seq ORDER BY t.i;
END $$;
`;

const replay = `
CREATE FUNCTION {s}.replay(hook_id text, only_seq bigint, chosen bigint[], above bigint, since bigint, wanted smallint[],
  most integer, moment bigint) RETURNS jsonb LANGUAGE plpgsql ${settings} AS $$
DECLARE
  number bigint;
  lowest bigint;
  ended bigint[];
  waits bigint[];
BEGIN
  PERFORM pg_advisory_xact_lock({lock});
  SELECT h.no INTO number FROM {s}.hooks h WHERE h.id = hook_id;
  SELECT floor INTO lowest FROM {s}.retention;
  WITH found AS (
    SELECT f.seq, f.done FROM (
      (SELECT d.seq, true AS done FROM {s}.done d JOIN {s}.events e ON e.seq = d.seq
        WHERE d.hook = number AND d.seq > above AND d.seq >= lowest AND d.state = ANY (wanted) AND e.at >= since
          AND (only_seq IS NULL OR d.seq = only_seq) AND (chosen IS NULL OR d.seq = ANY (chosen))
        ORDER BY d.seq LIMIT most)
      UNION ALL
      (SELECT o.seq, false FROM {s}.open o JOIN {s}.events e ON e.seq = o.seq
        WHERE o.hook = number AND o.seq > above AND o.state = 1 AND o.state = ANY (wanted) AND e.at >= since
          AND (only_seq IS NULL OR o.seq = only_seq) AND (chosen IS NULL OR o.seq = ANY (chosen))
        ORDER BY o.seq LIMIT most)
    ) f ORDER BY f.seq LIMIT most
  ) SELECT coalesce(array_agg(seq) FILTER (WHERE done), '{}'), coalesce(array_agg(seq) FILTER (WHERE NOT done), '{}')
    INTO ended, waits FROM found;
  UPDATE {s}.open o SET due = moment FROM unnest(waits) AS w(seq) WHERE o.seq = w.seq AND o.hook = number;
  -- The one attempt of a delivery that is about to be made again.
  INSERT INTO {s}.attempts (hook, seq, attempt, finished, status, latency, error, response, request)
    SELECT d.hook, d.seq, 1, d.finished, d.status, d.latency, d.error, d.response, d.request
    FROM unnest(ended) AS f(seq) JOIN {s}.done d ON d.hook = number AND d.seq = f.seq
    WHERE d.state = 2 AND d.attempts = 1 ON CONFLICT DO NOTHING;
  WITH again AS (
    DELETE FROM {s}.done d USING unnest(ended) AS f(seq) WHERE d.hook = number AND d.seq = f.seq
    RETURNING d.seq, d.state, d.attempts, d.size, d.finished, d.status, d.latency, d.error, d.response
  ), opened AS (
    INSERT INTO {s}.open (seq, hook, state, attempts, size, due, finished, status, latency, error, response)
    SELECT a.seq, number, 1, a.attempts, a.size, moment, a.finished, a.status, a.latency, a.error, a.response FROM again a
  ) INSERT INTO {s}.counts (hook, waiting, delivered, dead)
    SELECT number, count(*), -count(*) FILTER (WHERE state = 2), -count(*) FILTER (WHERE state = 3) FROM again
    HAVING count(*) > 0;
  RETURN jsonb_build_object(
    'seqs', to_jsonb(ARRAY(SELECT unnest(ended || waits) ORDER BY 1)),
    'waited', cardinality(waits),
    'deliveries', CASE WHEN cardinality(ended || waits) > 0 THEN {s}.bump('deliveries') END);
END $$;
`;

/**
 * Moves the floor below which finished deliveries do not exist any more, makes days ahead, drops days that are below it
 * and hold nothing open. @returns how many events have gone below the floor
 */
const prune = `
CREATE FUNCTION {s}.prune(older bigint, most bigint, portion bigint, identities bigint) RETURNS bigint
LANGUAGE plpgsql ${settings} AS $$
DECLARE
  today bigint := {s}.now_ms() / 86400000;
  was bigint;
  last bigint;
  aim bigint;
  left_ bigint := most;
  day bigint;
  count_ bigint;
  removed bigint := 0;
BEGIN
  PERFORM pg_advisory_xact_lock({lock});
  FOR ahead IN 0..2 LOOP
    PERFORM {s}.make_day(today + ahead);
  END LOOP;
  PERFORM {s}.fold_counts();
  PERFORM {s}.fold_hours((older / 3600000) * 3600000);
  SELECT floor INTO was FROM {s}.retention;
  SELECT last_value INTO last FROM {s}.numbers;
  -- The numbers of a day are dense: so many of the latest events begin here.
  aim := 0;
  day := last / {perDay};
  WHILE day * {perDay} + {perDay} > was AND day >= 0 LOOP
    SELECT coalesce(max(e.seq), day * {perDay}) - day * {perDay} INTO count_
      FROM {s}.events e WHERE e.seq >= day * {perDay} AND e.seq < (day + 1) * {perDay};
    IF count_ >= left_ THEN
      aim := day * {perDay} + count_ - left_ + 1;
      EXIT;
    END IF;
    left_ := left_ - count_;
    SELECT max(e.seq) / {perDay} INTO day FROM {s}.events e WHERE e.seq < day * {perDay};
    EXIT WHEN day IS NULL;
  END LOOP;
  -- Those that are too old: numbers rise with time, so they are at the floor.
  aim := greatest(aim, coalesce(
    (SELECT e.seq FROM {s}.events e WHERE e.seq >= was AND e.at >= older ORDER BY e.seq LIMIT 1), last + 1));
  IF aim > was THEN
    SELECT count(*), coalesce(max(f.seq) + 1, was) INTO removed, aim FROM (
      SELECT e.seq FROM {s}.events e WHERE e.seq >= was AND e.seq < aim ORDER BY e.seq LIMIT portion) f;
    INSERT INTO {s}.counts (hook, delivered, dead)
      SELECT d.hook, -count(*) FILTER (WHERE d.state = 2), -count(*) FILTER (WHERE d.state = 3)
      FROM {s}.done d JOIN {s}.hooks h ON h.no = d.hook WHERE d.seq >= was AND d.seq < aim GROUP BY d.hook;
    UPDATE {s}.retention SET floor = aim;
  END IF;
  PERFORM {s}.forget_firings(identities);
  RETURN removed;
END $$;
CREATE FUNCTION {s}.fold_counts() RETURNS void LANGUAGE sql AS $$
  WITH gone AS (DELETE FROM {s}.counts RETURNING *)
  INSERT INTO {s}.counts SELECT hook, sum(pending), sum(waiting), sum(delivered), sum(dead) FROM gone GROUP BY hook
$$;
CREATE FUNCTION {s}.fold_hours(before bigint) RETURNS void LANGUAGE sql AS $$
  WITH gone AS (DELETE FROM {s}.new_hours RETURNING *)
  INSERT INTO {s}.hours AS t (hook, hour, what, n) SELECT hook, hour, what, sum(n) FROM gone GROUP BY hook, hour, what
  ON CONFLICT (hook, hour, what) DO UPDATE SET n = t.n + excluded.n;
  DELETE FROM {s}.hours WHERE hour < before;
$$;
CREATE FUNCTION {s}.forget_firings(most bigint) RETURNS void LANGUAGE sql AS $$
  DELETE FROM {s}.firings WHERE (hook, identity) IN (
    SELECT hook, identity FROM {s}.firings ORDER BY used DESC OFFSET most LIMIT 5000)
$$;
CREATE FUNCTION {s}.drop_days(portion integer) RETURNS integer LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
  part record;
  parent text;
  dropped integer := 0;
  lowest bigint;
BEGIN
  SELECT floor INTO lowest FROM {s}.retention;
  FOR part IN
    SELECT substr(c.relname, 8) AS day, (to_date(substr(c.relname, 8), 'YYYYMMDD') - DATE '1970-01-01')::bigint AS number
    FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent = '{s}.events'::regclass
    ORDER BY 2
  LOOP
    EXIT WHEN (part.number + 1) * {perDay} > lowest;
    CONTINUE WHEN EXISTS (
      SELECT 1 FROM {s}.open o WHERE o.seq >= part.number * {perDay} AND o.seq < (part.number + 1) * {perDay});
    -- A day of ids goes in portions before its tables.
    DELETE FROM {s}.seen WHERE id IN (SELECT s.id FROM {s}.seen s WHERE s.seq >= part.number * {perDay}
      AND s.seq < (part.number + 1) * {perDay} LIMIT portion);
    EXIT WHEN FOUND;
    FOREACH parent IN ARRAY ARRAY['attempts', 'done', 'events'] LOOP
      EXECUTE format('DROP TABLE IF EXISTS {s}.%I', parent || '_' || part.day);
    END LOOP;
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;
`;

/**
 * One beat of a node: it lives until so long from now by the database's clock, whoever has not said so is dead, and what
 * the dead had is taken. A node that was declared dead finds that it has nothing any more, and begins anew.
 *
 * Roles go to whoever asks first. Groups spread: a node takes until it has its share, and hears how many it has above it.
 */
const leases = `
CREATE FUNCTION {s}.beat(me text, ttl bigint, roles text[], groups text[], wants boolean)
RETURNS jsonb LANGUAGE plpgsql SET lock_timeout = '1500ms' AS $$
DECLARE
  moment bigint;
  dead text[];
  living bigint;
  mine bigint;
  share bigint;
BEGIN
  PERFORM pg_advisory_xact_lock({leases});
  moment := {s}.now_ms();
  WITH gone AS (DELETE FROM {s}.nodes WHERE until <= moment AND owner <> me RETURNING owner)
    SELECT coalesce(array_agg(owner), '{}') INTO dead FROM gone;
  IF cardinality(dead) > 0 THEN
    UPDATE {s}.lease SET owner = NULL WHERE owner = ANY (dead);
  END IF;
  INSERT INTO {s}.nodes VALUES (me, moment + ttl) ON CONFLICT (owner) DO UPDATE SET until = excluded.until;
  INSERT INTO {s}.lease (name) SELECT DISTINCT u.name FROM unnest(roles || groups) AS u(name)
    WHERE NOT EXISTS (SELECT 1 FROM {s}.lease l WHERE l.name = u.name);
  SELECT count(*) INTO living FROM {s}.nodes;
  SELECT count(*) INTO mine FROM {s}.lease WHERE owner = me AND name = ANY (groups);
  share := ceil(cardinality(groups)::numeric / living);
  IF wants THEN
    UPDATE {s}.lease SET owner = me, epoch = nextval('{s}.epochs') WHERE owner IS NULL AND name = ANY (roles);
    UPDATE {s}.lease SET owner = me, epoch = nextval('{s}.epochs') WHERE name IN (
      SELECT l.name FROM {s}.lease l WHERE l.owner IS NULL AND l.name = ANY (groups) ORDER BY md5(l.name || me)
      LIMIT greatest(0, share - mine));
  END IF;
  RETURN jsonb_build_object('now', moment, 'nodes', living,
    'surplus', greatest(0, (SELECT count(*) FROM {s}.lease WHERE owner = me AND name = ANY (groups)) - share),
    'held', coalesce((SELECT jsonb_object_agg(name, epoch) FROM {s}.lease WHERE owner = me AND name = ANY (roles || groups)),
      '{}'));
END $$;
CREATE FUNCTION {s}.let_go(me text, names text[]) RETURNS void LANGUAGE plpgsql SET lock_timeout = '1500ms' AS $$
BEGIN
  PERFORM pg_advisory_xact_lock({leases});
  UPDATE {s}.lease SET owner = NULL WHERE owner = me AND (names IS NULL OR name = ANY (names));
  IF names IS NULL THEN
    DELETE FROM {s}.nodes WHERE owner = me;
  END IF;
END $$;
`;

export const upkeepFunctions = `${hooks}${due}${replay}${prune}${leases}`;
