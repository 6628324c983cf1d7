import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { docker, project } from './stand-in.ts';

/** Ports of this machine that docker/compose.yaml opens. */
const published = /127\.0\.0\.1:(\d+):(\d+)/g;

/** `docker compose`, else `docker-compose`, else null. */
export function composeCommand(): readonly string[] | null {
  const candidates = [['docker', 'compose'], ['docker-compose']];
  return candidates.find(([command = '', ...rest]) => runs(command, [...rest, 'version'])) ?? null;
}

const runs = (command: string, args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

export interface ComposeOptions {
  readonly command: readonly string[];
  /** Images in place of those that the file names, by their name there. */
  readonly images: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * docker/compose.yaml as a project of its own: a name, ports and image names that nobody else on this machine has. The
 * lines of the documentation are run on it, with these in place of theirs.
 */
export class ComposeProject {
  readonly name = `kong-ts-test-${String(process.pid)}`;
  /** Where files that the lines write go. */
  readonly folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-compose-'));
  readonly #options: ComposeOptions;
  readonly #ports: ReadonlyMap<string, string>;

  private constructor(options: ComposeOptions, ports: ReadonlyMap<string, string>) {
    this.#options = options;
    this.#ports = ports;
    let text = readFileSync(path.join(project, 'docker/compose.yaml'), 'utf8');
    text = text.replace(
      published,
      (_all, port: string, inside: string) => `127.0.0.1:${this.#port(port)}:${inside}`,
    );
    // docker-compose 1 does not know this line; the name is given as an option.
    text = text.replace(/^name: .*\n/m, '');
    text = text.replace(/^( +image: )([\w:.-]+)$/gm, (_all, start: string, image: string) => {
      return `${start}${options.images[image] ?? image}`;
    });
    writeFileSync(this.#file, text);
  }

  static async create(options: ComposeOptions): Promise<ComposeProject> {
    const text = readFileSync(path.join(project, 'docker/compose.yaml'), 'utf8');
    const ports = new Map<string, string>();
    for (const [, port = ''] of text.matchAll(published)) ports.set(port, String(await freePort()));
    return new ComposeProject(options, ports);
  }

  /** Runs a line of the documentation in a shell; gives what it prints. */
  run(line: string, profiles: readonly string[] = []): string {
    const words = [
      ...this.#options.command,
      ...['-p', this.name, '--project-directory', path.join(project, 'docker'), '-f', this.#file],
      ...profiles.flatMap((profile) => ['--profile', profile]),
    ];
    const own = line
      .replace('docker compose -f docker/compose.yaml', words.join(' '))
      .replace('node bin/kong-ts.js', `'${process.execPath}' '${path.join(project, 'bin/kong-ts.js')}'`)
      .replace(/127\.0\.0\.1:(\d+)/g, (_all, port: string) => `127.0.0.1:${this.#port(port)}`);
    // docker-compose 1 cannot wait, and docker compose takes a service that has done its work for one that failed.
    const waits = this.#options.command.length > 1 && profiles.length === 0;
    return execFileSync('/bin/sh', ['-ec', waits ? own : own.replace(' --wait', '')], {
      cwd: this.folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        DOCKER_BUILDKIT: '0',
        COMPOSE_DOCKER_CLI_BUILD: '0',
        ...this.#options.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 280_000,
    });
  }

  /** Containers that are neither healthy nor done, with their state. */
  waitedFor(): string[] {
    const format =
      '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{.State.ExitCode}} {{if .State.Health}}{{.State.Health.Status}}{{end}}';
    const ids = this.left('ps', '-a');
    if (ids.length === 0) return ['nothing has been started'];
    return docker(['inspect', '-f', format, ...ids])
      .split('\n')
      .filter((line) => line !== '' && !/ running 0 (?:healthy)?$| exited 0 /.test(line));
  }

  /** Ids of what belongs to the project: `ps -a`, `volume ls`, `network ls`. */
  left(...what: readonly string[]): string[] {
    const label = `label=com.docker.compose.project=${this.name}`;
    return docker([...what, '-q', '--filter', label])
      .split('\n')
      .filter(Boolean);
  }

  logs(): string {
    return this.left('ps', '-a')
      .map((id) => spawnSync('docker', ['logs', '--tail', '20', id], { encoding: 'utf8' }))
      .map(({ stdout, stderr }) => stdout + stderr)
      .join('\n');
  }

  /** Takes everything away, also what a line has left behind. */
  dispose(): void {
    for (const [remove, ...list] of [
      [['rm', '-f', '-v'], 'ps', '-a'],
      [['volume', 'rm', '-f'], 'volume', 'ls'],
      [['network', 'rm'], 'network', 'ls'],
    ] as const) {
      const ids = this.left(...list);
      if (ids.length > 0) spawnSync('docker', [...remove, ...ids], { stdio: 'ignore' });
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #file(): string {
    return path.join(this.folder, 'compose.yaml');
  }

  #port(documented: string): string {
    const port = this.#ports.get(documented);
    if (port === undefined) throw new Error(`docker/compose.yaml opens no port ${documented}.`);
    return port;
  }
}
