import { describe, expect, it } from 'vitest';
import { loadDeclarativeText } from '../../../../src/kong-end/declarative/index.ts';
import { parseYaml } from '../../../../src/kong-end/declarative/document.ts';

/** What lyaml 6.2.8, which Kong reads YAML with, made of these (run in LuaJIT with libyaml 0.2.5). */
describe('YAML is read as Kong reads it', () => {
  it.each<[string, string, unknown]>([
    ['a key twice: the last counts', 'a: 1\na: 2\n', { a: 2 }],
    ['a key twice in a flow map', 'x: {h: 1, h: 2}\n', { x: { h: 2 } }],
    ['two documents: the first counts', 'a: 1\n---\na: 2\n', { a: 1 }],
    [
      'merge keys',
      'a: &a {h: 1}\nb: {<<: *a, h: 2}\nc: {h: 3, <<: *a}\n',
      { a: { h: 1 }, b: { h: 2 }, c: { h: 3 } },
    ],
    [
      'merged lists',
      'a: &a {h: 1}\nb:\n  <<: [*a, {p: 2}]\n  n: c\n',
      { a: { h: 1 }, b: { h: 1, p: 2, n: 'c' } },
    ],
    ['tags', 'a: !!str 5\nb: !foo x\n', { a: '5', b: 'x' }],
    ['a directive', '%YAML 1.2\n---\na: yes\nb: 1:30\n', { a: true, b: 90 }],
    ['markers', '--- \na: b\n...\n', { a: 'b' }],
    [
      'numbers',
      'a: 08\nb: 0o7\nc: 1_000\nd: 0b11\ne: .5\nf: 1e3\ng: 0x1F\n',
      { a: 8, b: '0o7', c: 1000, d: 3, e: 0.5, f: 1000, g: 31 },
    ],
    ['words', 'a: ~\nb: y\nc: Yes\nd: 2020-01-01\n', { a: null, b: 'y', c: true, d: '2020-01-01' }],
    ['a byte order mark', '\ufeffa: 1\n', { a: 1 }],
  ])('%s', (_what, text, value) => {
    expect(parseYaml(text)).toEqual(value);
  });

  it.each([
    ['an alias of nothing', 'a: *none\n'],
    ['a second document that is none', 'a: 1\n---\n- x: [\n'],
    ['what follows the end of the document', 'a: 1\n...\ngarbage: [\n'],
    ['tabs', 'a:\n\t- b\n'],
  ])('%s is an error', (_what, text) => {
    expect(() => parseYaml(text)).toThrow();
  });
});

describe('files that Kong takes', () => {
  const load = (text: string) =>
    loadDeclarativeText(`_format_version: "3.0"\n${text}`, [], { name: 'kong.yml' });

  it('a field twice', () => {
    const { services } = load('services:\n- name: a\n  host: h\n  host: i\n').snapshot();
    expect(services).toMatchObject([{ host: 'i' }]);
  });

  it('the default workspace, declared', () => {
    const { workspaces } = load('workspaces:\n- name: default\n  comment: ours\n').snapshot();
    expect(workspaces).toMatchObject([{ name: 'default', comment: 'ours' }]);
  });

  it('anchors in what is ignored, comments, tags that are shared', () => {
    const { services } = load(
      '_ignore:\n- &x {host: h, tags: &t [a, b]}\n_comment: ours\nservices:\n- <<: *x\n  name: s\n  _comment: c\n  routes:\n  - {name: r, paths: [/r], tags: *t}\n',
    ).snapshot();
    expect(services).toMatchObject([{ name: 's', host: 'h', tags: ['a', 'b'] }]);
  });
});

describe('files that Kong refuses', () => {
  it.each([
    ['anchors in a section of their own', 'x-shared: &s {host: h}\n', 'x-shared: unknown field'],
    [
      'sections of the Enterprise edition',
      'consumer_groups: [{name: gold}]\n',
      'consumer_groups: unknown field',
    ],
    [
      'sections of later versions',
      'partials: [{name: r, type: redis-ce, config: {}}]\n',
      'partials: unknown field',
    ],
    [
      'a reference where none may be',
      'services:\n- {name: a, host: "{vault://env/host}"}\n',
      'invalid value: {vault://env/host}',
    ],
    ['a vault that is not in it', 'vaults:\n- {name: aws, prefix: aws-v}\n', 'vault is not installed'],
  ])('%s', (_what, text, says) => {
    expect(() => loadDeclarativeText(`_format_version: "3.0"\n${text}`, [], { name: 'kong.yml' })).toThrow(
      says,
    );
  });
});
