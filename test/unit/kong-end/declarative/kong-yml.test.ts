import { describe, expect, it } from 'vitest';
import { compilePlugin } from '../../../../src/plugin/define.ts';
import { loadDeclarativeText } from '../../../../src/kong-end/declarative/index.ts';

const service = (more: string): string =>
  `_format_version: '3.0'\nservices:\n- name: s\n  host: a.test\n${more}`;

describe('YAML as Kong reads it', () => {
  it('is YAML 1.1: words are booleans, a leading zero is octal, colons count by sixty, dates are text', () => {
    const store = loadDeclarativeText(
      service(
        `  enabled: no\n  tls_verify: null\n  retries: 010\n  port: 1:30\n  tags: [2024-01-01]\n  routes:\n  - name: r\n    paths: [/r]\n    strip_path: off\n    preserve_host: Yes\n`,
      ),
    );
    expect(store.snapshot().services[0]).toMatchObject({
      enabled: false,
      retries: 8,
      port: 90,
      tags: ['2024-01-01'],
    });
    expect(store.snapshot().routes[0]).toMatchObject({ strip_path: false, preserve_host: true });
  });

  it('keeps words in quotes', () => {
    const store = loadDeclarativeText(service(`  tags: ['no', "0644"]\n`));
    expect(store.snapshot().services[0]?.tags).toEqual(['no', '0644']);
  });
});

describe("plugins and sections of Kong's own", () => {
  const text = `${service(`  plugins:\n  - name: rate-limiting\n    config: { minute: 5 }\n  routes:\n  - name: r\n    paths: [/r]\n    plugins:\n    - name: cors\n    - name: key-auth\n`)}
plugins:
- name: cors
consumers:
- username: u
  acls: [{ group: g }]
  plugins: []
vaults: [{ name: env, prefix: my-env }]
ca_certificates: []
keys:
key_sets: []
`;

  it('are passed over and said in one line', () => {
    const lines: string[] = [];
    const store = loadDeclarativeText(text, [], { name: 'kong.yml', passedOver: (line) => lines.push(line) });
    expect(lines).toEqual([
      "kong.yml: Kong's own plugins cors, rate-limiting and the sections acls, vaults are passed over: the sandbox does not run them",
    ]);
    expect(store.snapshot().plugins.map(({ name }) => name)).toEqual(['key-auth']);
    expect(store.snapshot().consumers).toHaveLength(1);
  });

  it('are refused where the sandbox is strict', () => {
    expect(() => loadDeclarativeText(text, [], { strict: true })).toThrow(
      "Kong knows Kong's own plugins cors, rate-limiting and the sections acls, vaults, the sandbox does not run them and was told to be strict",
    );
  });

  it('do not hide a name that nobody has', () => {
    expect(() => loadDeclarativeText(`_format_version: '3.0'\nplugins: [{ name: corse }]`)).toThrow(
      /corse.*--plugin-server/,
    );
  });
});

describe('paths of routes', () => {
  it.each([
    ['/a%20b', '/a b'],
    ['/caf%C3%A9', '/café'],
    ['/a/./b', '/a/b'],
  ])('%s has to be written as %s', (path, wanted) => {
    const text = (value: string): string =>
      JSON.stringify({ _format_version: '3.0', routes: [{ name: 'r', paths: [value] }] });
    expect(() => loadDeclarativeText(text(path))).toThrow(
      `non-normalized path, consider use '${wanted}' instead`,
    );
    loadDeclarativeText(text(wanted));
  });
});

describe('protocols of a plugin that does not name any', () => {
  const protocols = (...phases: string[]): unknown => {
    const { schema } = compilePlugin({
      name: 'p',
      version: '1.0.0',
      ...Object.fromEntries(phases.map((phase) => [phase, () => undefined])),
    });
    return schema.fields.find((field) => 'protocols' in field)?.['protocols']?.['default'];
  };

  it('come from its phases', () => {
    const streams = ['tcp', 'tls', 'tls_passthrough', 'udp'];
    expect(protocols('access', 'log')).toBeUndefined();
    expect(protocols('preread')).toEqual(streams);
    expect(protocols('preread', 'log')).toEqual(streams);
    expect(protocols('preread', 'access')).toEqual(['grpc', 'grpcs', 'http', 'https', ...streams]);
  });
});

describe('a route whose expression Kong cannot compile', () => {
  it.each([
    ['headers: { x: [] }', 'headers.x has no values'],
    ["headers: { x: ['~*('] }", 'unclosed group'],
    ["headers: { x: ['~*(?=a)'] }", 'look-around'],
    ["paths: ['~/a(?!b)']", 'look-around'],
    ["paths: ['~/(a)\\1']", 'backreferences are not supported'],
    ["paths: ['~/(?>a)']", 'unrecognized flag'],
    ["paths: ['~/\\h+']", 'unrecognized escape sequence'],
    ["paths: ['~/\\Qa\\E']", 'unrecognized escape sequence'],
    ["paths: ['~/a{,3}']", 'repetition quantifier expects a valid decimal'],
    ["paths: ['~/{id}']", 'repetition quantifier expects a valid decimal'],
    ["paths: ['~/(?<n>a)|(?<n>b)']", 'duplicate capture group name'],
    ["paths: ['~/a(?#b)']", 'unrecognized flag'],
    ["headers: { x: ['~*a{1000}{1000}{1000}'] }", 'size limit'],
  ])('%s keeps the gateway from starting', (fields, reason) => {
    const load = (): unknown => loadDeclarativeText(service(`  routes: [{ name: r, ${fields} }]\n`));
    expect(load).toThrow(/routes\[0\].*Router Expression failed validation: /);
    expect(load).toThrow(reason);
  });

  it.each([["headers: { x: ['~*a|b', c] }"], ["paths: ['~/(?<n>[a-z(]+)$', '~/[\\d]']"]])(
    '%s is taken',
    (fields) => {
      expect(
        loadDeclarativeText(service(`  routes: [{ name: r, ${fields} }]\n`)).snapshot().routes,
      ).toHaveLength(1);
    },
  );

  it("is told PCRE2's words for a path", () => {
    expect(() => loadDeclarativeText(service(`  routes: [{ name: r, paths: ['~/('] }]\n`))).toThrow(
      `invalid regex: '/(' (PCRE returned: pcre2_compile() failed: missing closing parenthesis in "/(")`,
    );
  });
});
