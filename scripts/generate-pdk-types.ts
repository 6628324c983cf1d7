import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { checks } from '../src/pdk/argument-checks.ts';
import { namespaces } from '../src/pdk/catalogue.ts';
import { shelves } from '../src/pdk/catalogue/shelves.ts';
import type { Shelf } from '../src/pdk/catalogue/shelves.ts';
import type { ArgumentSpec, FunctionSpec, RawTwin } from '../src/pdk/catalogue/types.ts';

/** Where types stand that a signature may name. */
const homes: Readonly<Record<string, readonly string[]>> = {
  './entities.ts': ['Consumer', 'ConsumerInput', 'Credential', 'CredentialInput', 'Route', 'Service'],
  './log-record.ts': ['LogRecord'],
  './values.ts': [
    'ExitBody',
    'HeaderValue',
    'Headers',
    'HeadersInput',
    'HttpMethod',
    'JsonValue',
    'MemoryStats',
    'NginxStatistics',
    'ParsedBody',
    'Query',
    'QueryInput',
    'UriCaptures',
    'VaultReference',
  ],
};

const width = 112;

/** The files that hold the signatures which authors see, with the text of each. */
export async function pdkTypes(): Promise<ReadonlyMap<string, string>> {
  const byFile = Map.groupBy(Object.entries<Shelf>(shelves), ([, { file }]) => file);
  const texts = new Map<string, string>();
  for (const [file, entries] of byFile) {
    const target = fileURLToPath(new URL(`../src/pdk/types/${file}.ts`, import.meta.url));
    const body = entries.map(([path, shelf]) => interfaceText(path, shelf)).join('\n');
    const source = `// Written by \`npm run docs\` from the rows of the catalogue; change those.\n${imports(body)}\n${body}`;
    texts.set(target, await format(source, { ...(await resolveConfig(target)), parser: 'typescript' }));
  }
  return texts;
}

function imports(body: string): string {
  return Object.entries(homes)
    .map(([file, names]) => [file, names.filter((name) => namesType(body, name))] as const)
    .filter(([, names]) => names.length > 0)
    .map(([file, names]) => `import type { ${names.join(', ')} } from '${file}';\n`)
    .join('');
}

const namesType = (body: string, name: string) => new RegExp(`\\b${name}\\b`).test(withoutComments(body));
const withoutComments = (text: string) => text.replaceAll(/\/\*\*.*?\*\//gs, '');

function interfaceText(path: string, { api, description }: Shelf): string {
  const functions = Object.entries<FunctionSpec>(namespaces[path as keyof typeof namespaces]);
  const members = functions.map(([name, spec]) => member(name, spec));
  return `/** \`${path}\`: ${description}. */\nexport interface ${api} {\n${members.join('')}}\n`;
}

function member(name: string, spec: FunctionSpec): string {
  const since = spec.since === undefined ? [] : [`Kong ${spec.since} and later.`];
  const lines = [spec.description, ...(spec.details ?? []), ...since].flatMap((text) => wrapped(text));
  const parameters = spec.arguments.map(
    (argument) => `@param ${argument.name} ${checks[argument.check].allowed}`,
  );
  const signature = `${name}(${spec.arguments.map(parameter).join(', ')}): Promise<${spec.result.type}>;\n`;
  return `${comment([...lines, ...parameters])}${signature}${spec.raw === undefined ? '' : twin(spec.raw)}`;
}

function twin({ name, description, details, options, type }: RawTwin): string {
  return `${comment([description, ...details].flatMap((text) => wrapped(text)))}${name}(${options}): Promise<${type}>;\n`;
}

function parameter({ name, type, optional, rest }: ArgumentSpec): string {
  if (rest === true) return `...${name}: ${type}`;
  return `${name}${optional === true ? '?' : ''}: ${type}`;
}

function comment(lines: readonly string[]): string {
  if (lines.length === 1) return `/** ${lines[0] ?? ''} */\n`;
  return `/**\n${lines.map((line) => ` * ${line}\n`).join('')} */\n`;
}

/** Cuts a text into lines of a comment. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, text] of await pdkTypes()) await writeFile(file, text);
}
