import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { checks } from '../src/pdk/argument-checks.ts';
import { catalogue } from '../src/pdk/catalogue.ts';
import type { ArgumentSpec, FunctionRow } from '../src/pdk/catalogue.ts';
import { phases } from '../src/pdk/names/phases.ts';
import type { Phase, Protocol } from '../src/pdk/names/phases.ts';

/** Where the reference page is. */
export const referencePath = fileURLToPath(new URL('../docs/pdk.md', import.meta.url));

const introduction = `# PDK reference

\`npm run docs\` generates this page from the catalogue in \`src/pdk\`. The phases were measured on Kong 3.9.3.

A handler gets \`kong\` with the functions that its phase and protocol have. TypeScript refuses the others. At run time
they reject with \`PDK_NOT_IN_PHASE\` or \`PDK_NOT_IN_PROTOCOL\` before anything is sent.

- Every function returns a promise. Calls that are started without waiting in between leave together, and come back in
  order. Setters and logs resolve at once. They leave with the next getter or at the end of the phase, in program order.
- \`kong.response.exit\` and \`kong.response.error\` end the handler. After them only \`finally\` blocks run, and later
  calls reject with \`PDK_EVENT_ENDED\`.
- An absent value is \`null\`. ProtoBuf:1 cannot tell an empty text from an absent one. Where that matters, both protocols
  give \`null\` for both.
- Arguments are checked by Kong's own rules before anything is sent. A wrong one rejects with \`PDK_INVALID_ARGUMENT\`.
- Bodies are \`Buffer\`s. Text is UTF-8. Bytes that are not UTF-8 become lone surrogates (\`U+DC80\` to \`U+DCFF\`), and the
  same bytes again when the text is sent.
- _composed_: kong-ts makes the function from others, because Kong's ProtoBuf:1 service lacks it or Kong's own has a
  fault.
- \`protocol: "msgpack"\` in the plugin is needed where the table says so.
`;

function signature({ path, arguments: args, result }: FunctionRow): string {
  return `${path}(${args.map(parameter).join(', ')}): Promise<${result.type}>`;
}

function parameter({ name, type, optional, rest }: ArgumentSpec): string {
  if (rest === true) return `...${name}: ${type}`;
  return `${name}${optional === true ? '?' : ''}: ${type}`;
}

function phaseList(list: readonly Phase[]): string {
  if (list.length === 0) return 'none';
  return list.length === phases.length ? 'all' : list.join(', ');
}

function overProtocol(row: FunctionRow, protocol: Protocol): string {
  const how = row.travel[protocol];
  if (how === 'absent') return 'no (needs `protocol: "msgpack"`)';
  return `${phaseList(row.offered[protocol])}${how === 'composed' ? ' (_composed_)' : ''}`;
}

function resultText({ result, travel }: FunctionRow): string {
  if (travel.msgpack === 'exit') return 'Never resolves: the handler ends here.';
  return result.kind === 'void' ? 'Nothing; resolves at once.' : `\`${result.type}\``;
}

function section(row: FunctionRow): string {
  const since = row.since === null ? [] : [`Kong ${row.since} and later.`];
  const text = [row.description, ...row.details, ...since].join(' ');
  const lines = [`### ${row.path}`, '', text, '', '```ts', signature(row), '```', ''];
  for (const argument of row.arguments) {
    lines.push(
      `- \`${argument.name}\`: ${checks[argument.check].allowed}${argument.optional === true ? ' (optional)' : ''}`,
    );
  }
  if (row.arguments.length > 0) lines.push('');
  lines.push(
    '| Result | ProtoBuf:1 | MsgPack:1 | Kong |',
    '| --- | --- | --- | --- |',
    `| ${resultText(row).replaceAll('|', '\\|')} | ${overProtocol(row, 'protobuf')} | ${overProtocol(row, 'msgpack')} | \`${row.name}\` |`,
    '',
  );
  if (row.raw !== null) {
    lines.push(
      `\`${row.raw.name}(${row.raw.options})\`: ${[row.raw.description, ...row.raw.details].join(' ')}`,
      '',
    );
  }
  if (row.composed !== null) {
    lines.push(
      `Composed from ${row.composed.from.map((name) => `\`${name}\``).join(', ')}. ${row.composed.note ?? ''}`.trim(),
      '',
    );
  }
  if (row.inLog != null) lines.push(row.inLog.note ?? '', '');
  lines.push('```ts', row.example, '```', '');
  return lines.join('\n');
}

/** The reference page as Markdown. */
export async function pdkReference(): Promise<string> {
  const byNamespace = Map.groupBy(catalogue, ({ path }) => path.slice(0, path.lastIndexOf('.')));
  const sections = [...byNamespace].map(
    ([namespace, rows]) => `## ${namespace}\n\n${rows.map(section).join('\n')}`,
  );
  const config = await resolveConfig(referencePath);
  return format([introduction, ...sections].join('\n'), { ...config, parser: 'markdown' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(referencePath, await pdkReference());
