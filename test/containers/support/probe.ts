import type { StartedKongContainer } from '../../../src/testing/containers/index.ts';

export type Step = [path: string, ...args: unknown[]];
export type Script = Partial<
  Record<'certificate' | 'rewrite' | 'access' | 'response' | 'preread' | 'log', Step[]>
>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What the steps of a phase gave, in their order. */
  results(phase: 'rewrite' | 'access' | 'response'): unknown[];
}

export interface ProbeRequest {
  readonly path: string;
  readonly script: Script;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** Sends a request whose phases run the script. */
export async function probe(kong: StartedKongContainer, request: ProbeRequest): Promise<Answer> {
  const { path, script, method = 'GET', headers = {}, body } = request;
  const answer = await fetch(`${kong.proxyUrl}${path}`, {
    method,
    headers: { ...headers, 'x-script': Buffer.from(JSON.stringify(script)).toString('base64') },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    results: (phase) => {
      const header = answer.headers.get(`x-probe-${phase}`);
      if (header === null)
        throw new Error(`No results of ${phase}: ${String(answer.status)} ${text}\n${kong.logs()}`);
      return JSON.parse(Buffer.from(header, 'base64').toString()) as unknown[];
    },
  };
}
