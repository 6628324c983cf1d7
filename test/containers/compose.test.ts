import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { codeBlocks } from '../support/documentation.ts';
import { composeCommand, ComposeProject } from './support/compose.ts';
import { image, sandbox } from './support/kong.ts';
import { buildStandIn } from './support/stand-in.ts';

const readme = new URL('../../README.md', import.meta.url);
const page = new URL('../../docs/containers.md', import.meta.url);
const command = composeCommand();
const hasSandboxImage = inject('hasSandboxImage');
const why =
  command === null
    ? 'there is neither docker compose nor docker-compose'
    : hasSandboxImage
      ? null
      : 'the image kong-ts-sandbox, which stands for Node, is not there: npm run sandbox:image';

/** Commands of the documentation, one line each. */
const linesOf = (document: URL, start: string): string[] => {
  const block = codeBlocks(document).find(
    ({ language, text }) => language === 'sh' && text.startsWith(start),
  );
  if (block === undefined) throw new Error(`no commands that start with "${start}" in ${document.pathname}`);
  return block.text.trim().split('\n');
};

/** Three images are built on the way. */
const limits = { timeout: 300_000 };

/** The compose file and the documentation's lines about it, run for real; stand-ins replace what only a registry has. */
describe.skipIf(why !== null)(`docker compose${why === null ? '' : ` (skipped: ${why})`}`, limits, () => {
  const tags = {
    node: 'kong-ts-test-compose-node',
    stock: 'kong-ts-test-compose-stock',
    postgres: 'kong-ts-test-compose-postgres',
    'kong-ts': 'kong-ts-test-compose-kong',
    'kong-ts-sidecar': 'kong-ts-test-compose-sidecar',
    'kong-ts-sandbox': 'kong-ts-test-compose-sandbox',
  };
  let compose: ComposeProject;

  beforeAll(async () => {
    buildStandIn(tags.node, 'kong-ts-sandbox');
    buildStandIn(tags.stock, 'kong-ts-sandbox', ['USER kong']);
    // What compose needs of a database that the sandbox does not ask: that it gets healthy, and stays.
    const ready =
      'RUN ["/bin/sh", "-c", "echo \'#!/bin/sh\' > /bin/pg_isready && chmod 755 /bin/pg_isready"]';
    buildStandIn(tags.postgres, 'kong-ts-sandbox', [
      ready,
      'ENTRYPOINT ["sleep", "600"]',
      'STOPSIGNAL SIGKILL',
    ]);
    compose = await ComposeProject.create({
      command: command ?? [],
      images: { ...tags, 'postgres:16': sandbox ? tags.postgres : 'postgres:16' },
      environment: { NODE_IMAGE: tags.node, KONG_IMAGE: sandbox ? tags.stock : image },
    });
  });

  afterAll(() => {
    compose?.dispose();
  });

  const up = (profiles: readonly string[] = []): void => {
    const [line = ''] = linesOf(readme, 'docker compose');
    try {
      compose.run(line, profiles);
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string };
      throw new Error(`${line}: ${stderr}\n${compose.logs()}`, { cause: error });
    }
  };
  const started = () =>
    expect.poll(() => compose.waitedFor(), { timeout: 90_000, interval: 500 }).toEqual([]);
  /** Paths of what the sink has been told that http-log-enterprise saw, as `curl .../received` shows it. */
  const logged = (received: string): string[] =>
    (JSON.parse(received) as { path: string; body: string }[])
      .filter(({ path: target }) => target === '/log')
      .map(({ body }) => (JSON.parse(body) as { request: { uri: string } }).request.uri);

  test('README: up, a request, its record, down, and nothing is left', async () => {
    up();
    await started();
    const [[echo = ''], [received = '']] = [
      linesOf(readme, 'curl -s http://127.0.0.1:8000/echo'),
      linesOf(readme, 'curl -s http://127.0.0.1:9080/received'),
    ];
    expect(compose.run(echo)).toBe('ok\n');
    await expect.poll(() => logged(compose.run(received)), { timeout: 30_000 }).toEqual(['/echo']);
    gone([]);
  });

  const profiles = ['postgres', 'sidecar', 'sandbox'];

  test('every profile: a request to each Kong, and the record of it', async () => {
    up(profiles);
    await started();
    const lines = linesOf(page, 'curl -s http://127.0.0.1:8000/echo');
    const echoes = lines.filter((line) => line.includes('/echo'));
    expect(echoes).toHaveLength(3);
    for (const line of echoes) expect(compose.run(line), line).toBe('ok\n');
    const received = lines.find((line) => line.endsWith('/received')) ?? '';
    await expect.poll(() => logged(compose.run(received)), { timeout: 30_000 }).toHaveLength(3);
  });

  test('Kong with Postgres: a service, a route and the plugin, over the Admin API and with kong-ts enable', async () => {
    const lines = linesOf(page, 'curl -s -X PUT http://127.0.0.1:8101');
    const [plain = ''] = linesOf(page, 'curl -s http://127.0.0.1:8101/services/echo/plugins');
    for (const line of lines.slice(0, 2)) compose.run(line);
    // The plugin with curl alone, and after it all lines again: they change nothing that is there.
    const { id } = JSON.parse(compose.run(plain)) as { id?: string };
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const said = lines.slice(0, -2).map((line) => compose.run(line));
    expect(said.at(-1)).toMatch(/no change|nothing|already/i);
    const [echo = '', received = ''] = lines.slice(-2);
    await expect.poll(() => compose.run(echo), { timeout: 30_000 }).toBe('ok\n');
    await expect.poll(() => logged(compose.run(received)).length, { timeout: 30_000 }).toBeGreaterThan(3);
    gone(profiles);
  });

  /** Runs the line that ends it all; nothing of the project is left then. */
  function gone(down: readonly string[]): void {
    const line = /`(docker compose [^`]* down [^`]*)`/.exec(readFileSync(readme, 'utf8'))?.[1] ?? '';
    compose.run(line, down);
    expect([compose.left('ps', '-a'), compose.left('volume', 'ls'), compose.left('network', 'ls')]).toEqual([
      [],
      [],
      [],
    ]);
  }
});
