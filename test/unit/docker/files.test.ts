import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { imageChanges } from '../../../scripts/sandbox-image/dockerfile.ts';
import { variable } from '../../../src/kong-setup/formats.ts';
import { kongSettings } from '../../../src/kong-setup/settings.ts';
import { factsOf } from '../../../src/kong-setup/versions.ts';

const project = path.join(import.meta.dirname, '../../..');
const folder = path.join(project, 'docker');
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));

interface Service {
  image?: string;
  build?: { context: string; dockerfile: string };
  environment?: Record<string, string>;
  depends_on?: Record<string, unknown> | string[];
  volumes?: string[];
  profiles?: string[];
  healthcheck?: object;
}
const compose = parse(read('compose.yaml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};

interface Container {
  name: string;
  ports?: { name: string }[];
  startupProbe?: { periodSeconds: number; failureThreshold: number };
  livenessProbe?: object;
  image: string;
  env?: { name: string; value: string }[];
  volumeMounts: { name: string }[];
  securityContext: Record<string, unknown>;
}
interface Deployment {
  kind: string;
  spec: {
    template: {
      metadata: { labels: Record<string, string> };
      spec: { initContainers: Container[]; containers: Container[]; volumes: { name: string }[] };
    };
  };
}
const manifest = parseAllDocuments(read('kubernetes/sidecar.yaml')).map(
  (document) => document.toJS() as Deployment,
);

/** What `kong-ts kong-config http-log-enterprise` prints for the mode, as environment. */
function expected(mode: 'managed' | 'sidecar', socket: string): Record<string, string> {
  const { settings } = kongSettings({
    plugins: [{ name: 'http-log-enterprise', spec: 'http-log-enterprise', protocol: 'protobuf' }],
    facts: factsOf('3.9'),
    mode,
    socket,
    command: ['/usr/local/bin/kong-ts'],
    dumpFolder: path.dirname(socket),
  });
  return Object.fromEntries(settings.map((setting) => [variable(setting), setting.value]));
}

const pluginSettings = (environment: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment)
      .filter(([key]) => key.startsWith('KONG_PLUGIN'))
      // The start command may say more than kong-config does: where data is kept.
      .map(([key, value]) => [key, value.replace(/ --data-dir \S+/, '')]),
  );

/** The ENV instruction of a Dockerfile's last stage. */
function environmentOf(dockerfile: string): Record<string, string> {
  const text = imageChanges(read(dockerfile)).filter((line) => line.startsWith('ENV '));
  const pairs = text.flatMap((line) => [...line.slice(4).matchAll(/([A-Z_]+)=("[^"]*"|\S+)/g)]);
  return Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value.replaceAll('"', '')]));
}

describe("plugin settings are kong-config's", () => {
  const inside = expected('managed', '/run/kong/http-log-enterprise.socket');
  const beside = expected('sidecar', '/run/kong-ts/kong-ts.socket');

  test('Dockerfile', () => {
    expect(pluginSettings(environmentOf('Dockerfile'))).toEqual(inside);
  });

  test('compose: sidecar and sandbox; the others take the image of the Dockerfile as it is', () => {
    const of = (service: string): Record<string, string> =>
      pluginSettings(compose.services[service]?.environment ?? {});
    expect(of('kong-stock')).toEqual(beside);
    expect(of('sandbox')).toEqual(inside);
    for (const service of ['kong', 'kong-postgres', 'migrations']) expect(of(service)).toEqual({});
  });

  test('Kubernetes', () => {
    const kong = manifest
      .find(({ kind }) => kind === 'Deployment')
      ?.spec.template.spec.containers.find(({ name }) => name === 'kong');
    const environment = Object.fromEntries((kong?.env ?? []).map(({ name, value }) => [name, value]));
    expect(pluginSettings(environment)).toEqual(beside);
  });
});

describe('compose.yaml', () => {
  const services = Object.entries(compose.services);

  test.each(services)('%s: what it names is there', (_name, service) => {
    const needs = Array.isArray(service.depends_on)
      ? service.depends_on
      : Object.keys(service.depends_on ?? {});
    for (const other of needs) expect(compose.services).toHaveProperty(other);
    if (service.build !== undefined)
      expect(existsSync(path.join(folder, service.build.context, service.build.dockerfile))).toBe(true);
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('.')) expect(existsSync(path.join(folder, source))).toBe(true);
      else expect(compose.volumes).toHaveProperty(source);
    }
  });

  test('no two plugin servers share a data folder', () => {
    const data = services.flatMap(([, { volumes = [] }]) =>
      volumes.filter((volume) => /:\/(?:usr\/local\/kong-ts\/data|var\/lib\/kong-ts)$/.test(volume)),
    );
    expect(new Set(data).size).toBe(data.length);
  });
});

test('Kubernetes: every mount has its volume, nothing runs as root or writes to its root', () => {
  const pod = manifest.find(({ kind }) => kind === 'Deployment')?.spec.template.spec;
  const volumes = new Set(pod?.volumes.map(({ name }) => name));
  for (const container of [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])]) {
    for (const { name } of container.volumeMounts) expect(volumes).toContain(name);
    expect(container.securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
    });
  }
});

test('Kubernetes: a container has time to start before it has to be alive', () => {
  const pod = manifest.find(({ kind }) => kind === 'Deployment')?.spec.template.spec;
  for (const { livenessProbe, startupProbe } of pod?.containers ?? []) {
    expect(livenessProbe).toBeDefined();
    expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBeGreaterThan(60);
  }
});

test("Kubernetes: the Service leads to the pods and to one of their ports' names", () => {
  const { template } = manifest.find(({ kind }) => kind === 'Deployment')?.spec ?? {};
  const service = parseAllDocuments(read('kubernetes/sidecar.yaml'))
    .map((document) => document.toJS() as { kind: string; spec: object })
    .find(({ kind }) => kind === 'Service')?.spec as {
    selector: Record<string, string>;
    ports: { targetPort: string }[];
  };
  expect(template?.metadata.labels).toMatchObject(service.selector);
  const names = template?.spec.containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name));
  for (const { targetPort } of service.ports) expect(names).toContain(targetPort);
});

describe('Dockerfiles', () => {
  const wrapper = read('kong-ts.sh');

  test.each(['Dockerfile', 'sidecar.Dockerfile', 'sandbox.Dockerfile'])(
    '%s: dependencies come from the lockfile, to where kong-ts.sh looks for them',
    (name) => {
      const text = read(name);
      expect(text).not.toMatch(/npm install/);
      const [, modules = ''] =
        /WORKDIR (\S+)\nCOPY .*package-lock\.json.*\nRUN npm ci --omit=dev/.exec(text) ?? [];
      const [, own = ''] = /tar -xzf \S+ -C (\S+)/.exec(text) ?? [];
      expect(own).toBe(`${modules}/node_modules/kong-ts`);
      expect(wrapper).toContain(`${own}/bin/kong-ts.js`);
    },
  );
});

describe('sidecar-entrypoint.sh', () => {
  /** The words of the `kong-ts serve` that it ends as. */
  function served(environment: Record<string, string>): string[] {
    const place = mkdtempSync(path.join(tmpdir(), 'kong-ts-entrypoint-'));
    try {
      const script = read('sidecar-entrypoint.sh')
        .replaceAll('/usr/local/bin/kong-ts', `${place}/kong-ts`)
        .replaceAll('/usr/local/bin/node', process.execPath);
      const fake =
        '#!/bin/sh\nif [ "$1" = dump ]; then echo \'{"Plugins":[{"Name":"one"}]}\'; else echo "$@"; fi\n';
      writeFileSync(path.join(place, 'kong-ts'), fake, { mode: 0o755 });
      const said = execFileSync('/bin/sh', ['-c', script, 'sidecar', 'one'], {
        encoding: 'utf8',
        env: { ...process.env, KONG_TS_FOLDER: place, ...environment },
      });
      expect(readFileSync(path.join(place, 'one.json'), 'utf8')).toContain('"one"');
      return said.trim().replaceAll(place, '').split(' ');
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  }
  const always =
    'serve one --socket /kong-ts.socket --socket msgpack=/kong-ts-msgpack.socket --socket-mode 0666 --data-dir /var/lib/kong-ts';

  test('the data folder is there with and without options', () => {
    expect(served({ KONG_TS_SERVE_OPTIONS: '' })).toEqual(always.split(' '));
    expect(served({ KONG_TS_SERVE_OPTIONS: '--workers 1' })).toEqual(`${always} --workers 1`.split(' '));
  });

  test('a data folder of the user wins', async () => {
    const { build } = await import('../../../src/cli/serve.ts');
    const command = build();
    command.parseOptions(served({ KONG_TS_SERVE_OPTIONS: '--data-dir /mine' }).slice(1));
    expect(command.opts()).toMatchObject({ dataDir: '/mine' });
  });
});

test('every file that a Dockerfile copies is there', () => {
  const ignored = readFileSync(path.join(project, '.dockerignore'), 'utf8').split('\n');
  for (const file of files.filter((name) => name.endsWith('Dockerfile'))) {
    for (const [, sources = ''] of read(file).matchAll(/^COPY (?!--from)(.+) \S+$/gm))
      for (const source of sources.split(' ')) {
        expect(existsSync(path.join(project, source)), `${file}: ${source}`).toBe(true);
        expect(ignored).not.toContain(source.split('/')[0]);
      }
  }
});

/** `kong-ts COMMAND ... --flag`, in files that people copy from. */
describe('every option of kong-ts that is written down exists', () => {
  const texts = [
    ...files.map((name): [string, string] => [`docker/${name}`, read(name)]),
    ...['README.md', 'docs/containers.md'].map((name): [string, string] => [
      name,
      readFileSync(path.join(project, name), 'utf8'),
    ]),
  ];
  const calls = texts.flatMap(([name, text]) =>
    [
      ...text
        .replaceAll(/\\\n\s*/g, ' ')
        // Lists of words: ["kong-ts", "status", ...]
        .replaceAll('", "', ' ')
        .matchAll(
          /kong-ts(?:\.js)?"?(?:', '|, )?\s*(serve|dump|status|sandbox|reload|kong-config)\b([^\n`"'$]*)/g,
        ),
    ].map(([, command = '', rest = '']): [string, string, string[]] => [
      name,
      command,
      [...rest.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag),
    ]),
  );

  test.each(calls)('%s: kong-ts %s %j', async (_name, name, flags) => {
    const module = (await import(`../../../src/cli/${name}.ts`)) as { build(): Command };
    const known = module.build().options.map(({ long }) => long);
    for (const flag of flags) expect(known).toContain(flag);
  });

  test('some were found', () => {
    expect(calls.length).toBeGreaterThan(5);
  });
});
