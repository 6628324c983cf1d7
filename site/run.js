// Builds the documentation's site, or serves it while it is written. What it needs is installed here, in this folder, when
// it is missing: `npm ci` of the package does not pay for it.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const site = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(site);
const pages = path.join(site, '.pages');
/** Pages beside docs/, and what the site calls them: SECURITY.md and security.md would be one page to many systems. */
const beside = {
  'README.md': 'README.md',
  'CHANGELOG.md': 'CHANGELOG.md',
  'CONTRIBUTING.md': 'CONTRIBUTING.md',
  'SECURITY.md': 'reporting.md',
};

/** A page with its links as the flat site has them. Links to files that are no pages become their text. */
function flat(text) {
  return text
    .replace(/^<!--.*?-->\n/gms, '')
    .split(/(^```.*?^```$)/ms)
    .map((part) => (part.startsWith('```') ? part : part.replace(/\[([^\]]*)\]\(([^)\s]+)\)/g, link)))
    .join('');
}

function link(whole, text, target) {
  if (/^(?:https?:|#|\/)/.test(target)) return whole;
  const file = target.replace(/^(?:\.\.\/)?(?:docs\/)?/, '');
  const name = file.replace(/#.*/, '');
  const isPage = name in beside || existsSync(path.join(root, 'docs', name));
  const place = `${beside[name] ?? name}${file.slice(name.length)}`;
  return name.endsWith('.md') && isPage ? `[${text}](./${place})` : text;
}

function copy() {
  mkdirSync(pages, { recursive: true });
  const files = [
    ...readdirSync(path.join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join('docs', name)),
    ...Object.keys(beside),
  ];
  for (const file of [...files, 'site/index.md']) {
    const text = flat(readFileSync(path.join(root, file), 'utf8'));
    const place = path.join(pages, beside[file] ?? path.basename(file));
    // A file that is written counts as changed.
    if (!existsSync(place) || readFileSync(place, 'utf8') !== text) writeFileSync(place, text);
  }
}

function install() {
  const lock = path.join(site, 'package-lock.json');
  const installed = path.join(site, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log('Installing what the site needs, once (about a minute).');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: site, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const [command] = process.argv.slice(2);
if (command !== 'dev' && command !== 'build') {
  console.error('usage: node site/run.js dev | build');
  process.exit(2);
}
install();
rmSync(pages, { recursive: true, force: true });
copy();
if (command === 'dev') {
  const again = () => {
    try {
      copy();
    } catch (error) {
      console.error(error);
    }
  };
  watch(path.join(root, 'docs'), again);
  for (const file of Object.keys(beside)) watch(path.join(root, file), again);
}
process.chdir(site);
const { build, createServer } = await import('vitepress');
if (command === 'build') await build(site);
else {
  const server = await createServer(site);
  await server.listen();
  server.printUrls();
}
