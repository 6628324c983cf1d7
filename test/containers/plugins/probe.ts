import { createHash } from 'node:crypto';
import { z } from 'kong-ts';

/** A call of the PDK: the path below `kong` (`request.getHeader`) and its arguments. */
type Step = [path: string, ...args: unknown[]];
type Phase = 'certificate' | 'rewrite' | 'access' | 'response' | 'preread' | 'log';

export const probeConfig = z.object({
  /** JSON: a list of steps for each phase. The header x-script, base64 of the same, is for the phases that are not in it. */
  script: z.string().default('{}'),
  /** Where phases that no client sees report to. */
  report_url: z.string().optional(),
  /** Tells the headers of two probes on one request apart. */
  label: z.string().default(''),
});

type Config = z.infer<typeof probeConfig>;

/** What a phase handler is given, as far as the probe looks at it. */
interface AnyKong {
  request?: { getHeader?: (name: string) => Promise<string | null> };
  response?: {
    exit?: (status: number, body: unknown) => Promise<never>;
    setHeader?: (name: string, value: string) => Promise<void>;
  };
}

async function scriptOf(kong: AnyKong, config: Config, phase: Phase): Promise<Step[]> {
  const configured = JSON.parse(config.script) as Partial<Record<Phase, Step[]>>;
  const headless = phase === 'certificate' || phase === 'preread';
  if (configured[phase] !== undefined || headless) return configured[phase] ?? [];
  // A stream has no headers to ask for, in its log phase neither.
  if (configured.preread !== undefined) return [];
  const header = await kong.request?.getHeader?.('x-script');
  if (typeof header !== 'string') return [];
  return (JSON.parse(Buffer.from(header, 'base64').toString()) as typeof configured)[phase] ?? [];
}

async function call(kong: unknown, [path, ...args]: Step): Promise<unknown> {
  let owner: unknown = null;
  let value: unknown = kong;
  for (const name of path.split('.')) {
    owner = value;
    value = (value as Record<string, unknown> | undefined)?.[name];
  }
  if (typeof value !== 'function') return { missing: path };
  return showable(await (Reflect.apply(value, owner, args) as Promise<unknown>));
}

function showable(value: unknown): unknown {
  if (value === undefined) return null;
  // Results travel in a header.
  if (Buffer.isBuffer(value))
    return value.length > 1000
      ? { bytes: value.length, sha256: createHash('sha256').update(value).digest('hex') }
      : { base64: value.toString('base64') };
  return value;
}

/** Runs the phase's steps and makes the results known: as the answer, in a header, or to `report_url`. */
async function run(kong: unknown, config: Config, phase: Phase): Promise<void> {
  const steps = await scriptOf(kong as AnyKong, config, phase);
  if (steps.length === 0) return;
  const results: unknown[] = [];
  for (const step of steps) results.push(await call(kong, step));
  const { response } = kong as AnyKong;
  if (phase === 'rewrite' || phase === 'access' || phase === 'response') {
    const text = Buffer.from(JSON.stringify(results)).toString('base64');
    await response?.setHeader?.(`x-probe-${config.label}${phase}`, text);
  } else if (config.report_url !== undefined) {
    await fetch(config.report_url, { method: 'POST', body: JSON.stringify({ phase, results }) });
  }
}

const handler = (phase: Phase) => (kong: unknown, config: Config) => run(kong, config, phase);

/** The same for both protocols. */
export const probeHandlers = {
  certificate: handler('certificate'),
  rewrite: handler('rewrite'),
  access: handler('access'),
  response: handler('response'),
  preread: handler('preread'),
  log: handler('log'),
} satisfies Record<Phase, unknown>;
