import fc from 'fast-check';
import type { KongApi } from '../../src/pdk/index.ts';
import type { Phase } from '../../src/pdk/names/phases.ts';
import { KongTsError, messageOf } from '../../src/base/errors.ts';

/** One call that answers. */
export interface Getter {
  readonly get:
    | 'header'
    | 'headers'
    | 'path'
    | 'method'
    | 'queryArg'
    | 'rawQuery'
    | 'variable'
    | 'shared'
    | 'responseHeader'
    | 'responseHeaders'
    | 'status';
  readonly name: string;
}

type Target = 'request' | 'response';

/** One step of a handler. */
export type Step =
  | { readonly do: 'get'; readonly getter: Getter }
  | { readonly do: 'all' | 'race' | 'settled' | 'loose'; readonly getters: readonly Getter[] }
  | { readonly do: 'join' | 'pause' | 'tick' | 'throw' | 'return' | 'captures' }
  | {
      readonly do: 'set' | 'add' | 'unawaited';
      readonly target: Target;
      readonly name: string;
      readonly value: unknown;
    }
  | { readonly do: 'sets'; readonly target: Target; readonly table: Readonly<Record<string, unknown>> }
  | { readonly do: 'clear'; readonly target: Target; readonly name: string }
  | { readonly do: 'status' | 'shared' | 'log' | 'path' | 'exit' | 'upstream'; readonly name: string }
  | { readonly do: 'if' | 'unless'; readonly getter: Getter; readonly steps: readonly Step[] }
  | { readonly do: 'try'; readonly steps: readonly Step[] };

const readNames = [
  'x-a',
  'X-A',
  'x_a',
  'x-b',
  'x-c',
  'cookie',
  'host',
  'x-multi',
  'x_under',
  'x-under',
  'x-empty',
  'x.dot',
  'x-n3',
  'x-n99',
  'user-agent',
  '__proto__',
  'constructor',
  'é',
];
const setNames = [
  'x-a',
  'X-A',
  'x_a',
  'x-b',
  'x-c',
  'x-d',
  'x-e',
  'set-cookie',
  'x-multi',
  'host',
  '__proto__',
];
const oddNames = ['content-length', 'transfer-encoding', ':authority', 'content_length', 'x y', ''];

const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });

const getter: fc.Arbitrary<Getter> = fc.record({
  get: fc.oneof(
    often(8, fc.constant('header' as const)),
    often(
      4,
      fc.constantFrom<Getter['get']>(
        'headers',
        'path',
        'method',
        'queryArg',
        'rawQuery',
        'variable',
        'shared',
        'responseHeader',
        'responseHeaders',
        'status',
      ),
    ),
  ),
  name: fc.constantFrom(...readNames),
});
const getters = fc.array(getter, { minLength: 1, maxLength: 6 });
const target = fc.constantFrom<Target>('request', 'response');
const name = fc.oneof(often(12, fc.constantFrom(...setNames)), often(1, fc.constantFrom(...oddNames)));
const value: fc.Arbitrary<unknown> = fc.oneof(
  often(8, fc.constantFrom<unknown>('v', 'w', '', 'a, b', '1', 3, true, false)),
  often(3, fc.constantFrom<unknown>(['1', '2'], [], ['', 'x'])),
  often(1, fc.constantFrom<unknown>(null, undefined, {}, [1], Number.NaN)),
);

const leaf: fc.Arbitrary<Step> = fc.oneof(
  often(6, fc.record({ do: fc.constant('get' as const), getter })),
  often(5, fc.record({ do: fc.constantFrom('all' as const, 'race', 'settled', 'loose'), getters })),
  often(9, fc.record({ do: fc.constantFrom('set' as const, 'set', 'unawaited'), target, name, value })),
  often(
    2,
    fc.record({
      do: fc.constant('sets' as const),
      target,
      table: fc.dictionary(name, value, { maxKeys: 4 }),
    }),
  ),
  often(1, fc.record({ do: fc.constant('add' as const), target, name, value })),
  often(1, fc.record({ do: fc.constant('clear' as const), target, name })),
  often(5, fc.record({ do: fc.constantFrom('join' as const, 'pause', 'tick', 'captures') })),
  often(
    2,
    fc.record({
      do: fc.constantFrom('status' as const, 'shared', 'log', 'path', 'upstream'),
      name: fc.constantFrom(...readNames),
    }),
  ),
  often(1, fc.record({ do: fc.constantFrom('throw' as const, 'return') })),
  often(1, fc.record({ do: fc.constant('exit' as const), name: fc.constantFrom(...readNames) })),
);

/** Handlers that ask, set, wait, branch, throw and exit. */
export const handlers: fc.Arbitrary<readonly Step[]> = fc.letrec<{ step: Step; steps: Step[] }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 2 },
    leaf,
    fc.record({ do: fc.constantFrom('if' as const, 'unless'), getter, steps: tie('steps') }),
    fc.record({ do: fc.constant('try' as const), steps: tie('steps') }),
  ),
  steps: fc.array(tie('step'), { minLength: 1, maxLength: 10 }),
})).steps;

function ask(kong: KongApi, { get, name }: Getter): Promise<unknown> {
  switch (get) {
    case 'header':
      return kong.request.getHeader(name);
    case 'headers':
      return kong.request.getHeaders();
    case 'path':
      return kong.request.getPath();
    case 'method':
      return kong.request.getMethod();
    case 'queryArg':
      return kong.request.getQueryArg(name);
    case 'rawQuery':
      return kong.request.getRawQuery();
    case 'variable':
      return kong.nginx.getVar(`http_${name.replaceAll('-', '_')}`);
    case 'shared':
      return kong.ctx.shared.get(name);
    case 'responseHeader':
      return kong.response.getHeader(name);
    case 'responseHeaders':
      return kong.response.getHeaders();
    case 'status':
      return kong.response.getStatus();
  }
}

/** An error as a plugin can tell it from others. */
export function told(error: unknown): string {
  return KongTsError.is(error) ? `${error.code}: ${error.message}` : messageOf(error);
}

class Returned extends Error {}

/** Runs a handler once and writes down what it sees. */
export class HandlerRun {
  /** Values and errors, in the order in which the handler sees them. */
  readonly seen: unknown[] = [];
  readonly #kong: KongApi;
  readonly #phase: Phase;
  #loose: Promise<unknown>[] = [];
  #exited = false;

  constructor(kong: KongApi, phase: Phase) {
    this.#kong = kong;
    this.#phase = phase;
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      for (const step of steps) await this.#step(step);
    } catch (error) {
      if (!(error instanceof Returned)) throw error;
    }
  }

  async #steps(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#step(step);
  }

  /** A getter whose end is noted when it comes. */
  #noted(getter: Getter): Promise<unknown> {
    return ask(this.#kong, getter).then(
      (value) => {
        this.seen.push([getter.get, getter.name, value]);
        return value;
      },
      (error: unknown) => {
        this.seen.push([getter.get, getter.name, told(error)]);
        throw error;
      },
    );
  }

  async #step(step: Step): Promise<void> {
    const kong = this.#kong;
    switch (step.do) {
      case 'get':
        await this.#noted(step.getter);
        return;
      case 'all': {
        const answers = this.#allowed(step.getters).map((each) => this.#noted(each));
        try {
          await Promise.all(answers);
        } finally {
          // What nobody waits for any more is a matter of moments.
          await Promise.allSettled(answers);
        }
        return;
      }
      case 'settled':
        await Promise.allSettled(this.#allowed(step.getters).map((each) => this.#noted(each)));
        return;
      case 'race': {
        const started = this.#keep(this.#allowed(step.getters));
        if (started > 0) this.seen.push(['won', await Promise.race(this.#loose.slice(-started))]);
        return;
      }
      case 'loose':
        this.#keep(this.#allowed(step.getters));
        return;
      case 'join':
        await this.#join();
        return;
      case 'pause':
        await new Promise((resolve) => setImmediate(resolve));
        return;
      case 'tick':
        await Promise.resolve();
        return;
      case 'throw':
        throw new Error('the handler has had enough');
      case 'return':
        throw new Returned();
      case 'captures':
        this.seen.push(await kong.request.getUriCaptures());
        return;
      case 'set':
        await this.#set(step);
        return;
      case 'unawaited': {
        const list = Array.isArray(step.value) ? [...(step.value as unknown[])] : step.value;
        this.#set({ ...step, value: list }).catch((error: unknown) => this.seen.push(told(error)));
        if (Array.isArray(list)) list.push('later');
        return;
      }
      case 'sets':
        await (step.target === 'request' ? kong.service.request : kong.response).setHeaders(
          step.table as never,
        );
        return;
      case 'add':
        await (step.target === 'request' ? kong.service.request : kong.response).addHeader(
          step.name,
          step.value as never,
        );
        return;
      case 'clear':
        await (step.target === 'request' ? kong.service.request : kong.response).clearHeader(step.name);
        return;
      case 'status':
        await kong.response.setStatus(201);
        return;
      case 'shared':
        await kong.ctx.shared.set(step.name, step.name);
        return;
      case 'log':
        await kong.log.notice(step.name);
        return;
      case 'path':
        await kong.service.request.setPath('/changed');
        return;
      case 'upstream':
        this.seen.push(await kong.service.setUpstream(step.name));
        return;
      case 'exit':
        this.#exited = true;
        await kong.response.exit(403, step.name, { 'x-a': 'exit' });
        return;
      case 'if':
      case 'unless': {
        const found = (await this.#noted(step.getter)) !== null;
        if (found === (step.do === 'if')) await this.#steps(step.steps);
        return;
      }
      case 'try':
        try {
          await this.#steps(step.steps);
        } catch (error) {
          if (error instanceof Returned) throw error;
          this.seen.push(['caught', told(error)]);
        }
    }
  }

  #set({ target, name, value }: Extract<Step, { do: 'set' | 'add' | 'unawaited' }>): Promise<void> {
    const setter = target === 'request' ? this.#kong.service.request : this.#kong.response;
    return setter.setHeader(name, value as never);
  }

  /** Getters whose promises are left for later. What the end of the event does to them is not noted. */
  #keep(getters: readonly Getter[]): number {
    const answers = getters.map((getter) => ask(this.#kong, getter));
    for (const answer of answers) answer.catch(() => undefined);
    this.#loose.push(...answers);
    return answers.length;
  }

  /** A call that is refused here settles at once, whatever is under way. */
  #allowed(getters: readonly Getter[]): readonly Getter[] {
    return this.#phase === 'response'
      ? getters
      : getters.filter(({ get }) => !/^(response|status)/.test(get));
  }

  async #join(): Promise<void> {
    const loose = this.#loose;
    this.#loose = [];
    const results = await Promise.allSettled(loose);
    // Which of them the end has come before is a matter of moments.
    if (this.#exited) return;
    for (const result of results) {
      this.seen.push(
        result.status === 'fulfilled' ? ['joined', result.value] : ['joined', told(result.reason)],
      );
    }
  }
}
