import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

// What somebody who writes a plugin sees in an editor. One language service for all of it: it takes seconds to read the types.

const root = fileURLToPath(new URL('../..', import.meta.url));
const file = path.join(root, 'test/types/seen-in-an-editor.ts');
const text = `
import { definePlugin, eventHooks, z } from '../../src/index.ts';
import type { KongMeta } from '../../src/index.ts';
declare module '../../src/index.ts' {
  interface PublishedEvents {
    mine: { rejected: 'reason' | 'path' };
  }
}
eventHooks.emit('mine', 'rejected', { reason: 'x' });
eventHooks.emit('mine', 'rejectd', { reason: 'x' });
eventHooks.emit('yours', 'rejected', { reason: 'x' });
eventHooks.emit('mine', 'rejected', { resaon: 'x' });
z.string().meta({ encrypted: true } satisfies KongMeta);
z.string().meta({ encryted: true } satisfies KongMeta);
z.string().meta({ encrypted: 'yes' });
definePlugin({
  name: 'a',
  version: '1.0.0',
  async access(kong) {
    await kong.request.getHeader('x');
    await kong.vault.get('{vault://env/x}');
    await kong.service.request.setHeader('a', 'b');
  },
  async log(kong) {
    await kong.request.getMethod();
  },
});
definePlugin({
  name: 'b',
  version: '1.0.0',
  kong: '3.4',
  protocol: 'msgpack',
  async access(kong) {
    await kong.service.setRetries(1);
  },
});
`;

let service: ts.LanguageService;

beforeAll(() => {
  const { options } = ts.getParsedCommandLineOfConfigFile(
    path.join(root, 'tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  ) ?? { options: {} };
  service = ts.createLanguageService({
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => {
      const content = name === file ? text : ts.sys.readFile(name);
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
    },
    getCurrentDirectory: () => root,
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => ts.sys.fileExists(name),
    readFile: (name) => ts.sys.readFile(name),
    directoryExists: (name) => ts.sys.directoryExists(name),
    getDirectories: (name) => ts.sys.getDirectories(name),
  });
});

/** What stands in the box over a place, as type and documentation. */
function hover(place: string, word: string): { shown: string; documentation: string } {
  const at = text.indexOf(place) + place.indexOf(word) + 1;
  const info = service.getQuickInfoAtPosition(file, at);
  const tags = (info?.tags ?? []).map(({ text: parts }) => ts.displayPartsToString(parts));
  return {
    shown: ts.displayPartsToString(info?.displayParts),
    documentation: [ts.displayPartsToString(info?.documentation), ...tags].join('\n'),
  };
}

const errors = (): string[] =>
  service
    .getSemanticDiagnostics(file)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));

describe('in an editor', () => {
  it('kong is the API of the phase, its parts say what they are, and nothing of the catalogue is seen', () => {
    expect(hover('access(kong)', 'kong')).toEqual({
      shown: '(parameter) kong: Kong<"access", "protobuf", "3.9">',
      documentation: '',
    });
    expect(hover('kong.request.getHeader', 'request')).toEqual({
      shown: '(property) request: Functions<"kong.request", "access", "protobuf", "3.9">',
      documentation: 'The request of the client.',
    });
    const { shown } = hover('kong.service.request', 'service');
    expect(shown).not.toMatch(/description|travel/);
  });

  it('a function has its signature, its documentation, and what its arguments may be', () => {
    const { shown, documentation } = hover('kong.request.getHeader', 'getHeader');
    expect(shown).toBe('(method) getHeader(name: string): Promise<string | null>');
    expect(documentation).toContain('The first value of a request header, null when it is absent');
    expect(documentation).toContain('a header name that is not empty');
    expect(hover("setHeader('a'", 'setHeader').documentation).toContain('Sets a header towards the upstream');
  });

  it('a wrong phase, a function of MsgPack:1 and one of a later Kong are errors in words', () => {
    expect(errors().filter((each) => each.includes('callable'))).toEqual([
      `This expression is not callable.   Type 'OnlyOverMsgPack<"protocol: 'msgpack'">' has no call signatures.`,
      `This expression is not callable.   Type 'NotInPhase<"log">' has no call signatures.`,
      `This expression is not callable.   Type 'OnlySinceKong<"3.8">' has no call signatures.`,
    ]);
    expect(hover('kong.request.getMethod', 'getMethod').shown).toContain('NotInPhase<"log">');
  });

  it('an event that a project does not publish, its fields, and a wrong word or value of .meta() are errors', () => {
    expect(errors().filter((each) => !each.includes('callable'))).toEqual([
      expect.stringContaining(`'"rejectd"' is not assignable`),
      expect.stringContaining(`'"yours"' is not assignable`),
      expect.stringContaining(`'resaon' does not exist in type 'EventData<`),
      expect.stringContaining(`'encryted' does not exist in type 'KongMeta'`),
      "Type 'string' is not assignable to type 'boolean'.",
    ]);
  });
});
